import APICore
import Bytewise
import Gateway
import SystemIO
import Testing
import WriterModel

/// Folders that one writer made and others have written to.
@Suite struct LeftFolderTests {
    private let folder = TemporaryFolder()
    private let outputs: Directory

    init() throws { outputs = try Directory(path: folder.path + "/out") }

    private func store() throws -> RecordStore { try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/out") }

    private func make(_ name: String, _ file: String, in records: RecordStore) throws -> WriterID {
        let writer = try #require(WriterID(name))
        try records.makeFolder(writer)
        try records.note(WriterOrigin(createdAt: .now(), claim: .file(file)), of: writer)
        let folders = FolderLedger(in: try Directory(path: records.folderPath(writer)))
        try outputs.makeParents(of: file) { folders.note($0, is: $1) }
        try outputs.append([1], to: file)
        return writer
    }

    private func remove(_ writer: WriterID, _ file: String, from records: RecordStore) throws {
        try outputs.removeFile(file)
        try records.removeFolder(writer)
    }

    /// `g3/` stayed for good.
    @Test func theLastWriterTakesTheFolderOfTheFirstAlong() throws {
        var records = try store()
        let first = try make("first", "g3/a/x.wav", in: records)
        let second = try make("second", "g3/a/y.wav", in: records)
        let third = try make("third", "g3/z.wav", in: records)
        try remove(first, "g3/a/x.wav", from: records)
        #expect(outputs.contains("g3/a/y.wav"))
        // Another server goes on with it.
        records = try store()
        try remove(second, "g3/a/y.wav", from: records)
        #expect(!outputs.contains("g3/a") && outputs.contains("g3/z.wav"))
        try remove(third, "g3/z.wav", from: records)
        #expect(!outputs.contains("g3"))
    }

    /// Its server was killed before the writer claimed its file: its folders stayed for good.
    @Test func aWriterThatWasNeverMadeTakesItsFoldersAlong() throws {
        try outputs.makeParents(of: "before/file")
        let before = try outputs.subdirectory("before")
        let records = try store()
        let other = try make("other", "n/y.wav", in: records)
        let writer = try #require(WriterID("w"))
        try records.makeFolder(writer)
        let folders = FolderLedger(in: try Directory(path: records.folderPath(writer)))
        try outputs.makeParents(of: "n/d/e/x.wav") { folders.note($0, is: $1) }
        // What an encoder says it made, and did not.
        folders.note(try RelativePath("before"), is: try #require(FileIdentity(of: before.descriptor)))
        try records.removeFolder(writer)
        #expect(!outputs.contains("n/d") && outputs.contains("n/y.wav") && outputs.contains("before"))
        try remove(other, "n/y.wav", from: records)
        #expect(!outputs.contains("n"))
    }

    @Test func whatWasThereBeforeOrHasTakenTheNameStays() throws {
        let records = try store()
        try outputs.makeParents(of: "before/file")
        let first = try make("first", "before/g3/x.wav", in: records)
        let second = try make("second", "before/g3/y.wav", in: records)
        try remove(first, "before/g3/x.wav", from: records)
        try outputs.removeFile("before/g3/y.wav")
        // So that the new one is no file that was given the old one's number.
        try outputs.makeParents(of: "before/other/file")
        try outputs.removeFolder("before/g3")
        try outputs.makeParents(of: "before/next/file")
        try outputs.makeParents(of: "before/g3/file")
        try records.removeFolder(second)
        #expect(outputs.contains("before/g3"))
    }
}
