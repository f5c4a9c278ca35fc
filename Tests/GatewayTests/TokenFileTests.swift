import Gateway
import Glibc
import Synchronization
import SystemIO
import Testing
import Threading
import WriterModel

/// When the token file is read, and when it isn't yet.
@Suite struct TokenFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path + "/tokens" }

    private func numbers(_ lines: TokenLines?) -> [Int]? { lines?.lines.map(\.number) }

    @Test func aFileWithoutTokensIsNotAnOpenDoor() throws {
        folder.write("tokens", "# none yet\n\n")
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: path).read() }
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: folder.path + "/missing").read() }
        folder.write("tokens", "without-its-newline")
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: path).read() }
    }

    @Test func aFlawNamesTheLineAndNotTheToken() {
        folder.write("tokens", "one\ns3cret admin\n")
        do {
            _ = try TokenFile(path: path).read()
            Issue.record("it was read")
        } catch {
            #expect("\(error)".contains("line 2") && !"\(error)".contains("s3cret"), "\(error)")
        }
    }

    @Test func aFileThatIsTooLargeIsRefused() {
        folder.write("tokens", String(repeating: "#23456789abcdef\n", count: TokenFile.maxBytes / 16 + 1))
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: path).read() }
    }

    @Test func aPipeInPlaceOfTheFileIsNotWaitedFor() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: path)
        #expect(numbers(try file.read()) == [1])
        #expect(unlink(path) == 0 && mkfifo(path, 0o600) == 0)
        let said = Monitor<[String]>([])
        try SystemThread.start(name: "reader") {
            for _ in 0..<4 {
                do {
                    let lines = try file.readIfChanged()
                    said.change { $0.append(lines == nil ? "nothing" : "lines") }
                } catch {
                    said.change { $0.append("\(error)") }
                }
            }
        }
        #expect(said.wait(until: .after(.seconds(60))) { $0.count == 4 ? true : nil } == true)
        // Said once, at the second look.
        #expect(said.withLock { $0.map { $0.contains("no regular file") } } == [false, true, false, false])
        // The reader that hangs in the open is let go.
        close(Glibc.open(path, O_WRONLY | O_NONBLOCK))
        unlink(path)
        folder.write("tokens", "one\ntwo\n")
        _ = try file.readIfChanged()
        #expect(numbers(try file.readIfChanged()) == [1, 2])
    }

    @Test func aPipeIsReadAtTheStart() throws {
        var pair: [Int32] = [-1, -1]
        #expect(pipe(&pair) == 0)
        let reading = Descriptor(owning: pair[0])
        let writing = pair[1]
        try SystemThread.start(name: "writer") {
            for text in ["one\n", "two\n"] {
                SystemThread.sleep(.milliseconds(30))
                _ = text.withCString { write(writing, $0, 4) }
            }
            close(writing)
        }
        let file = TokenFile(path: "/dev/fd/\(reading.number)")
        #expect(numbers(try file.read()) == [1, 2])
    }

    @Test func aSaltIsOfOneServerAlone() throws {
        folder.write("tokens", "one\n")
        #expect(try TokenFile(path: path).read() != TokenFile(path: path).read())
    }

    @Test func aChangeCountsOnceItHasStoodFromOneLookToTheNext() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: path)
        #expect(numbers(try file.read()) == [1])
        for _ in 0..<3 { #expect(try file.readIfChanged() == nil) }
        folder.write("tokens", "one\ntwo\n")
        #expect(try file.readIfChanged() == nil)
        #expect(numbers(try file.readIfChanged()) == [1, 2])
        // Written on from look to look, it is not read.
        for count in 3...9 {
            folder.write("tokens", String(repeating: "x", count: count) + "\n")
            #expect(try file.readIfChanged() == nil)
        }
        #expect(numbers(try file.readIfChanged()) == [1])
        #expect(try file.readIfChanged() == nil)
    }

    @Test func aFileThatBecomesUnusableIsToldOfOnce() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: path)
        _ = try file.read()
        for text in ["", "one admin\n", "one"] {
            folder.write("tokens", text)
            #expect(try file.readIfChanged() == nil)
            #expect(throws: TokenFile.Unusable.self) { try file.readIfChanged() }
            for _ in 0..<3 { #expect(try file.readIfChanged() == nil) }
        }
        folder.write("tokens", "\nthree\n")
        #expect(try file.readIfChanged() == nil)
        #expect(numbers(try file.readIfChanged()) == [2])
    }

    @Test func aFileThatCouldNotBeReadIsReadAgain() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: path)
        _ = try file.read()
        // There is something, and it can't be read: as when no descriptor is left.
        try Directory(path: folder.path).removeFile("tokens")
        try Directory(path: folder.path).makeSubdirectory("tokens")
        #expect(try file.readIfChanged() == nil)
        for _ in 0..<2 { #expect(throws: TokenFile.Unusable.self) { try file.readIfChanged() } }
    }

    /// Byte by byte and in place, until a hundred reads have met it: what is read is a state that was meant or a part
    /// of its lines, never a part of a line.
    @Test func noReadOfAFileThatIsBeingWrittenFindsPartOfALine() throws {
        let whole = Array("first-token name=acme scope=read\nsecond-token read\n".utf8)
        folder.write("tokens", String(decoding: whole, as: UTF8.self))
        let file = TokenFile(path: path)
        let full = try file.read().lines
        let isDone = Monitor(false)
        let reads = Mutex(0)
        try SystemThread.start(name: "reader") { [path] in
            _ = path
            while !isDone.withLock({ $0 }) {
                guard let lines = try? file.readNow().lines else { continue }
                reads.withLock { $0 += 1 }
                #expect(lines == Array(full.prefix(lines.count)))
            }
        }
        let limit = Deadline.after(.seconds(60))
        while reads.withLock({ $0 }) <= 100 && !limit.hasPassed {
            let number = open(path, O_WRONLY | O_TRUNC)
            for byte in whole { withUnsafeBytes(of: byte) { _ = Glibc.write(number, $0.baseAddress, 1) } }
            close(number)
        }
        isDone.change { $0 = true }
        #expect(reads.withLock { $0 } > 100)
        #expect(try file.read().lines == full)
    }
}
