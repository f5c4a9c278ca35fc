import APICore
import Bytewise
import Foundation
import SystemIO
import Testing
import WriterAPI
import WriterModel

@Suite final class MuxerFolderTests {
    private let root: String
    private let outputs: Directory

    init() throws {
        var template = Array("/tmp/penstock-test-XXXXXX".utf8CString)
        root = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        outputs = try Directory(path: root + "/output")
        try FileManager.default.createDirectory(atPath: root + "/outside", withIntermediateDirectories: true)
        try Data("canary".utf8).write(to: URL(fileURLWithPath: root + "/outside/x"))
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Of one writer each.
    private func folder(
        _ dst: String = "show/live.m3u8", overwrites: Bool = false, _ writer: String = UUID().uuidString
    ) throws -> MuxerFolder {
        let own = try Directory(path: root + "/state/" + writer)
        return try MuxerFolder(of: dst, in: outputs, overwrites: overwrites, ledger: try FileLedger(in: own), folders: FolderLedger(in: own))
    }

    /// Two segments within a second of the clock by which they are named.
    @Test func withNamesOfTheClockOnlyListsAreWrittenAgain() throws {
        let folder = try folder()
        folder.writeEachOnce()
        for name in ["show/1205.ts", "show/live.m3u8", "show/live.m3u8", "show/1206.ts.tmp"] { try write(folder, name) }
        #expect(throws: SystemError.self) { try write(folder, "show/1205.ts") }
        try folder.rename("show/1206.ts.tmp", to: "show/1206.ts")
        try write(folder, "show/1206.ts.tmp")
        #expect(throws: SystemError.self) { try folder.rename("show/1206.ts.tmp", to: "show/1206.ts") }
        #expect(folder.takenName == "show/1205.ts")
        #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/output/show/1206.ts")) == Data("written".utf8))
    }

    private func ledger(_ writer: String) throws -> [String] {
        let own = try Directory(path: root + "/state/" + writer)
        return try #require(try FileLedger.read(in: own)).keys.sorted().map(\.text)
    }

    private func write(_ folder: MuxerFolder, _ name: String) throws {
        let file = FileHandle(fileDescriptor: try folder.open(name, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o666), closeOnDealloc: true)
        file.write(Data("written".utf8))
    }

    private func error(_ work: () throws -> Void) -> Int32? {
        do {
            try work()
            return nil
        } catch {
            return (error as? SystemError)?.number
        }
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: root + "/" + path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aMuxerMakesRenamesAndRemovesFilesInItsFolder() throws {
        let folder = try folder()
        try folder.makeFolder("show/v0")
        for name in ["show/live.m3u8.tmp", "show/v0/a.ts", "show/./b.ts"] { try write(folder, name) }
        try folder.rename("show/live.m3u8.tmp", to: "show/live.m3u8")
        try folder.remove("show/v0/a.ts")
        #expect(folder.files.map(\.path) == ["show/b.ts", "show/live.m3u8"])
        // Its own it writes again, and puts others in their place.
        try write(folder, "show/live.m3u8.tmp")
        try folder.rename("show/live.m3u8.tmp", to: "show/live.m3u8")
        try write(folder, "show/b.ts")
        try folder.rename("show/v0", to: "show/v1")
        try folder.removeFolder("show/v1")
        #expect(try outputs.subdirectory("show").entries().sorted() == ["b.ts", "live.m3u8"])
    }

    @Test func aFileOfAFolderThatIsRenamedKeepsItsOwner() throws {
        let folder = try folder()
        try folder.makeFolder("show/a")
        try write(folder, "show/a/x")
        try folder.rename("show/a", to: "show/b")
        #expect(folder.files.map(\.path) == ["show/b/x"])
        try folder.remove("show/b/x")
    }

    @Test func foldersAreMadeForAFileThatIsToLieInThem() throws {
        let folder = try folder()
        for name in ["show/a/b/0.ts", "show/a/b/1.ts", "show/a/c/0.ts"] { try write(folder, name) }
        #expect(folder.files.map(\.path) == ["show/a/b/0.ts", "show/a/b/1.ts", "show/a/c/0.ts"])
        // Its own, as the muxer may want them gone; reading makes none.
        try folder.remove("show/a/c/0.ts")
        try folder.removeFolder("show/a/c")
        #expect(error { _ = try folder.open("show/none/x", flags: O_RDONLY, mode: 0) } == ENOENT)
        #expect(try outputs.subdirectory("show").entries() == ["a"])
        // In the place of a folder lies a file.
        #expect(error { try write(folder, "show/a/b/0.ts/x") } == ENOTDIR)
    }

    @Test(arguments: ["live.m3u8", "other/x", "../x", "show/../x", "show/../../outside/x", "/tmp/x", "show", "", "showx/y", "show/.."])
    func namesElsewhereAreRefused(name: String) throws {
        let folder = try folder(overwrites: true)
        try write(folder, "show/mine")
        #expect(error { try write(folder, name) } == EXDEV)
        #expect(error { _ = try folder.open(name, flags: O_RDONLY, mode: 0) } == EXDEV)
        #expect(error { try folder.rename("show/mine", to: name) } == EXDEV)
        #expect(error { try folder.rename(name, to: "show/mine") } == EXDEV)
        #expect(error { try folder.remove(name) } == EXDEV)
        #expect(error { try folder.removeFolder(name) } == EXDEV)
        #expect(text("outside/x") == "canary")
        #expect(folder.files.map(\.path) == ["show/mine"])
    }

    @Test func theFolderItselfAndThoseAboveAreThereAlready() throws {
        let folder = try folder("a/b/%v/live.m3u8")
        for name in ["a", "a/b"] { #expect(error { try folder.makeFolder(name) } == EEXIST) }
        try folder.makeFolder("a/b/0")
        try write(folder, "a/b/0/live.m3u8")
        #expect(folder.files.map(\.path) == ["a/b/0/live.m3u8"])
    }

    @Test func whatTheWriterDidNotMakeIsLeftAlone() throws {
        let folder = try folder()
        let others = try self.folder()
        try write(others, "show/theirs")
        try write(folder, "show/mine")
        #expect(error { try write(folder, "show/theirs") } == EEXIST)
        #expect(error { try folder.rename("show/mine", to: "show/theirs") } == EEXIST)
        #expect(error { try folder.rename("show/theirs", to: "show/taken") } == EPERM)
        #expect(error { try folder.remove("show/theirs") } == EPERM)
        #expect(folder.files.map(\.path) == ["show/mine"])
        #expect(text("output/show/theirs") == "written")
    }

    // U+212A is K for Swift, and é may be one character or two.
    @Test(arguments: [("show/K0.ts", "show/\u{212A}0.ts"), ("show/\u{E9}.ts", "show/e\u{301}.ts"), ("show/a.ts", "show/A.ts")])
    func namesOfOtherBytesAreOthersFiles(theirs: String, mine: String) throws {
        let others = try self.folder()
        try write(others, theirs)
        let folder = try folder()
        try write(folder, mine)
        #expect(folder.files.map { Array($0.path.utf8) } == [Array(mine.utf8)])
        // Having made one of the two is no right to the other.
        #expect(error { try write(folder, theirs) } == EEXIST)
        #expect(error { try folder.remove(theirs) } == EPERM)
        #expect(error { try folder.rename(mine, to: theirs) } == EEXIST)
        try folder.remove(mine)
        #expect(try outputs.readFile(theirs) == Array("written".utf8))
    }

    @Test(arguments: ["show/../\u{301}x", "../\u{301}x", "/\u{301}x", "show/..\u{301}/../../x", "show/.penstock-w.new", "show/.PENSTOCK-/x"])
    func waysOutAndNamesOfTheServersAreRefusedByBytes(name: String) throws {
        let folder = try folder(overwrites: true)
        #expect(error { try write(folder, name) } == EXDEV)
        #expect(error { try folder.remove(name) } == EXDEV)
        #expect(error { try folder.makeFolder(name) } == EXDEV)
    }

    /// Names of pieces that have led somewhere: what the kernel says of each file that is made of one.
    @Test func whateverIsTakenLiesInTheFolder() throws {
        let pieces = [
            "show", "/", "/", "..", ".", "\u{301}", "\u{338}", "\u{200D}", "K", "\u{212A}", ".penstock-", "a", "%d", ":", "file:", "\\", " ",
            "\u{2024}", "\u{FF0F}", "\u{2215}", "sub", "link",
        ]
        try FileManager.default.createDirectory(atPath: root + "/output/show/sub", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + "/output/show/link", withDestinationPath: "sub")
        try FileManager.default.createSymbolicLink(atPath: root + "/output/link", withDestinationPath: root + "/outside")
        let folder = try folder(overwrites: true)
        var taken = 0
        for _ in 0..<20_000 {
            let name = "show/" + (0..<Int.random(in: 1...6)).map { _ in pieces.randomElement()! }.joined()
            guard let file = try? folder.open(name, flags: O_WRONLY | O_CREAT, mode: 0o666) else { continue }
            taken += 1
            let place = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(file)")
            close(file)
            #expect(place.utf8.starts(with: (root + "/output/show/").utf8), "\(name)")
            #expect(!place.contains("/.penstock-"), "\(name)")
            if Bool.random() { try folder.remove(name) }
        }
        #expect(taken > 100)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/outside") == ["x"])
        #expect(text("outside/x") == "canary")
    }

    @Test func aNameThatIsNoTextIsRefused() throws {
        let folder = try folder()
        let name: [CChar] = Array("show/a".utf8CString.dropLast()) + [CChar(truncatingIfNeeded: 0xC3), 0]
        #expect(error { _ = try folder.open(name, flags: O_WRONLY | O_CREAT, mode: 0o666) } == EILSEQ)
        #expect(try outputs.subdirectory("show").entries() == [])
    }

    @Test func whatAnotherHasPutInItsPlaceIsLeftAlone() throws {
        let folder = try folder()
        for name in ["show/a.ts", "show/b.ts", "show/c.ts"] { try write(folder, name) }
        let other = try self.folder(overwrites: true)
        try write(other, "show/a.ts")
        // Another program, by name.
        try FileManager.default.removeItem(atPath: root + "/output/show/c.ts")
        try Data("theirs".utf8).write(to: URL(fileURLWithPath: root + "/output/show/c.ts"))
        #expect(folder.files.map(\.path) == ["show/b.ts"])
        #expect(folder.replacedFile == "show/a.ts")
        #expect(error { try write(folder, "show/a.ts") } == EEXIST)
        #expect(error { try folder.remove("show/a.ts") } == EPERM)
        #expect(error { try folder.rename("show/b.ts", to: "show/a.ts") } == EEXIST)
        #expect(error { try folder.rename("show/c.ts", to: "show/d.ts") } == EPERM)
        #expect(text("output/show/c.ts") == "theirs")
        #expect(other.files.map(\.path) == ["show/a.ts"])
    }

    @Test func itsLedgerSaysWhatThereIs() throws {
        let folder = try folder("show/live.m3u8", "writer")
        for index in 0..<3_000 {
            try write(folder, "show/live.m3u8.tmp")
            try folder.rename("show/live.m3u8.tmp", to: "show/live.m3u8")
            try write(folder, "show/\(index).ts")
            if index >= 5 { try folder.remove("show/\(index - 5).ts") }
        }
        #expect(try ledger("writer") == (2_995..<3_000).map { "show/\($0).ts" } + ["show/live.m3u8"])
        let size = try #require(try Directory(path: root + "/state/writer").size(of: FileLedger.fileName))
        #expect(size < 256 * 1_024, "what is gone is left out")
    }

    @Test func overwritingReplacesLinksAndSecondNames() throws {
        let folder = try folder(overwrites: true)
        let inside = root + "/output/show/"
        try FileManager.default.createSymbolicLink(atPath: inside + "link", withDestinationPath: root + "/outside/x")
        try FileManager.default.linkItem(atPath: root + "/outside/x", toPath: inside + "name")
        for name in ["show/link", "show/name"] { try write(folder, name) }
        #expect(text("outside/x") == "canary")
        #expect(try outputs.readFile("show/link") == Array("written".utf8))
        #expect(text("output/show/name") == "written")
    }

    @Test(arguments: [false, true])
    func linksLeadNowhere(overwrites: Bool) throws {
        let folder = try folder(overwrites: overwrites)
        try FileManager.default.createSymbolicLink(atPath: root + "/output/show/sub", withDestinationPath: root + "/outside")
        #expect(error { try write(folder, "show/sub/new") } == ELOOP)
        #expect(error { _ = try folder.open("show/sub/x", flags: O_RDONLY, mode: 0) } == ELOOP)
        try write(folder, "show/mine")
        #expect(error { try folder.rename("show/mine", to: "show/sub/x") } == ELOOP)
        #expect(error { try folder.makeFolder("show/sub/new") } == ELOOP)
        #expect(error { try folder.remove("show/sub/x") } != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/outside") == ["x"])
        #expect(text("outside/x") == "canary")
    }

    @Test func aFolderThatLiesOutsideIsNone() throws {
        try FileManager.default.createSymbolicLink(atPath: root + "/output/out", withDestinationPath: root + "/outside")
        #expect([ELOOP, ENOTDIR].contains(error { _ = try folder("out/live.m3u8") }))
        #expect([ELOOP, ENOTDIR].contains(error { _ = try folder("out/sub/live.m3u8") }))
    }

    @Test func whatAMuxerOpensIsJudgedByItsName() throws {
        let folder = try folder("live/a.m3u8")
        let policy = OutputPolicy(patterns: ["https://h/*"])
        let opener = DestinationGuard(plan: .files("live/a.m3u8"), policy: policy, clientPolicy: .enforced, folder: folder)
        for name in ["live/a.m3u8", "live/a.m3u8.tmp", "live/a0.ts", "live/sub/a0.ts"] {
            #expect(opener.permission(toOpen: name) == .granted(protocols: ["file"]))
        }
        #expect(opener.permission(toOpen: "crypto:live/a0.ts") == .granted(protocols: ["crypto", "file"]))
        #expect(opener.permission(toOpen: "https://h/x") == .granted(protocols: ["https", "tls", "tcp"]))
        for name in [
            "a0.ts", "other/a0.ts", "../live/a0.ts", "/live/a0.ts", "live/../x", "live/./x", "file:live/a0.ts", "udp://h:1", "crypto:/etc/passwd",
            "crypto:file:live/x", "crypto+file:live/x", "concat:live/a", "subfile,,start,0,end,1,,:live/a", "data:,x", "pipe:1", "fd:1", "unix:live/s",
            "tee:live/a|live/b", "https://other/x", "",
        ] {
            guard case .refused(let reason) = opener.permission(toOpen: name) else {
                Issue.record("\(name) is granted")
                continue
            }
            #expect(!reason.isEmpty)
        }
        let file = DestinationGuard(plan: .file("live/a.mp4"), policy: policy, clientPolicy: .enforced, folder: nil)
        #expect(file.permission(toOpen: "live/b") != .granted(protocols: ["file"]))
        let unjudged = DestinationGuard(plan: .files("live/a.m3u8"), policy: policy, clientPolicy: .absent, folder: folder)
        #expect(unjudged.permission(toOpen: "/etc/passwd") == .granted(protocols: nil))
    }
}
