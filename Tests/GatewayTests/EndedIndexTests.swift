import APICore
import Bytewise
import Foundation
import Gateway
import SystemIO
import Testing
import WriterModel

/// The one file by which a start knows the writers that have ended.
@Suite struct EndedIndexTests {
    private let folder = TemporaryFolder()
    private let state: Directory

    init() throws { state = try Directory(path: folder.path + "/state") }

    private func index(boot: String = "b1") -> EndedIndex { EndedIndex(in: state, boot: boot) }

    private func entry(_ key: String, _ state: WriterState = .closed, claim: OutputClaim? = .managed("output.wav"), idempotencyKey: String? = nil, folder: String? = nil) -> EndedIndex.Entry {
        let createdAt = Timestamp(secondsSinceEpoch: 1_700_000_000, nanoseconds: 123_000_000)
        return EndedIndex.Entry(
            writer: WriterID(key: key)!, createdAt: createdAt,
            end: Registry.End(state: state, at: Timestamp(secondsSinceEpoch: 1_700_000_009, nanoseconds: 0), bytes: 44),
            origin: claim.map { WriterOrigin(createdAt: createdAt, idempotencyKey: idempotencyKey, claim: $0, folder: folder) })
    }

    private var bytes: [UInt8] { (try? state.readFile(EndedIndex.fileName)) ?? [] }

    @Test func whatIsNotedIsReadByTheNextServer() throws {
        let entries = [
            entry("a"), entry("acme.b", .failed, claim: .file("x/ü\n\ty\\z.mp4"), idempotencyKey: "", folder: "x"),
            entry("c", claim: .folder("")), entry("d", claim: .nothing, idempotencyKey: "k \\n"), entry("e", claim: nil),
            entry("f", claim: .several([.file("x/ü\n\ty\\z.mp4"), .managed("output.b.wav"), .nothing])),
        ]
        let first = index()
        #expect(first.load().isEmpty)
        for entry in entries { first.note(entry) }
        #expect(index().load() == Dictionary(uniqueKeysWithValues: entries.map { ($0.writer, $0) }))
    }

    @Test func theLastLineOfAWriterCounts() throws {
        let first = index()
        _ = first.load()
        for key in ["a", "b", "c"] { first.note(entry(key)) }
        first.forget([WriterID("a")!, WriterID("b")!])
        first.note(entry("b", .failed))
        #expect(index().load() == [WriterID("b")!: entry("b", .failed), WriterID("c")!: entry("c")])
    }

    /// Whichever bit turns over, and wherever the file is cut but at a line's end: no writer is taken from it, and what
    /// comes afterwards is kept.
    @Test func aDamagedOneSaysNothing() throws {
        let first = index()
        _ = first.load()
        for key in ["a", "acme.b"] { first.note(entry(key)) }
        let whole = bytes
        for place in 0..<whole.count * 2 {
            var damaged = whole
            if place < whole.count { damaged[place] ^= 1 << UInt8(place % 8) } else { damaged.removeLast(place - whole.count + 1) }
            let isCutAtEnd = place >= whole.count && (damaged.isEmpty || damaged.last == UInt8(ascii: "\n"))
            try state.writeAtomically(EndedIndex.fileName, damaged)
            let next = index()
            let read = next.load()
            if isCutAtEnd { #expect(read.count < 2) } else { #expect(read.isEmpty, "\(place)") }
            next.note(entry("later"))
            #expect(index().load()[WriterID("later")!] == entry("later"), "\(place)")
        }
    }

    /// A version that knows no index works on the folders between two that do.
    @Test func itSaysNothingOnceTheWritersFoldersHaveChanged() throws {
        let writers = try Directory(path: folder.path + "/writers")
        let first = EndedIndex(in: state, boot: "b1", watching: [writers])
        _ = first.load()
        first.note(entry("a"))
        first.conclude()
        let unchanged = EndedIndex(in: state, boot: "b1", watching: [writers])
        #expect(unchanged.load().count == 1)
        unchanged.conclude()
        // As though it were a day later: the file system's own clock may stand still meanwhile.
        try writers.makeSubdirectory("b")
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1_900_000_000)], ofItemAtPath: writers.path)
        #expect(EndedIndex(in: state, boot: "b1", watching: [writers]).load().isEmpty)
    }

    /// A power loss may take lines that were written: one that a writer is gone, for instance.
    @Test func linesOfAnotherBootCountOnlyWhereTheServerEndedWell() throws {
        let first = index(boot: "b1")
        _ = first.load()
        first.note(entry("a"))
        first.conclude()
        let second = index(boot: "b2")
        #expect(second.load().count == 1)
        second.note(entry("b"))
        #expect(index(boot: "b2").load().count == 2)
        #expect(index(boot: "b3").load().isEmpty)
        #expect(index(boot: "b3").load().isEmpty)
    }

    /// A line that can't be written would leave a writer that is gone.
    @Test func nothingIsLeftWhereALineCanNotBeAdded() throws {
        let first = index()
        _ = first.load()
        first.note(entry("a"))
        // In the way, as a full disk is.
        try state.removeFile(EndedIndex.fileName)
        try state.makeSubdirectory(EndedIndex.fileName)
        first.forget([WriterID("a")!])
        try state.removeSubdirectory(EndedIndex.fileName)
        first.note(entry("b"))
        #expect(index().load().isEmpty)
    }

    @Test func aRewrittenOneHasWhatCameMeanwhile() throws {
        let first = index()
        _ = first.load()
        for round in 0..<20_002 { first.note(entry("w\(round % 2)")) }
        #expect(first.isLong(for: 2))
        first.rewrite {
            first.note(entry("late"))
            first.forget([WriterID("w1")!])
            return [entry("w0"), entry("w1")]
        }
        #expect(!first.isLong(for: 2))
        #expect(index().load() == [WriterID("w0")!: entry("w0"), WriterID("late")!: entry("late")])
        #expect(bytes.count < 1_000)
    }
}
