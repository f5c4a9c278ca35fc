import Bytewise
import Glibc
import SystemIO
import Testing
import Threading

@Suite struct FileIdentityTests {
    private let temporary = TemporaryFolder()
    private let folder: Directory

    init() throws { folder = try Directory(path: temporary.path) }

    private func make(_ name: String) throws -> FileIdentity {
        let file = Descriptor(owning: try folder.createFile(name, .onlyIfAbsent))
        return try #require(FileIdentity(of: file.number))
    }

    /// As stat(1) says it.
    private func node(_ name: String) -> UInt64 {
        var information = stat()
        #expect(stat(temporary.path + "/" + name, &information) == 0)
        return UInt64(information.st_ino)
    }

    @Test func aFileIsItselfUnderEveryName() throws {
        let identity = try make("a")
        #expect(folder.identity(of: "a") == identity)
        #expect(identity.text.hasPrefix("\(node("a"))"))
        try folder.append([1], to: "a")
        chmod(temporary.path + "/a", 0o600)
        try folder.rename("a", to: "b", replaces: false)
        #expect(folder.identity(of: "b") == identity)
        #expect(link(temporary.path + "/b", temporary.path + "/c") == 0)
        #expect(folder.identity(of: "c") == identity)
        #expect(folder.identity(of: "a") == nil)
    }

    @Test func anotherFileUnderItsNameIsAnother() throws {
        let identity = try make("a")
        let other = try make("b")
        try folder.rename("b", to: "a", replaces: true)
        #expect(other != identity)
        #expect(folder.identity(of: "a") == other)
        temporary.link("l", to: "a")
        #expect(folder.identity(of: "l") != other, "a link is itself")
    }

    /// ext4 gives the number of an inode that is gone to the next file.
    @Test func aNumberThatIsGivenAgainIsAnotherFile() throws {
        let first = try make("a")
        let number = node("a")
        guard case .born = first else { return }
        // The kernel's clock for files takes steps of up to 10 ms.
        let deadline = ContinuousClock.now + .seconds(5)
        var hasNumberAgain = false
        var isTakenForIt = true
        while ContinuousClock.now < deadline && (isTakenForIt || !hasNumberAgain) {
            try folder.removeFile("a")
            let later = try make("a")
            hasNumberAgain = node("a") == number
            isTakenForIt = later == first
        }
        #expect(!isTakenForIt)
    }

    @Test func whatIsKeptIsReadBack() throws {
        let identity = try make("a")
        #expect(FileIdentity(identity.text) == identity)
        #expect(FileIdentity("12@34") == .numbered(node: 12, device: 34))
        #expect(FileIdentity("12:34") == .born(node: 12, at: 34))
        for text in ["", "12", ":", "@", "12:", "a:1", "12:1:2", "-1@2", "18446744073709551616:1"] {
            #expect(FileIdentity(text) == nil, "\(text)")
        }
    }

    @Test func onlyTheFileThatIsMeantIsRemoved() throws {
        let mine = try make("a")
        let theirs = try make("b")
        try folder.rename("b", to: "a", replaces: true)
        let paths = [try RelativePath("a"), try RelativePath("gone")]
        #expect(try folder.removeFiles(paths) { $1 == mine }.map(\.text) == ["a"])
        #expect(folder.identity(of: "a") == theirs)
        #expect(try folder.removeFiles(paths) { $1 == theirs } == [])
        #expect(!folder.contains("a"))
    }

    /// One removes its file while another puts its own in the place of it: that one stays, whichever comes first.
    @Test func whatIsPutThereMeanwhileStays() throws {
        let rounds = 500
        let path = temporary.path
        let turn = Monitor((begun: 0, ended: 0))
        try SystemThread.start(name: "replacer") {
            guard let other = try? Directory(path: path) else { return }
            for round in 1...rounds {
                _ = turn.wait { $0.begun >= round ? true : nil }
                if let file = try? other.createFile("new", .replacing) { close(file) }
                try? other.changing { () throws(SystemError) in try other.rename("new", to: "a", replaces: true) }
                turn.change { $0.ended = round }
            }
        }
        for round in 1...rounds {
            try folder.removeFile("a")
            let mine = try make("a")
            turn.change { $0.begun = round }
            _ = try folder.removeFiles([RelativePath("a")]) { $1 == mine }
            #expect(turn.wait(until: .after(.seconds(60))) { $0.ended >= round ? true : nil } == true)
            #expect(folder.contains("a"))
        }
    }

    @Test func aProcessThatHoldsOnIsNotWaitedForLong() throws {
        let holder = try Directory(path: temporary.path)
        #expect(holder.lock())
        let began = ContinuousClock.now
        // Once, and not for each of many changes.
        for _ in 0..<1_000 { #expect(try folder.changing { () throws(SystemError) in 1 } == 1) }
        #expect(ContinuousClock.now - began < .seconds(20))
    }
}
