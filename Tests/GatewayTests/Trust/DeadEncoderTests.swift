import APICore
import Bytewise
import Gateway
import Glibc
import SystemIO
import Testing
import WriterModel

/// What is left of writers whose encoders have died.
@Suite struct DeadEncoderTests {
    private static let process: Int32 = 2_000_000_000

    private func plant(_ scene: GatewayScene, _ path: String, _ text: String) throws {
        try Directory(path: scene.folder.path + "/output").makeParents(of: path)
        scene.folder.write("output/" + path, text)
    }

    /// Killed before any client was told of the writer, with its file made and in the ledger.
    @Test(arguments: [OutputClaim.file("k/w.wav"), .folder("k"), .managed("output.wav")])
    func nothingIsLeftOfAWriterWhoseEncoderDiesWhileItIsMade(claim: OutputClaim) throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(claim), as: encoder)
        try plant(scene, "k/w.wav", "its own")
        try plant(scene, "k/other.wav", "another's")
        try scene.note(["k/w.wav"], as: encoder)
        scene.folder.write("state/writers/w/output.wav", "its own")
        scene.end(encoder, process: Self.process)
        #expect(scene.registry[encoder.writer] == nil)
        #expect((scene.folder.text("output/k/w.wav") == nil) == (claim != .managed("output.wav")))
        #expect(scene.folder.text("output/k/other.wav") == "another's")
        #expect(try scene.records.all() == [])
        #expect(scene.records.origin(of: encoder.writer) == nil)
        _ = try scene.start("w")
    }

    /// Its first record is kept, and what lay at its name is replaced already: that is not given back.
    @Test func aWriterIsMadeOnceItsFirstRecordIsKept() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.file("k/w.wav")), as: encoder)
        try plant(scene, "k/w.wav", "its own")
        try scene.note(["k/w.wav"], as: encoder)
        try scene.records.save(GatewayScene.snapshot("w"), of: encoder.writer)
        scene.end(encoder, process: Self.process)
        #expect(scene.folder.text("output/k/w.wav") == "its own")
        #expect(try scene.ask("GET", "/v1/writers/w").text.contains("\"failed\""))
        #expect(try scene.ask("DELETE", "/v1/writers/w").status == 200)
        #expect(scene.folder.text("output/k/w.wav") == nil)
    }

    /// It was to replace a file, and another's lies there.
    @Test func anUnfinishedOutputGoesAndTheFileItWasToReplaceStays() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.file("k/w.wav")), as: encoder)
        try plant(scene, "k/w.wav", "another's")
        try plant(scene, "k/.penstock-w.new", "its own")
        let outputs = try Directory(path: scene.folder.path + "/output")
        let ledger = try FileLedger(in: Directory(path: scene.records.folderPath(encoder.writer)))
        try ledger.note(RelativePath("k/w.wav"), is: try #require(outputs.identity(of: "k/.penstock-w.new")))
        scene.end(encoder, process: Self.process)
        #expect(scene.folder.text("output/k/.penstock-w.new") == nil)
        #expect(scene.folder.text("output/k/w.wav") == "another's")
        #expect(try scene.records.all() == [])
    }

    /// Of several, each has a name of its own until the writer opens; what a carrier has made is in its own ledger.
    @Test func unfinishedOutputsOfOneWriterGoAll() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.several([.file("k/a.wav"), .file("k/b.wav"), .folder("show"), .managed("output.m.wav")])), as: encoder)
        for name in ["k/a.wav", "k/b.wav"] { try plant(scene, name, "another's") }
        for name in ["k/.penstock-w.new", "k/.penstock-w+1.new", "show/live.ts"] { try plant(scene, name, "its own") }
        try plant(scene, "show/other.ts", "another's")
        scene.folder.write("state/writers/w/output.m.wav", "its own")
        let outputs = try Directory(path: scene.folder.path + "/output")
        let ledger = try FileLedger(in: Directory(path: scene.records.folderPath(encoder.writer) + "/" + OutputLedgers.folder(ofOutput: 2)))
        try ledger.note(RelativePath("show/live.ts"), is: try #require(outputs.identity(of: "show/live.ts")))
        scene.end(encoder, process: Self.process)
        for name in ["k/.penstock-w.new", "k/.penstock-w+1.new", "show/live.ts"] { #expect(scene.folder.text("output/" + name) == nil, "\(name)") }
        for name in ["k/a.wav", "k/b.wav", "show/other.ts"] { #expect(scene.folder.text("output/" + name) == "another's") }
        #expect(try scene.records.all() == [])
    }

    @Test func whatLiesInTheWayOfANewWritersFolderGoes() throws {
        let scene = try GatewayScene()
        let writers = try Directory(path: scene.folder.path + "/state/writers")
        try writers.makeParents(of: "a/b/c/file")
        scene.folder.write("state/writers/a/b/c/file", "x")
        scene.folder.write("state/writers/b", "x")
        scene.folder.link("state/writers/c", to: "/etc")
        for id in ["a", "b", "c"] { _ = try scene.start(id) }
        #expect(try writers.subdirectory("a").entries() == [])
        #expect(access("/etc/passwd", F_OK) == 0)
        // One whose encoder holds on to it stays.
        try writers.makeSubdirectory("held")
        let held = try writers.subdirectory("held")
        #expect(held.lock())
        withExtendedLifetime(held) {
            _ = #expect(throws: Problem.self) { _ = try scene.start("held") }
        }
        #expect(scene.registry[WriterID("held")!] == nil)
    }

    /// It was waited for, as one is whose process has yet to be told of.
    @Test(arguments: [true, false])
    func aWriterThatCouldNotBeForkedIsGoneAtOnce(isToldFirst: Bool) throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let failure = ForkReport.forkFailed(.encoder(encoder.writer), reason: "no memory")
        if isToldFirst { scene.report(failure) }
        encoder.socket.finishSending()
        scene.hear(encoder)
        #expect((scene.registry[encoder.writer] == nil) == isToldFirst)
        if !isToldFirst { scene.report(failure) }
        #expect(scene.registry[encoder.writer] == nil)
        #expect(try scene.records.all() == [])
    }

    private func snapshot() -> WriterRecord {
        var record = GatewayScene.snapshot("w")
        record.resource["streams"] = [["frames": 5, "frames_encoded": 4, "offset": 10, "next_pts": .number(0.5)], ["offset": 7]]
        record.resource["bytes_written"] = 100
        return record
    }

    private func failed(_ note: (ProgressMarks) -> Void) throws -> JSONObject {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.nothing), as: encoder)
        scene.say(.snapshot(snapshot()), as: encoder)
        note(ProgressMarks(encoder.marks))
        scene.end(encoder, process: Self.process)
        let record = try #require(scene.records.record(of: encoder.writer))
        #expect(record.state == .failed)
        return record.resource
    }

    @Test func whatAnEncoderNotedLastIsInItsWritersRecord() throws {
        let resource = try failed { marks in
            for last in Int64(1)...9 { marks.note(.init(frames: last * 10, framesEncoded: last * 9, offset: last * 20, nextPTS: Double(last) + 0.5), of: 0) }
            marks.bytesWritten = 5_000
        }
        #expect(resource["streams"] == [["frames": 90, "frames_encoded": 81, "offset": 180, "next_pts": .number(9.5)], ["offset": 7]])
        #expect(resource["bytes_written"] == 5_000)
    }

    /// An encoder that was taken over writes there what it likes.
    @Test func notedCountersOnlyGoOn() throws {
        let lies: [ProgressMarks.Stream] = [
            .init(frames: -1, framesEncoded: .min, offset: 9, nextPTS: .nan), .init(frames: 0, framesEncoded: 0, offset: -5, nextPTS: -.infinity),
            .init(frames: 4, framesEncoded: 3, offset: .min, nextPTS: 0.25), .init(frames: 5, framesEncoded: 4, offset: 10, nextPTS: .infinity),
        ]
        for lie in lies {
            let resource = try failed { marks in
                marks.note(lie, of: 0)
                marks.bytesWritten = -7
            }
            #expect(resource["streams"] == snapshot().resource["streams"], "\(lie)")
            #expect(resource["bytes_written"] == 100)
        }
        let largest = try failed { $0.note(.init(frames: .max, framesEncoded: .max, offset: .max, nextPTS: .greatestFiniteMagnitude), of: 1) }
        #expect(largest["streams"]?.arrayValue?[1].objectValue?["offset"] == .integer(.max))
        // More streams than there are, and none of that number.
        _ = try failed { marks in
            for index in [-1, 400, 455, 10_000, .max] { marks.note(lies[0], of: index) }
        }
    }
}
