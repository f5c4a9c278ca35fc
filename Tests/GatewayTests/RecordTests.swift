import APICore
import Bytewise
import Gateway
import Glibc
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

    private func later() throws -> RecordStore { try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out") }

    private func origin(_ path: String, at seconds: Int64 = 0) -> WriterOrigin {
        WriterOrigin(createdAt: Timestamp(secondsSinceEpoch: seconds, nanoseconds: 0), idempotencyKey: "=k\t\n", claim: .file(path), folder: "d")
    }

    private static let claims = "claims"

    /// Earlier versions had a file for each, and a half one for each that was being made when the server was killed.
    @Test func claimsOfEarlierVersionsAreTakenOver() throws {
        for id in ["w", "acme.v", "both", "same"] { try records.makeFolder(WriterID(key: id)!) }
        try records.note(origin("newer.wav", at: 9), of: WriterID("both")!)
        try records.note(origin("exact.wav", at: 7), of: WriterID("same")!)
        func file(_ path: String, _ key: String = "null") -> String {
            #"{"version":1,"created_at":"1970-01-01T00:00:07.000Z","idempotency_key":\#(key),"claim":{"kind":"file","path":"\#(path)"},"folder":null}"#
        }
        let earlier = try Directory(path: folder.path + "/state/origins")
        for (name, text) in [
            ("w", file("a.wav")), ("acme.v", file("b.wav", #""the key""#)), ("both", file("older.wav")), ("same", file("guess.wav")), ("gone", file("c.wav")),
            (".x.new", "{"), (".acme.x.new", "{"), ("damaged", "{"), ("not an id", "{"),
        ] { folder.write("state/origins/" + name, text) }
        for _ in 0..<2 {
            let later = try later()
            #expect(later.origin(of: writer)?.claim == .file("a.wav"))
            #expect(later.origin(of: WriterID(key: "acme.v")!)?.idempotencyKey == "the key")
            #expect(later.origin(of: WriterID("both")!)?.claim == .file("newer.wav"))
            #expect(later.origin(of: WriterID("same")!)?.claim == .file("exact.wav"))
            #expect(later.origin(of: WriterID("gone")!) == nil)
            #expect(try earlier.entries().sorted() == ["damaged", "not an id"])
        }
        for name in ["damaged", "not an id"] { try earlier.removeFile(name) }
        #expect(try later().origin(of: writer)?.claim == .file("a.wav"))
        #expect(try !Directory(path: folder.path + "/state").contains("origins"))
    }

    /// Wherever a server was killed in a line, and whichever of its bits turned over: the others stay, and the next are kept.
    @Test func aDamagedClaimIsOneWritersAlone() throws {
        let (second, third) = (WriterID("second")!, WriterID("third")!)
        for id in [writer, second, third] { try records.makeFolder(id) }
        try records.note(origin("first.wav"), of: writer)
        let one = folder.bytes("state/claims")!
        try records.note(origin("second.wav"), of: second)
        let whole = folder.bytes("state/claims")!
        let state = try Directory(path: folder.path + "/state")
        for place in one.count..<whole.count {
            var flipped = whole
            flipped[place] ^= 1 << UInt8(place % 8)
            for bytes in [Array(whole[..<place]), flipped] {
                try state.writeAtomically(Self.claims, bytes)
                let next = try later()
                #expect(next.origin(of: writer) == origin("first.wav") && next.origin(of: second) == nil, "\(place)")
                try next.note(origin("third.wav"), of: third)
                let afterwards = try later()
                #expect(afterwards.origin(of: writer) == origin("first.wav") && afterwards.origin(of: third) == origin("third.wav"), "\(place)")
            }
        }
    }

    /// The same where the file can't be written anew, as on a full disk.
    @Test func whatIsAddedDoesNotStandBehindHalfALine() throws {
        for id in ["w", "v"] { try records.makeFolder(WriterID(id)!) }
        try records.note(origin("first.wav"), of: writer)
        let state = try Directory(path: folder.path + "/state")
        try state.append(Array("0badbeef\t+\tv".utf8), to: Self.claims)
        try state.makeSubdirectory(".claims.new.new")
        try later().note(origin("v.wav"), of: WriterID("v")!)
        let afterwards = try later()
        #expect(afterwards.origin(of: writer) == origin("first.wav") && afterwards.origin(of: WriterID("v")!) == origin("v.wav"))
    }

    @Test func theLastClaimOfAWriterCountsWhileItIsThere() throws {
        try records.makeFolder(writer)
        try records.note(origin("a.wav"), of: writer)
        try records.note(origin("b.wav"), of: writer)
        #expect(try later().origin(of: writer)?.claim == .file("b.wav"))
        try records.removeFolder(writer)
        try records.makeFolder(writer)
        #expect(try later().origin(of: writer) == nil)
        try records.note(origin("c.wav"), of: writer)
        try Directory(path: folder.path + "/state/writers").removeSubdirectory("w")
        #expect(try later().origin(of: writer) == nil)
    }

    /// On a disk that takes nothing more, too.
    @Test func aWriterGoesThoughThatCanNotBeEntered() throws {
        try records.makeFolder(writer)
        try records.note(origin("a.wav"), of: writer)
        let state = try Directory(path: folder.path + "/state")
        let before = try state.readFile(Self.claims)
        try state.removeFile(Self.claims)
        try state.makeSubdirectory(Self.claims)
        try records.removeFolder(writer)
        #expect(records.origin(of: writer) == nil)
        try state.removeSubdirectory(Self.claims)
        try state.writeAtomically(Self.claims, before)
        #expect(try later().origin(of: writer) == nil)
    }

    @Test func linesThatCountNoMoreGoWithAStart() throws {
        try records.makeFolder(writer)
        try records.note(origin("kept.wav"), of: writer)
        for number in 0..<5_001 {
            let other = WriterID("other\(number)")!
            try records.note(origin("x.wav"), of: other)
            try records.removeFolder(other)
        }
        #expect(folder.bytes("state/claims")!.count > 300_000)
        #expect(try later().origin(of: writer) == origin("kept.wav"))
        #expect(folder.bytes("state/claims")!.count < 200)
    }

    @Test func aFileOfClaimsThatCanNotBeReadIsNotTakenForNone() throws {
        let (state, path) = (try Directory(path: folder.path + "/state"), folder.path + "/state/claims")
        try state.removeFile(Self.claims)
        for make in [{ _ = mkfifo(path, 0o600) }, { _ = mkdir(path, 0o700) }, { _ = symlink("ended", path) }] {
            make()
            #expect(throws: SystemError.self) { try later() }
            try state.removeSubdirectory(Self.claims)
        }
        #expect(throws: Never.self) { try later() }
    }

    /// A writer's first record, and wherever its encoder was killed in the last.
    @Test func ofARecordThatIsHalfWrittenTheOneBeforeItCounts() throws {
        try records.makeFolder(writer)
        let own = try Directory(path: records.folderPath(writer))
        let (one, last) = (record(.open).firstText, record(.closed).lastText)
        for length in 0...last.count {
            for zeros in [0, last.count - length, 4_096] {
                try own.writeAtomically(WriterRecord.fileName, one + last[..<length] + [UInt8](repeating: 0, count: zeros))
                // A part that ends like the whole is taken for damaged.
                let isKnown = length < last.count && (length == 0 || last[length - 1] != UInt8(ascii: "}"))
                let isWhole = length == last.count && zeros == 0
                #expect(records.record(of: writer)?.state == (isWhole ? .closed : isKnown ? .open : nil), "\(length) \(zeros)")
            }
        }
        // In the end it is JSON, which earlier versions and all other programs read.
        try own.writeAtomically(WriterRecord.fileName, one)
        try own.append(last, to: WriterRecord.fileName)
        #expect(WriterRecord(json: try JSONParser.parse(try own.readFile(WriterRecord.fileName)))?.state == .closed)
        // Theirs are read too.
        try own.writeAtomically(WriterRecord.fileName, record(.failed).json.encoded)
        #expect(records.record(of: writer)?.state == .failed)
        for length in 0..<one.count {
            try own.writeAtomically(WriterRecord.fileName, Array(one[..<length]))
            #expect(records.record(of: writer) == nil)
        }
        for place in 0..<last.count {
            var damaged = one + last
            damaged[one.count + place] = 1
            try own.writeAtomically(WriterRecord.fileName, damaged)
            #expect((records.record(of: writer) == nil) == (place < last.count - 1), "\(place)")
        }
    }

    /// Its line and that of its end were lost, as on a full disk or in a power loss.
    @Test func whatAWriterOfTheSameIdHadIsNotTheNextOnes() throws {
        try records.makeFolder(writer)
        try records.note(origin("old.wav", at: 7), of: writer)
        try records.save(record(.closed), of: writer)
        let later = try later()
        #expect(later.origin(of: writer) != nil)
        _ = later.findOfEarlierRun(writer)
        #expect(later.origin(of: writer) == nil)
        try later.note(origin("new.wav"), of: writer)
        _ = later.findOfEarlierRun(writer)
        #expect(later.origin(of: writer)?.claim == .file("new.wav"))
    }

    @Test func aClaimThatIsLostIsTakenFromTheIndex() throws {
        try records.makeFolder(writer)
        let end = Registry.End(state: .closed, at: Self.began, bytes: 1)
        var entry = EndedIndex.Entry(writer: writer, createdAt: Self.began, end: end, origin: origin("a.wav"))
        #expect(records.confirms(entry) && records.origin(of: writer) == origin("a.wav"))
        #expect(try later().origin(of: writer) == origin("a.wav"))
        entry.origin = origin("b.wav")
        #expect(!records.confirms(entry) && records.origin(of: writer) == origin("a.wav"))
        entry.origin = nil
        #expect(!records.confirms(entry))
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
