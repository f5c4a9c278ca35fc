import APICore
import Bytewise
import Gateway
import Glibc
import HTTP1
import HTTPServer
import SystemIO
import Testing
import WriterModel

/// Ended writers whose files are no longer theirs, or were never said to be.
@Suite struct OwnershipTests {
    let folder = TemporaryFolder()
    let records: RecordStore
    let outputs: Directory
    let writer = WriterID("w")!

    init() throws {
        records = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out")
        outputs = try Directory(path: folder.path + "/out")
        try records.makeFolder(writer)
        // Of everything there, so that the file alone decides.
        try claim(.folder(""))
    }

    func claim(_ claim: OutputClaim, of writer: WriterID? = nil) throws {
        try records.note(WriterOrigin(createdAt: .now(), claim: claim), of: writer ?? self.writer)
    }

    func record(_ files: [String], created: String = "", ended: String = "") -> WriterRecord {
        WriterRecord(
            resource: ["id": "w", "state": "closed", "created_at": .string(created), "ended_at": .string(ended)],
            managedFile: nil, outputFiles: files, mediaType: "video/mp4", creationFingerprint: "")
    }

    func ledger(_ writer: WriterID? = nil) throws -> FileLedger {
        try FileLedger(in: try Directory(path: records.folderPath(writer ?? self.writer)))
    }

    func write(_ name: String, _ text: String) throws { try outputs.writeAtomically(name, Array(text.utf8)) }

    func made(_ name: String, _ text: String, _ ledger: FileLedger) throws {
        try write(name, text)
        try ledger.note(RelativePath(name), is: try #require(outputs.identity(of: name)))
    }

    func text(_ name: String) -> String? {
        (try? outputs.readFile(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func output(_ record: WriterRecord) throws -> Result<Response, Problem> {
        let head = try head("GET", "/")
        return Result { () throws(Problem) in
            try EndedWriter(writer: writer, record: record, records: records)
                .response(to: .getOutput, stream: nil, head: head)
        }
    }

    func refusal(_ record: WriterRecord) throws -> ProblemCode? {
        if case .failure(let problem) = try output(record) { problem.code } else { nil }
    }

    @Test func aFileThatAnotherHasReplacedIsNeitherServedNorRemoved() throws {
        try made("x.mp4", "mine", try ledger())
        #expect(try refusal(record(["x.mp4"])) == nil)
        // As "overwrite" does: another file takes the name.
        try write("x.mp4", "theirs")
        #expect(try refusal(record(["x.mp4"])) == .outputReplaced)
        #expect(try records.remove(writer, record(["x.mp4"])).left == ["x.mp4"])
        #expect(text("x.mp4") == "theirs")
    }

    @Test func aFileThatWasRenamedOrMadeAnewUnderItsNameIsNot() throws {
        try made("x.mp4", "mine", try ledger())
        try outputs.rename("x.mp4", to: "kept.mp4", replaces: false)
        #expect(try refusal(record(["x.mp4"])) == .outputReplaced)
        #expect(try records.remove(writer, record(["x.mp4"])).left == [])
        #expect(text("kept.mp4") == "mine")
    }

    @Test func aFileWithASecondNameIsServedAndLosesItsOwn() throws {
        try made("x.mp4", "mine", try ledger())
        #expect(link("\(folder.path)/out/x.mp4", "\(folder.path)/out/second.mp4") == 0)
        #expect(try refusal(record(["x.mp4"])) == nil)
        #expect(try records.remove(writer, record(["x.mp4"])).left == [])
        #expect(text("x.mp4") == nil)
        #expect(text("second.mp4") == "mine")
    }

    @Test func ofManyFilesOnlyTheWritersAreRemoved() throws {
        let ledger = try ledger()
        let names = (0..<6_000).map { "\($0).ts" }
        for name in names { try made(name, "mine", ledger) }
        for name in ["7.ts", "4242.ts"] { try write(name, "theirs") }
        let began = ContinuousClock.now
        #expect(try records.remove(writer, record(names)).left == ["7.ts", "4242.ts"])
        #expect(ContinuousClock.now - began < .seconds(10))
        #expect(try outputs.entries().sorted() == ["4242.ts", "7.ts"])
    }

    /// Canonically equivalent names, and a way out that no character of Swift's is a ".." in; also where the
    /// very name was claimed.
    @Test(arguments: ["\u{212A}0.ts", "../\u{301}victim", "/\u{301}victim", "a/../../\u{301}victim"], [true, false])
    func recordsAreReadByBytes(name: String, isClaimed: Bool) throws {
        if isClaimed { try claim(.file(name)) }
        let ledger = try ledger()
        try made("K0.ts", "mine", ledger)
        try write("\u{212A}0.ts", "theirs")
        try Directory(path: folder.path).writeAtomically("\u{301}victim", Array("secret".utf8))
        _ = try records.remove(writer, record([name]))
        #expect(text("\u{212A}0.ts") == "theirs")
        // Its own by its ledger, and below what it claimed.
        #expect(text("K0.ts") == (isClaimed ? "mine" : nil))
        #expect(folder.text("\u{301}victim") == "secret")
    }

    @Test(arguments: ["../secret", "/etc/passwd", ".penstock-other.new", "link/x", "link"], [true, false])
    func whatAWriterCannotHaveMadeIsNotServed(name: String, isClaimed: Bool) throws {
        if isClaimed { try claim(.file(name)) }
        folder.write("secret", "secret")
        try outputs.makeSubdirectory("real")
        try write(".penstock-other.new", "theirs")
        folder.write("out/real/x", "theirs")
        folder.link("out/link", to: "real")
        _ = try ledger()
        #expect([.notFound, .outputReplaced].contains(try refusal(record([name]))))
        _ = try records.remove(writer, record([name]))
        #expect(folder.text("secret") == "secret")
        #expect(text(".penstock-other.new") == "theirs")
        #expect(folder.text("out/real/x") == "theirs")
    }

    // MARK: Records of versions that kept no ledger

    private func moment(_ seconds: Int64) -> String {
        Timestamp(secondsSinceEpoch: WallClock.now().seconds + seconds, nanoseconds: 0).description
    }

    @Test func withoutALedgerFilesMadeWhileTheWriterLivedAreIts() throws {
        try write("x.mp4", "mine")
        let lived = record(["x.mp4"], created: moment(-60), ended: moment(60))
        #expect(try refusal(lived) == nil)
        #expect(try records.remove(writer, lived).left == [])
        #expect(text("x.mp4") == nil)
    }

    @Test(arguments: [(-120, -60), (60, 120)])
    func withoutALedgerFilesMadeBeforeOrAfterAreNot(began: Int64, ended: Int64) throws {
        try write("x.mp4", "theirs")
        let elsewhen = record(["x.mp4"], created: moment(began), ended: moment(ended))
        #expect(try refusal(elsewhen) == .outputReplaced)
        #expect(try records.remove(writer, elsewhen).left == ["x.mp4"])
        #expect(text("x.mp4") == "theirs")
    }

    @Test(arguments: ["", "yesterday"])
    func withoutALedgerOrTimesNothingIsTheWriters(created: String) throws {
        try write("x.mp4", "theirs")
        #expect(try records.remove(writer, record(["x.mp4"], created: created)).left == ["x.mp4"])
        #expect(text("x.mp4") == "theirs")
    }

    // MARK: The ledger

    /// A ledger that can't be read is not one that was never kept.
    @Test func withALedgerThatCannotBeReadNothingIsServedAndNoOutputRemoved() throws {
        try write("x.mp4", "theirs")
        folder.link("state/writers/w/files", to: "elsewhere")
        let lived = record(["x.mp4"], created: moment(-60), ended: moment(60))
        #expect(try refusal(lived) != nil)
        #expect(try records.remove(writer, lived).left == ["x.mp4"])
        #expect(text("x.mp4") == "theirs")
    }

    @Test func aDamagedLedgerClaimsNothingMore() throws {
        let ledger = try ledger()
        try made("a.ts", "mine", ledger)
        try made("b.ts", "mine", ledger)
        let own = try Directory(path: records.folderPath(writer))
        let whole = try own.readFile(FileLedger.fileName)
        for cut in 0..<whole.count {
            try own.writeAtomically(FileLedger.fileName, Array(whole[..<cut]))
            let claims = try #require(try FileLedger.read(in: own))
            #expect(claims.count <= (cut < whole.firstIndex(of: 0x0A)! + 1 ? 0 : 1))
        }
        for line in ["[]", "{}", "[1,2]", "[\"../x\",\"1:2\"]", "[\"x\",\"one\"]", "\u{0}", "[\"x\""] {
            try own.writeAtomically(FileLedger.fileName, Array((line + "\n").utf8))
            #expect(try FileLedger.read(in: own)?.isEmpty == true, "\(line)")
        }
    }

    @Test func linesThatFoundNoRoomAreWrittenWithTheNext() throws {
        let ledger = try ledger()
        let own = try Directory(path: records.folderPath(writer))
        // In the way of every write, as a full disk is.
        try own.removeFile(FileLedger.fileName)
        try own.makeSubdirectory(FileLedger.fileName)
        #expect(throws: SystemError.self) { try made("a.ts", "", ledger) }
        try own.removeSubdirectory(FileLedger.fileName)
        try made("b.ts", "", ledger)
        #expect(try FileLedger.read(in: own)?.count == 2)
    }
}
