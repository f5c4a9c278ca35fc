import APICore
import Bytewise
import Gateway
import HTTP1
import HTTPServer
import SystemIO
import Testing
import WriterModel

@Suite struct RecordTests {
    private let folder = TemporaryFolder()
    private let records: RecordStore
    private let writer = WriterID("w")!

    init() throws { records = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out") }

    /// They had stayed for good, one for each writer that was being made.
    @Test func claimsThatWereBeingWrittenWhenAServerWasKilledGoAtTheNextStart() throws {
        try records.note(WriterOrigin(createdAt: Self.began, claim: .file("a.wav")), of: writer)
        for name in [".v.new", ".acme.v.new", ".w.new", ".not an id.new", "v.new", ".v"] { folder.write("state/origins/" + name, "{") }
        let later = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out")
        #expect(later.origin(of: writer)?.claim == .file("a.wav"))
        #expect(try Directory(path: folder.path + "/state/origins").entries().sorted() == [".not an id.new", ".v", "v.new", "w"])
    }

    /// As the writer's encoder does: what lies there now is the writer's.
    private func claim(_ files: String..., by writer: WriterID? = nil) throws {
        let ledger = try FileLedger(in: try Directory(path: records.folderPath(writer ?? self.writer)))
        let outputs = try Directory(path: folder.path + "/out")
        for file in files {
            try ledger.note(RelativePath(file), is: try #require(outputs.identity(of: file)))
        }
    }

    private func record(
        _ state: WriterState = .closed, managed: String? = nil, files: [String] = [], fingerprint: String = ""
    ) -> WriterRecord {
        WriterRecord(
            resource: ["id": "w", "state": .string(state.rawValue), "created_at": .string(Self.began.description), "streams": [["offset": 12], ["offset": 34]]],
            managedFile: managed, outputFiles: files, mediaType: "video/mp4", creationFingerprint: fingerprint)
    }

    private static let began = Timestamp(secondsSinceEpoch: 0, nanoseconds: 0)

    private func claim(_ claim: OutputClaim) throws { try records.note(WriterOrigin(createdAt: Self.began, claim: claim), of: writer) }

    private func ended(_ record: WriterRecord) -> EndedWriter { EndedWriter(writer: writer, record: record, records: records) }

    @Test func aRecordIsKeptAndFoundByAnotherStore() throws {
        try records.makeFolder(writer)
        try claim(.folder("a"))
        try records.save(record(files: ["a/b"]), of: writer)
        let other = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out")
        #expect(other.record(of: writer) == record(files: ["a/b"]))
        #expect(try other.all() == [writer])
        #expect(other.record(of: WriterID("x")!) == nil)
    }

    @Test func aRecordThatFoundNoRoomIsAnsweredAndWrittenLater() throws {
        try records.makeFolder(writer)
        try records.save(record(.open), of: writer)
        let other = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out")
        // In the way of every write, as a full disk is.
        let own = try Directory(path: folder.path + "/state/writers/w")
        try own.makeSubdirectory(".record.json.new")
        #expect(throws: SystemError.self) { try records.save(record(.failed), of: writer) }
        records.keep(record(.failed), of: writer)
        records.writeUnwritten()
        #expect(records.record(of: writer)?.state == .failed)
        #expect(other.record(of: writer)?.state == .open)
        try own.removeSubdirectory(".record.json.new")
        records.writeUnwritten()
        #expect(records.unwrittenCount == 0)
        #expect(other.record(of: writer)?.state == .failed)
    }

    @Test func aRecordOfARemovedWriterIsWrittenNoMore() throws {
        try records.makeFolder(writer)
        records.keep(record(.failed), of: writer)
        try records.remove(writer, nil)
        #expect(records.record(of: writer) == nil)
        records.keep(record(.failed), of: writer)
        records.writeUnwritten()
        #expect(records.unwrittenCount == 0)
        #expect(try records.all() == [])
    }

    @Test func aDamagedRecordIsNone() throws {
        try records.makeFolder(writer)
        for text in ["", "{", "[]", "{\"version\":1}", "{\"version\":2,\"writer\":{}}"] {
            folder.write("state/writers/w/record.json", text)
            #expect(records.record(of: writer) == nil)
        }
    }

    @Test func aFolderIsMadeOnceAndRemovedWithAllOutputs() throws {
        try records.makeFolder(writer)
        #expect(throws: SystemError.self) { try records.makeFolder(writer) }
        try Directory(path: folder.path + "/out").makeParents(of: "a/x")
        folder.write("out/a/x", "x")
        folder.write("out/a/other", "other")
        folder.write("state/writers/w/output.mp4", "y")
        try claim(.folder("a"))
        try claim("a/x")
        try records.remove(writer, record(files: ["a/x", "a/gone"]))
        #expect(folder.text("out/a/x") == nil)
        #expect(folder.text("out/a/other") == "other")
        #expect(try records.all() == [])
    }

    @Test func aFolderAnEncoderHasLockedIsHeld() throws {
        try records.makeFolder(writer)
        #expect(!records.isHeld(writer))
        let encoders = try Directory(path: records.folderPath(writer))
        #expect(encoders.lock())
        #expect(records.isHeld(writer))
    }

    @Test func anEndedWriterShowsItselfAndItsOffsets() throws {
        let ended = ended(record())
        let request = try head("GET", "/")
        #expect(try ended.response(to: .getWriter, stream: nil, head: request).json == .object(record().resource))
        #expect(try ended.response(to: .finalizeWriter, stream: nil, head: request).status == .ok)
        let offset = try ended.response(to: .getUploadOffset, stream: 1, head: request)
        #expect(offset.field("Upload-Offset") == "34")
        #expect(offset.status == .noContent)
        #expect(problem { _ = try ended.response(to: .getUploadOffset, stream: 2, head: request) }?.code == .streamNotFound)
    }

    @Test(arguments: [WriterOperation.addStream, .setMetadata, .openWriter, .writeChunk, .requestKeyFrame, .changeStream, .flushWriter])
    func anEndedWriterTakesNothingMore(operation: WriterOperation) throws {
        let request = try head("POST", "/")
        let found = problem { _ = try ended(record()).response(to: operation, stream: 0, head: request) }
        #expect(found?.code == .wrongState)
        #expect(found?.extras.first { $0.name == "state" }?.value == "closed")
    }

    @Test func aFailedWriterIsNotFinalized() throws {
        let request = try head("POST", "/")
        let failed = record(.failed).failed(with: Problem(.noSpace, "full"), at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0))
        let found = problem { _ = try ended(failed).response(to: .finalizeWriter, stream: nil, head: request) }
        #expect(found?.code == .wrongState)
        #expect(found?.extras.first { $0.name == "failure" }?.value.objectValue?["status"] == 507)
    }

    @Test func theOutputIsServedWholeAndInRanges() throws {
        try Directory(path: folder.path + "/out").makeParents(of: "a/x")
        folder.write("out/a/x.mp4", "0123456789")
        try records.makeFolder(writer)
        try claim(.file("a/x.mp4"))
        try claim("a/x.mp4")
        let ended = ended(record(files: ["a/x.mp4"]))
        func get(_ field: String = "X: y") throws -> Response {
            let request = try head("GET", "/", field)
            return try ended.response(to: .getOutput, stream: nil, head: request)
        }
        let whole = try get()
        #expect(body(whole) == "0123456789")
        #expect(whole.field("Content-Type") == "video/mp4")
        #expect(whole.field("Content-Disposition") == "attachment; filename=\"x.mp4\"")
        let range = try get("Range: bytes=2-4")
        #expect(body(range) == "234")
        #expect(range.status == .partialContent)
        #expect(range.field("Content-Range") == "bytes 2-4/10")
        #expect(body(try get("Range: bytes=-3")) == "789")
        #expect(problem { _ = try get("Range: bytes=10-") }?.code == .rangeNotSatisfiable)
    }

    @Test func anOutputThatIsGoneOrNotOneFileIsNotFound() throws {
        try records.makeFolder(writer)
        let request = try head("GET", "/")
        for record in [record(files: ["gone"]), record(files: ["a", "b"]), record(files: ["../x"]), record()] {
            #expect(problem { _ = try ended(record).response(to: .getOutput, stream: nil, head: request) }?.code == .notFound)
        }
    }

    // RFC 6266 §4.1 and its appendix D; RFC 8187 §3.2.
    @Test(arguments: [
        ("x.mp4", #"attachment; filename="x.mp4""#), (#"a"b\c.mp4"#, #"attachment; filename="a\"b\\c.mp4""#),
        ("é x", #"attachment; filename="_ x"; filename*=UTF-8''%C3%A9%20x"#),
    ])
    func fileNamesAreQuoted(name: String, field: String) { #expect(Response.contentDisposition(name) == field) }

    @Test func aRepeatedCreationIsToldFromAnother() throws {
        let request: JSONValue = ["format": "mp4", "dst": "a"]
        let ended = ended(record(fingerprint: CreationFingerprint.of(request)))
        let same = try ended.response(toCreation: ["dst": "a", "format": "mp4"])
        #expect(same.status == .ok)
        #expect(same.field("Location") == "/v1/writers/w")
        #expect(problem { _ = try ended.response(toCreation: ["format": "mp4"]) }?.code == .writerExists)
        #expect(problem { _ = try ended.response(toCreation: nil) }?.code == .writerExists)
    }
}
