import APICore
import Bytewise
import Gateway
import HTTPServer
import SystemIO
import Testing
import WriterModel

/// A file is a writer's that claimed it and made it: one without the other is not enough.
extension OwnershipTests {
    /// Of the right file, which another may have claimed by its name: where a ledger is forged.
    @Test(arguments: [OutputClaim.nothing, .managed("output.mp4"), .file("y.mp4"), .folder("show"), nil])
    func aFileThatWasNotClaimedIsNeitherServedNorRemoved(claim: OutputClaim?) throws {
        let liar = WriterID("liar")!
        try records.makeFolder(liar)
        if let claim { try self.claim(claim, of: liar) }
        try made("x.mp4", "theirs", try ledger(liar))
        let head = try head("GET", "/")
        #expect(throws: Problem.self) {
            try EndedWriter(writer: liar, record: record(["x.mp4"]), records: records).response(to: .getOutput, stream: nil, head: head)
        }
        #expect(try records.remove(liar, record(["x.mp4"])).left == [])
        #expect(text("x.mp4") == "theirs")
    }

    @Test func aFileThatAnotherClaimedByItsNameIsNotOfWhoClaimedItsFolder() throws {
        let other = WriterID("other")!
        try records.makeFolder(other)
        try claim(.file("x.mp4"), of: other)
        // A forged ledger: it names the very file.
        let (mine, theirs) = (try ledger(), try ledger(other))
        try made("x.mp4", "theirs", theirs)
        try mine.note(RelativePath("x.mp4"), is: try #require(outputs.identity(of: "x.mp4")))
        try made("y.mp4", "mine", mine)
        #expect(try refusal(record(["x.mp4"])) == .outputReplaced)
        #expect(try records.remove(writer, record(["x.mp4", "y.mp4"])).left == ["x.mp4"])
        #expect(text("x.mp4") == "theirs" && text("y.mp4") == nil)
        #expect(try records.remove(other, record(["x.mp4"])).left == [])
        #expect(text("x.mp4") == nil)
    }

    @Test func ofTwoThatClaimedOneNameEachHasItsFile() throws {
        let other = WriterID("other")!
        try records.makeFolder(other)
        for writer in [writer, other] { try claim(.file("x.mp4"), of: writer) }
        try made("x.mp4", "mine", try ledger())
        try made("x.mp4", "theirs", try ledger(other))
        #expect(try refusal(record(["x.mp4"])) == .outputReplaced)
        #expect(try records.remove(writer, record(["x.mp4"])).left == ["x.mp4"])
        #expect(try records.remove(other, record(["x.mp4"])).left == [])
        #expect(text("x.mp4") == nil)
    }

    /// Of several outputs each is served by its name, where the writer claimed and made it.
    @Test func outputsAreServedByTheirNames() throws {
        try claim(.several([.file("x.mp4"), .managed("output.b.wav"), .nothing, .folder("show")]))
        try made("x.mp4", "mine", try ledger())
        try outputs.makeParents(of: "show/x")
        folder.write("out/show/a.ts", "mine too")
        let carriers = try FileLedger(in: try Directory(path: records.folderPath(writer) + "/" + OutputLedgers.folder(ofOutput: 3)))
        try carriers.note(RelativePath("show/a.ts"), is: try #require(outputs.identity(of: "show/a.ts")))
        folder.write("out/y.mp4", "theirs")
        folder.write("state/writers/w/output.b.wav", "managed")
        var record = record(["x.mp4", "show/a.ts"])
        record.outputs = [
            RecordedOutput(name: "a", file: "x.mp4", mediaType: "video/mp4"), RecordedOutput(name: "b", managedFile: "output.b.wav", mediaType: "audio/x-wav"),
            RecordedOutput(name: "c", mediaType: "video/mp4"), RecordedOutput(name: "d", file: "show/a.ts", mediaType: "video/MP2T"),
        ]
        let lies = [RecordedOutput(name: "e", file: "y.mp4", mediaType: "a/b"), RecordedOutput(name: "f", managedFile: "record.json", mediaType: "<b>")]
        record.outputs += lies
        try records.save(record, of: writer)
        let kept = try #require(records.record(of: writer))
        let head = try head("GET", "/")
        func get(_ name: String) throws -> Result<Response, Problem> {
            Result { () throws(Problem) in
                try EndedWriter(writer: writer, record: kept, records: records).response(to: .getNamedOutput, stream: nil, output: name, head: head)
            }
        }
        for (name, text) in [("a", "mine"), ("b", "managed"), ("d", "mine too")] { #expect(body(try get(name).get()) == text) }
        let managed = try get("b").get()
        #expect(managed.field("Content-Type") == "audio/x-wav" && managed.field("Content-Disposition") == "attachment; filename=\"w.wav\"")
        for name in ["c", "e", "f"] {
            guard case .failure(let problem) = try get(name) else { return #expect(Bool(false), "\(name)") }
            #expect(problem.code == .notFound && problem.detail.hasPrefix("The output \(name) can't be read here"))
        }
        guard case .failure(let unknown) = try get("other") else { return #expect(Bool(false)) }
        #expect(unknown.code == .outputNotFound && unknown.supported == ["a", "b", "c", "d", "e", "f"])
        let removed = try records.remove(writer, kept)
        #expect(removed.removed.sorted() == ["show/a.ts", "x.mp4"] && removed.managedBytes == 7)
        #expect(text("y.mp4") == "theirs")
    }

    /// One output's file has taken the name of another's, each with a ledger of its own.
    @Test func fileThatReplacedAnotherOfTheSameWriterIsItsToo() throws {
        try claim(.several([.file("a0.ts"), .folder("")]))
        try made("a0.ts", "first", try ledger())
        try outputs.removeFile("a0.ts")
        folder.write("out/a0.ts", "second")
        let carriers = try FileLedger(in: try Directory(path: records.folderPath(writer) + "/" + OutputLedgers.folder(ofOutput: 1)))
        try carriers.note(RelativePath("a0.ts"), is: try #require(outputs.identity(of: "a0.ts")))
        #expect(records.bytesKept(by: writer) == 6)
        let removed = try records.remove(writer, record(["a0.ts"]))
        #expect(removed.removed == ["a0.ts"] && removed.left == [])
        #expect(text("a0.ts") == nil)
    }

    /// The paths of a token's writers begin in its folder, and those of their ledgers and claims above it.
    @Test(arguments: [OutputClaim.file("x.mp4"), .folder("")])
    func filesOfAWriterInItsOwnersFolderAreIts(claim: OutputClaim) throws {
        try outputs.makeParents(of: "acme/x")
        try outputs.makeParents(of: "beta/x")
        try self.claim(claim.inside("acme"))
        for name in ["x.mp4", "beta/x.mp4", "acme/x.mp4"] { folder.write("out/" + name, "theirs") }
        let ledger = try FileLedger(in: try Directory(path: records.folderPath(writer)), below: RelativePath("acme"))
        try ledger.note(RelativePath("x.mp4"), is: try #require(outputs.identity(of: "acme/x.mp4")))
        let names = ["x.mp4", "beta/x.mp4", "acme/x.mp4"]
        for name in names.dropLast() { #expect(try refusal(record([name])) == .notFound) }
        #expect(try refusal(record(["acme/x.mp4"])) == nil)
        #expect(records.withFiles(record([]), of: writer).outputFiles == ["acme/x.mp4"])
        #expect(try records.remove(writer, record(names)).left == [])
        #expect(text("acme/x.mp4") == nil && text("x.mp4") == "theirs" && text("beta/x.mp4") == "theirs")
    }
}
