import Glibc
import SystemIO
import Testing
import Threading

@Suite struct DirectoryTests {
    private let outside = TemporaryFolder()
    private let inside = TemporaryFolder()
    private let folder: Directory

    init() throws {
        folder = try Directory(path: inside.path)
        outside.write("secret", "secret")
    }

    private func refusal(_ work: () throws -> Void) -> SystemError? {
        do {
            try work()
            return nil
        } catch {
            return error as? SystemError
        }
    }

    @Test(arguments: [
        "../x", "a/../../x", "a/..", "..", "a/../b", "/tmp/x", "/", "../\u{301}x", "a/../../\u{338}x", "/\u{301}x",
    ])
    func pathsThatLeadOutAreRefused(path: String) throws {
        try folder.makeSubdirectory("a")
        #expect(refusal { _ = try folder.createFile(path, .replacing) }?.leadsOutside == true)
        #expect(refusal { _ = try folder.openFile(path) }?.leadsOutside == true)
        #expect(refusal { try folder.makeParents(of: path) }?.leadsOutside == true)
        #expect(refusal { try folder.removeFile(path) }?.leadsOutside == true)
        #expect(refusal { _ = try folder.subdirectory(path) }?.leadsOutside == true)
        #expect(refusal { try folder.makeSubdirectory(path) }?.leadsOutside == true)
        #expect(try folder.entries() == ["a"])
    }

    /// ".." is a name of two bytes between slashes, also where a mark combines with the slash behind it.
    @Test func marksDoNotHideAWayOut() throws {
        let sibling = inside.path + "-sibling"
        try Directory(path: sibling).writeAtomically("\u{301}x", Array("secret".utf8))
        defer {
            unlink(sibling + "/\u{301}x")
            rmdir(sibling)
        }
        let name = "../\(sibling.split(separator: "/").last!)/\u{301}x"
        #expect(refusal { try folder.removeFile(name) }?.leadsOutside == true)
        #expect(refusal { _ = try folder.openFile(name) }?.leadsOutside == true)
        #expect(refusal { try folder.rename(name, to: "stolen", replaces: true) }?.leadsOutside == true)
        #expect(access(sibling + "/\u{301}x", F_OK) == 0)
    }

    /// UAX #15: equal for Swift, three files for the kernel.
    @Test(arguments: [["K", "\u{212A}", "k"], ["\u{E9}", "e\u{301}", "\u{C9}"], ["a;", "a\u{37E}", "A;"]])
    func namesOfOtherBytesAreOtherFiles(names: [String]) throws {
        for (index, name) in names.enumerated() { try folder.writeAtomically(name, [UInt8(index)]) }
        #expect(try folder.entries().count == names.count)
        for (index, name) in names.enumerated() { #expect(try folder.readFile(name) == [UInt8(index)]) }
        try folder.removeFile(names[1])
        #expect(folder.contains(names[0]) && !folder.contains(names[1]) && folder.contains(names[2]))
    }

    @Test func whatAStringOfCCouldNotHoldIsRefused() {
        #expect(refusal { _ = try folder.createFile("a\0/../../b", .replacing) }?.number == EINVAL)
    }

    @Test func linksThatLeadOutAreRefused() throws {
        inside.link("folder", to: outside.path)
        inside.link("file", to: outside.path + "/secret")
        inside.link("up", to: "..")
        for path in ["folder/secret", "file", "up/x"] {
            #expect(refusal { _ = try folder.openFile(path) }?.goesThroughLink == true, "\(path)")
            #expect(refusal { _ = try folder.createFile(path, .replacing) }?.goesThroughLink == true, "\(path)")
        }
        #expect(refusal { try folder.makeParents(of: "folder/new/x") } != nil)
        #expect(refusal { try folder.removeFile("folder/secret") } != nil)
        #expect(outside.text("secret") == "secret")
    }

    /// One that stays beneath would make two names of one file, of which only one shows whose it is.
    @Test func linksThatStayBeneathAreNotFollowed() throws {
        try folder.makeSubdirectory("real")
        inside.write("real/x", "ours")
        inside.link("alias", to: "real")
        inside.link("file", to: "real/x")
        #expect(refusal { _ = try folder.createFile("alias/new", .onlyIfAbsent) }?.goesThroughLink == true)
        #expect(refusal { _ = try folder.openFile("alias/x") }?.goesThroughLink == true)
        #expect(refusal { _ = try folder.openFile("file") }?.goesThroughLink == true)
        #expect(refusal { _ = try folder.subdirectory("alias") } != nil)
        #expect(refusal { try folder.makeParents(of: "alias/sub/x") } != nil)
        #expect(refusal { try folder.removeFile("alias/x") } != nil)
        #expect(refusal { try folder.rename("real/x", to: "alias/y", replaces: true) } != nil)
        #expect(folder.kind(of: "file") == .link)
        #expect(folder.kind(of: "alias/x") == nil)
        #expect(folder.size(of: "file") == nil)
        #expect(try folder.subdirectory("real").entries() == ["x"])
    }

    /// What leads to the folder is the operator's.
    @Test func theFolderItselfMayBeALink() throws {
        inside.link("alias", to: outside.path)
        #expect(try Directory(path: inside.path + "/alias").readFile("secret") == Array("secret".utf8))
    }

    /// A folder in the path becomes a link outward and back, all the while files are opened through it.
    @Test func aLinkSwappedInMidPathLeadsNowhere() throws {
        try folder.makeSubdirectory("real")
        inside.write("real/secret", "ours")
        inside.link("link", to: outside.path)
        let path = inside.path
        let state = Monitor((isDone: false, hasEnded: false))
        try SystemThread.start(name: "swapper") {
            while !state.withLock({ $0.isDone }) {
                rename("\(path)/real", "\(path)/kept")
                rename("\(path)/link", "\(path)/real")
                rename("\(path)/real", "\(path)/link")
                rename("\(path)/kept", "\(path)/real")
            }
            state.change { $0.hasEnded = true }
        }
        var opened = 0
        var tries = 0
        let deadline = ContinuousClock.now + .seconds(20)
        // At least once, however seldom a busy machine lets the two threads take turns.
        while tries < 5_000 || (opened == 0 && ContinuousClock.now < deadline) {
            tries += 1
            guard let bytes = try? folder.readFile("real/secret") else { continue }
            opened += 1
            #expect(String(decoding: bytes, as: UTF8.self) == "ours")
        }
        state.change { $0.isDone = true }
        #expect(state.wait(until: .after(.seconds(60))) { $0.hasEnded ? true : nil } == true)
        #expect(opened > 0)
    }

    @Test func aListingIsOfTheFolderThatWasOpened() throws {
        try folder.makeSubdirectory("a")
        let opened = try folder.subdirectory("a")
        inside.write("a/ours", "")
        rename("\(inside.path)/a", "\(inside.path)/b")
        inside.link("a", to: outside.path)
        #expect(try opened.entries() == ["ours"])
    }

    @Test func aFileIsReplacedWholeAndLeavesNothingBeside() throws {
        try folder.writeAtomically("record", Array("one".utf8))
        try folder.writeAtomically("record", Array("second".utf8))
        #expect(inside.text("record") == "second")
        #expect(try folder.entries() == ["record"])
    }

    @Test func aWriteThatFailsLeavesNoTemporaryFile() throws {
        // A folder can't be replaced by a file.
        try folder.makeSubdirectory("record")
        #expect(refusal { try folder.writeAtomically("record", [1]) } != nil)
        #expect(try folder.entries() == ["record"])
    }

    @Test func anExistingFileIsNotTakenForANewOne() throws {
        close(try folder.createFile("x", .onlyIfAbsent))
        #expect(refusal { _ = try folder.createFile("x", .onlyIfAbsent) }?.isAlreadyThere == true)
    }

    @Test func addedBytesStandAtTheEnd() throws {
        try folder.append(Array("one".utf8), to: "log")
        try folder.append(Array("two".utf8), to: "log")
        #expect(inside.text("log") == "onetwo")
        #expect(try folder.readFile("log", most: 4) == Array("onet".utf8))
    }

    @Test func aFolderIsRemovedWithItsFiles() throws {
        try folder.makeParents(of: "a/b/c")
        inside.write("a/b/c", "")
        try folder.subdirectory("a").removeSubdirectory("b")
        try folder.removeSubdirectory("a")
        try folder.removeSubdirectory("a")
        #expect(try folder.entries().isEmpty)
    }

    /// flock(2) belongs to the open folder, not to the process: it lasts until its last copy is closed.
    @Test func aLockLastsUntilTheLastCopyIsClosed() throws {
        let copy: Int32
        do {
            let holder = try Directory(path: inside.path)
            #expect(holder.lock())
            #expect(!folder.lock())
            copy = dup(holder.descriptor)
        }
        #expect(!folder.lock())
        close(copy)
        #expect(folder.lock())
    }
}
