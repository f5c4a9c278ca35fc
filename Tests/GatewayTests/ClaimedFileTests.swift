import APICore
import Bytewise
import Gateway
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
