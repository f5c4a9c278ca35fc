import HTTPServer
import Gateway
import Glibc
import SystemIO
import Testing
import Threading
import WriterModel

/// What an encoder says is believed as far as a client's body is.
@Suite struct TrustTests {
    private func record(_ id: String, _ state: WriterState, files: [String], managed: String? = nil) -> WriterRecord {
        var record = GatewayScene.snapshot(id, state)
        record.outputFiles = files
        record.managedFile = managed
        return record
    }

    private func plant(_ scene: GatewayScene, _ path: String, _ text: String = "victim") throws {
        try Directory(path: scene.folder.path + "/output").makeParents(of: path)
        scene.folder.write("output/" + path, text)
    }

    @Test func countersAtTheirLargestStopNobody() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        var counts = MetricCounts()
        (counts.bodyBytesRead, counts.bodyBytesSent, counts.framesTaken, counts.framesEncoded, counts.bytesWritten) = (.max, .max, .max, .max, .max)
        counts.cpuSeconds = .greatestFiniteMagnitude
        counts.answers = [.init(route: "getWriter", status: 200): .max, .init(route: "x\"} 1\nevil{a=\"", status: 200): 5, .init(route: "other", status: .max): 5]
        let histogram = #"{"counts":[\#(Array(repeating: "9223372036854775807", count: 16).joined(separator: ","))],"sum":1e308}"#
        let text = String(decoding: ControlMessage.metrics(counts).encoded.dropFirst(), as: UTF8.self)
            .replacing(#""durations":{}"#, with: #""durations":{"getWriter":\#(histogram),"evil\n":\#(histogram)}"#)
        let message = [ControlMessage.metrics(counts).encoded[0]] + Array(text.utf8)
        #expect(ControlMessage(message) != nil)
        for _ in 0..<3 {
            #expect(encoder.socket.send(message) == .sent)
            scene.hear(encoder)
        }
        let metrics = try scene.ask("GET", "/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.text.contains("penstock_http_requests_total{route=\"getWriter\",status=\"200\",outcome=\"complete\"} 9.22"))
        #expect(metrics.text.contains("penstock_http_request_duration_seconds_count{route=\"getWriter\"} 9.22"))
        #expect(!metrics.text.contains("evil"))
        #expect(scene.metrics.current.framesTaken == .max)
    }

    @Test func negativeCountsCountNothing() throws {
        let scene = try GatewayScene()
        var counts = MetricCounts()
        (counts.framesTaken, counts.bytesWritten, counts.cpuSeconds) = (-5, .min, -1)
        counts.answers = [.init(route: "getWriter", status: 200): -3]
        (counts.problems, counts.failures, counts.tallies) = (["not-found": -1], ["no-space": .min], [.audioBytesReceived: -7])
        scene.say(.metrics(counts), as: try scene.start("w"))
        #expect(scene.metrics.current.framesTaken == 0 && scene.metrics.current.bytesWritten == 0 && scene.metrics.current.cpuSeconds == 0)
        #expect(scene.metrics.current.answers.values.allSatisfy { $0 == 0 })
        let all = scene.metrics.current
        #expect((Array(all.problems.values) + Array(all.failures.values) + Array(all.tallies.values)).allSatisfy { $0 == 0 })
    }

    /// By a record of a file that another has claimed, of one beyond the folder, of one that climbs out; with a
    /// ledger that says it made them.
    @Test(arguments: [OutputClaim.file("mine.wav"), .folder("mine"), .folder(""), .managed("output.wav"), .nothing])
    func filesOfOthersAreNotRemovedAtAnEncodersWord(claim: OutputClaim) throws {
        let scene = try GatewayScene()
        let victim = try scene.start("victim")
        scene.say(.claim(.file("others/victim.wav")), as: victim)
        scene.say(.snapshot(GatewayScene.snapshot("victim")), as: victim)
        try plant(scene, "others/victim.wav")
        for path in ["mine/a.ts", "mine.wav"] { try plant(scene, path, "its own") }
        scene.folder.write("outside", "victim")
        let liar = try scene.start("liar")
        scene.say(.claim(claim), as: liar)
        scene.say(.snapshot(GatewayScene.snapshot("liar")), as: liar)
        let lies = ["others/victim.wav", "../outside", "mine/../others/victim.wav", "mine/../../outside", "/etc/passwd", "mine/a.ts", "mine.wav", ""]
        try scene.note(["others/victim.wav", "mine/a.ts", "mine.wav"], as: liar)
        try scene.records.save(record("liar", .closed, files: lies, managed: "../victim/record.json"), of: liar.writer)
        scene.say(.concluded(.closed), as: liar)
        let output = try scene.ask("GET", "/v1/writers/liar/output")
        #expect([404, 410].contains(output.status) || output.text.hasSuffix("its own"), "\(output.text)")
        let deleted = try scene.ask("DELETE", "/v1/writers/liar")
        #expect(deleted.status == 200)
        #expect(deleted.text.contains("victim.wav") == (claim == .folder("")), "\(deleted.text)")
        #expect(scene.folder.text("output/others/victim.wav") == "victim")
        #expect(scene.folder.text("outside") == "victim")
        // Its own are gone.
        #expect((scene.folder.text("output/mine/a.ts") == nil) == (claim == .folder("mine") || claim == .folder("")))
        #expect((scene.folder.text("output/mine.wav") == nil) == (claim == .file("mine.wav") || claim == .folder("")))
        #expect(try scene.ask("GET", "/v1/writers").text.contains("victim"))
    }

    /// The same of its word in messages, when it dies without a record of its own.
    @Test func filesOfOthersAreNotRemovedForADeadEncoder() throws {
        let scene = try GatewayScene()
        try plant(scene, "others/victim.wav")
        let liar = try scene.start("liar")
        scene.say(.claim(.folder("mine")), as: liar)
        try scene.records.save(record("liar", .open, files: ["others/victim.wav"]), of: liar.writer)
        var lie = String(decoding: ControlMessage.snapshot(GatewayScene.snapshot("liar")).encoded, as: UTF8.self)
        lie.replace(#""output_files":[]"#, with: #""output_files":["others/victim.wav"]"#)
        #expect(liar.socket.send(Array(lie.utf8)) == .sent)
        try scene.note(["others/victim.wav"], as: liar)
        scene.end(liar, process: 2_000_000_001)
        #expect(try scene.ask("GET", "/v1/writers/liar").text.contains("\"state\":\"failed\""))
        #expect(try scene.ask("DELETE", "/v1/writers/liar").status == 200)
        #expect(scene.folder.text("output/others/victim.wav") == "victim")
    }

    @Test func whatWasClaimedOutlivesTheGatewayAndNoRecordChangesIt() throws {
        let scene = try GatewayScene()
        for path in ["others/victim.wav", "mine.wav"] { try plant(scene, path) }
        let liar = try scene.start("liar")
        scene.say(.claim(.file("mine.wav")), as: liar)
        try scene.note(["others/victim.wav", "mine.wav"], as: liar)
        try scene.records.save(record("liar", .closed, files: ["others/victim.wav", "mine.wav"]), of: liar.writer)
        scene.say(.concluded(.closed), as: liar)
        let later = try RecordStore(stateDirectory: scene.folder.path + "/state", outputDirectory: scene.folder.path + "/output")
        #expect(later.origin(of: liar.writer)?.claim == .file("mine.wav"))
        try later.remove(liar.writer, later.record(of: liar.writer))
        #expect(scene.folder.text("output/mine.wav") == nil)
        #expect(scene.folder.text("output/others/victim.wav") == "victim")
        #expect(later.origin(of: liar.writer) == nil)
    }

    /// A writer that was said to be there before its claim was on disk was no one's after the next start.
    @Test func aClaimIsAcknowledgedOnceItIsOnDisk() throws {
        let scene = try GatewayScene()
        func receipt(_ encoder: GatewayScene.Encoder) -> ControlMessage? {
            guard case .message(let bytes, _) = encoder.socket.receive(waiting: false) else { return nil }
            return ControlMessage(bytes)
        }
        let encoder = try scene.start("w")
        #expect(receipt(encoder) == nil)
        scene.say(.claim(.file("mine.wav")), as: encoder)
        #expect(receipt(encoder) == .claimReceipt(.kept))
        #expect(scene.folder.text("state/claims")?.contains("mine.wav") == true)
        // Nothing is added to a folder.
        let state = try Directory(path: scene.folder.path + "/state")
        try state.removeFile("claims")
        try state.makeSubdirectory("claims")
        let unlucky = try scene.start("v")
        scene.say(.claim(.file("other.wav")), as: unlucky)
        #expect(receipt(unlucky) == .claimReceipt(.notKept))
        scene.say(.discarded, as: unlucky)
        #expect(scene.records.origin(of: unlucky.writer) == nil)
    }

    /// Records of a version that kept no claims and no ledgers are its own, and so are the files made while it lived.
    @Test func writersOfAnEarlierVersionKeepTheirFiles() throws {
        let folder = TemporaryFolder()
        let state = try Directory(path: folder.path + "/state/writers")
        let outputs = try Directory(path: folder.path + "/output")
        try outputs.makeParents(of: "show/sub/x")
        func moment(_ seconds: Int64) -> JSONValue {
            .string(Timestamp(secondsSinceEpoch: WallClock.now().seconds + seconds, nanoseconds: 0).description)
        }
        let writers = [("one", ["a.wav"]), ("many", ["show/a.ts", "show/sub/b.ts"]), ("two", ["b.wav", "c.wav"]), ("old", ["theirs.wav"])]
        for (id, files) in writers {
            try state.makeSubdirectory(id)
            var record = record(id, .closed, files: files)
            record.resource["created_at"] = moment(-120)
            record.resource["ended_at"] = moment(id == "old" ? -60 : 60)
            if files.count > 1 { record.resource["result"] = ["files": .array(files.map { .string($0) })] }
            try state.subdirectory(id).writeAtomically(WriterRecord.fileName, record.json.encoded)
            for file in files { folder.write("output/" + file, "x") }
        }
        let records = try RecordStore(stateDirectory: folder.path + "/state", outputDirectory: folder.path + "/output")
        #expect(records.origin(of: WriterID("many")!)?.claim == .folder("show"))
        for (id, files) in writers {
            let writer = WriterID(id)!
            let record = try #require(records.record(of: writer))
            #expect(try records.remove(writer, record).left == (id == "old" ? files : []))
        }
        #expect(folder.text("output/theirs.wav") == "x")
        for file in ["a.wav", "show/a.ts", "show/sub/b.ts", "b.wav", "c.wav"] { #expect(folder.text("output/" + file) == nil, "\(file)") }
    }

    @Test func aRecordThatIsNoneStopsNoDeletion() throws {
        let scene = try GatewayScene()
        for (index, text) in ["", "{", "[" + String(repeating: "0,", count: 1_000_001) + "0]", "{\"version\":1}"].enumerated() {
            let liar = try scene.start("liar\(index)")
            scene.say(.claim(.managed("output.wav")), as: liar)
            scene.folder.write("state/writers/liar\(index)/record.json", text)
            scene.say(.concluded(.closed), as: liar)
            #expect(try scene.ask("GET", "/v1/writers/liar\(index)").status == 500)
            #expect(try scene.ask("DELETE", "/v1/writers/liar\(index)").status == 200)
        }
        // A pipe would be waited at for ever.
        let liar = try scene.start("pipe")
        scene.say(.claim(.managed("output.wav")), as: liar)
        for name in ["record.json", "output.wav"] { mkfifo("\(scene.folder.path)/state/writers/pipe/\(name)", 0o600) }
        scene.say(.concluded(.closed), as: liar)
        #expect(try scene.ask("GET", "/v1/writers/pipe").status == 500)
        #expect(try scene.ask("DELETE", "/v1/writers/pipe").status == 200)
    }

    @Test func aRecordIsOfItsOwnWriterWhateverItSays() throws {
        let scene = try GatewayScene()
        let liar = try scene.start("liar")
        scene.say(.claim(.nothing), as: liar)
        var lie = record("another", .closed, files: [])
        (lie.mediaType, lie.fileExtension, lie.idempotencyKey) = ("text/html\r\nX: y", "mp4\"; x=\"", "key of another")
        try scene.records.save(lie, of: liar.writer)
        scene.say(.concluded(.closed), as: liar)
        let kept = try #require(scene.records.record(of: liar.writer))
        #expect(kept.resource["id"] == "liar" && kept.mediaType == "application/octet-stream" && kept.fileExtension == nil && kept.idempotencyKey == nil)
        #expect(try scene.ask("GET", "/v1/writers").text.contains("\"id\":\"liar\""))
    }

    /// Each is said by no encoder of ours: it is heard no more, and its writer fails alone.
    @Test func whoSaysWhatItMayNotIsHeardNoMore() throws {
        let scene = try GatewayScene()
        let (open, other) = (GatewayScene.snapshot("w"), GatewayScene.snapshot("x"))
        let claim = ControlMessage.claim(.file("a"))
        let lies: [[[UInt8]]] = [
            [[]], [[0]], [[99, 1]], [ControlMessage.snapshot(open).encoded], [claim.encoded, claim.encoded],
            [claim.encoded, ControlMessage.snapshot(other).encoded], [claim.encoded, ControlMessage.concluded(.open).encoded],
            [ControlMessage.concluded(.closed).encoded], [claim.encoded, ControlMessage.unkeptRecord(open).encoded],
            [ControlMessage.claim(.file("../a")).encoded], [ControlMessage.shutDown.encoded], [ControlMessage.tokens(.empty).encoded],
            [claim.encoded, ControlMessage.claimReceipt(.kept).encoded],
            [claim.encoded, [ControlMessage.snapshot(open).encoded[0]] + Array("{\"version\":1,\"writer\":{\"id\":\"w\",\"state\":\"odd\"}}".utf8)],
        ]
        for messages in lies {
            let liar = try scene.start("w")
            for message in messages { _ = liar.socket.send(message) }
            scene.hear(liar)
            // Nothing that comes after is taken.
            scene.say(claim, as: liar)
            scene.say(.snapshot(open), as: liar)
            #expect(liar.link.snapshot == nil, "\(messages)")
            scene.end(liar, process: 2_000_000_000)
            #expect(scene.registry[liar.writer] == nil, "\(messages)")
        }
        #expect(scene.log.all.count { $0.contains("may not") } >= lies.count - 1)
    }

    /// Except that one which could not be finalized is open again.
    @Test func aWriterOnlyGoesOnToTheNextState() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.nothing), as: encoder)
        for (told, held) in [
            (WriterState.configuring, WriterState.configuring), (.open, .open), (.configuring, .open), (.finalizing, .finalizing),
            (.configuring, .finalizing), (.open, .open), (.closed, .open), (.failed, .open),
        ] {
            scene.say(.snapshot(GatewayScene.snapshot("w", told)), as: encoder)
            #expect(encoder.link.snapshot?.state == held)
        }
        scene.say(.concluded(.closed), as: encoder)
        guard case .ended(.closed)? = scene.registry[encoder.writer] else { return #expect(Bool(false)) }
    }

    @Test func anEncodingAndTheCatalogHaveNoWriter() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w", as: .encode)
        scene.say(.claim(.folder("")), as: encoder)
        scene.say(.snapshot(GatewayScene.snapshot("w")), as: encoder)
        #expect(encoder.link.snapshot == nil && scene.records.origin(of: encoder.writer) == nil)
        #expect(scene.log.all.contains { $0.contains("may not") })
    }

    @Test func onlyConnectionsThatItWasGivenComeBack() throws {
        let scene = try GatewayScene()
        let null = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        // None was given, another one was, and a descriptor, which no encoder passes.
        let lies: [(ControlMessage, Int32?)] = [
            (.returned(unread: [], passes: 0, slot: 0), nil), (.released(slot: 1, isBroken: true), nil),
            (.returned(unread: [], passes: 0, slot: .max), nil), (.returned(unread: [], passes: 0, slot: 0), null),
        ]
        for (index, lie) in lies.enumerated() {
            let liar = try scene.start("w\(index)")
            if index > 0 {
                let given = LentConnection(owning: dup(2))
                #expect(liar.link.pass(given, isForHead: false, unread: []) == .sent)
            }
            scene.say(lie.0, as: liar, passing: lie.1)
            #expect(scene.log.all.count { $0.contains("may not") } == index + 1, "\(scene.log.all)")
        }
    }

    @Test func oneThatTalksWithoutEndLeavesOthersTheirTurn() throws {
        let scene = try GatewayScene()
        let flood = try scene.start("flood")
        var sent = 0
        while flood.socket.send(ControlMessage.metrics(MetricCounts()).encoded, timeout: .zero) == .sent { sent += 1 }
        #expect(sent > 64)
        scene.hear(flood)
        var left = 0
        while flood.link.nextEvent() != nil { left += 1 }
        #expect(left == sent - 64)
        // Of long messages fewer.
        let long = try scene.start("long")
        scene.say(.claim(.nothing), as: long)
        var record = GatewayScene.snapshot("long")
        record.resource["metadata"] = ["a": .string(String(repeating: "x", count: 100_000))]
        sent = 0
        while long.socket.send(ControlMessage.snapshot(record).encoded, timeout: .zero) == .sent { sent += 1 }
        scene.hear(long)
        left = 0
        while long.link.nextEvent() != nil { left += 1 }
        #expect(sent - left <= 3)
    }

    @Test func aProcessThatIsCondemnedBeforeItIsKnownEndsOnceItIs() throws {
        let scene = try GatewayScene()
        let process = try ChildProcess.spawn("/bin/sleep", arguments: ["600"], passing: 0, as: 0)
        let liar = try scene.start("w")
        scene.say(.shutDown, as: liar)
        scene.report(.forked(.encoder(liar.writer), process: process))
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
        #expect(ProcessEnd(waitStatus: status) == .signaled(number: SIGKILL))
    }

    @Test func aWritersProcessIsToldOnce() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.report(.forked(.encoder(encoder.writer), process: 2_000_000_000))
        scene.report(.forked(.encoder(encoder.writer), process: ChildProcess.ownIdentifier))
        #expect(encoder.link.process == 2_000_000_000)
    }

    /// Gateway and encoder that each take the other for the one that responds.
    @Test func aRequestIsHandedOverOnlySoOften() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        scene.say(.claim(.nothing), as: encoder)
        scene.say(.snapshot(GatewayScene.snapshot("w")), as: encoder)
        let passes = Monitor<[UInt8]>([])
        try SystemThread.start(name: "encoder") {
            while case .message(let bytes, let descriptor) = encoder.socket.receive(waiting: true) {
                guard case .connection(let unread, let count, let slot)? = ControlMessage(bytes), let descriptor else { continue }
                passes.change { $0.append(count) }
                close(descriptor)
                _ = encoder.socket.send(ControlMessage.returned(unread: unread, passes: count + 1, slot: slot).encoded)
                scene.hear(encoder)
            }
        }
        let answer = try scene.ask("GET", "/v1/writers/w")
        #expect(answer.status == 500, "\(answer.text)")
        #expect(answer.text.contains("back and forth") && answer.text.contains("internal-error"))
        #expect(passes.withLock { $0 } == [1, 3])
        #expect(scene.log.all.contains { $0.contains("back and forth") })
        encoder.link.tellToEnd()
        encoder.socket.finishSending()
        shutdown(encoder.socket.descriptor, Int32(SHUT_RDWR))
    }
}
