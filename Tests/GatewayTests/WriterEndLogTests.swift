import Gateway
import SystemIO
import Testing
import WriterModel

/// However a writer ends, the log has one line of it, and the metrics count it once.
@Suite struct WriterEndLogTests {
    private static let process: Int32 = 2_000_000_000

    private struct Ended {
        let lines: [String]
        let metrics: String

        func count(_ state: String, _ cause: String) -> String? { value("penstock_writers_ended_total{state=\"\(state)\",ended_by=\"\(cause)\"} ") }
        func failures(_ code: String) -> String? { value("penstock_failures_total{code=\"\(code)\"} ") }

        private func value(_ sample: String) -> String? {
            metrics.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }.first { $0.hasPrefix(sample) }.map { String($0.dropFirst(sample.count)) }
        }
    }

    /// Plays a writer that is made, and then what `end` does.
    private func ended(isMade: Bool = true, as role: EncoderStart.Role = .writer, _ end: (GatewayScene, GatewayScene.Encoder) throws -> Void) throws -> Ended {
        let scene = try GatewayScene()
        let encoder = try scene.start("w", as: role)
        if isMade {
            scene.say(.claim(.nothing), as: encoder)
            scene.say(.snapshot(GatewayScene.snapshot("w")), as: encoder)
        }
        try end(scene, encoder)
        let lines = scene.log.all.filter { $0.contains("a writer ") || $0.contains("an encoding ") || $0.hasPrefix("warning") || $0.hasPrefix("error") }
        return Ended(lines: lines, metrics: try scene.ask("GET", "/metrics").text)
    }

    private func closed() throws -> WriterEnd {
        try #require(WriterEnd(json: [
            "state": "closed", "dst": "a.mp4", "result": ["bytes": 7, "duration": .number(1.5), "ended_by": "finalize", "verified": ["sha256": "ab"]],
        ]))
    }

    private func failed(_ code: ProblemCode) throws -> WriterEnd {
        try #require(WriterEnd(GatewayScene.snapshot("w").failed(with: Problem(code, "why", log: ["l"]), at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0))))
    }

    @Test func aClosedWriterIsOneLineOfInfo() throws {
        let ended = try ended { scene, encoder in
            scene.say(.end(try closed()), as: encoder)
            scene.say(.concluded(.closed), as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(ended.lines.count == 1 && ended.lines[0].hasPrefix("info a writer closed"), "\(ended.lines)")
        for part in ["\"bytes\": 7", "\"duration_s\": 1.5", "\"sha256\": ab", "\"dst\": a.mp4", "\"ended_by\": finalize"] { #expect(ended.lines[0].contains(part), "\(part)") }
        #expect(ended.count("closed", "finalize") == "1" && ended.count("failed", "error") == "0")
    }

    @Test(arguments: [(ProblemCode.destinationFailed, "warning", "error"), (.noSpace, "warning", "error"), (.idleTimeout, "warning", "idle_timeout"),
                      (.outputDamaged, "error", "error"), (.encoderStalled, "error", "stall"), (.internalError, "error", "error")])
    func aWriterThatFailsIsOneLineWithItsReason(code: ProblemCode, level: String, cause: String) throws {
        let ended = try ended { scene, encoder in
            scene.say(.end(try failed(code)), as: encoder)
            scene.say(.concluded(.failed), as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(ended.lines.count == 1 && ended.lines[0].hasPrefix("\(level) a writer failed"), "\(ended.lines)")
        for part in ["\"code\": \(code.rawValue)", "\"detail\": why", "\"ended_by\": \(cause)", "\"writer\": w"] { #expect(ended.lines[0].contains(part), "\(part)") }
        #expect(ended.count("failed", cause) == "1" && ended.failures(code.rawValue) == "1")
    }

    /// Its record finds no room, or it dies before it has told how its writer ended, or it never says.
    @Test func anEncoderThatSaysLittleLeavesOneLineToo() throws {
        let failure = Problem(.noSpace, "full")
        let record = GatewayScene.snapshot("w").failed(with: failure, at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0))
        let unkept = try ended { scene, encoder in
            scene.say(.unkeptRecord(record), as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(unkept.lines.count == 1 && unkept.lines[0].contains("not written yet") && unkept.lines[0].contains("no-space"), "\(unkept.lines)")
        let onDisk = try ended { scene, encoder in
            try scene.records.save(record, of: encoder.writer)
            scene.end(encoder, process: Self.process)
        }
        #expect(onDisk.lines.count == 1 && onDisk.lines[0].contains("no-space"), "\(onDisk.lines)")
        let silent = try ended { scene, encoder in
            scene.say(.concluded(.closed), as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(silent.lines.count == 1 && silent.count("closed", "unknown") == "1", "\(silent.lines)")
        // What it said was of another end.
        let lying = try ended { scene, encoder in
            scene.say(.end(try closed()), as: encoder)
            scene.say(.concluded(.failed), as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(lying.lines.count == 1 && lying.lines[0].hasPrefix("warning a writer failed") && lying.count("failed", "unknown") == "1", "\(lying.lines)")
    }

    @Test func anEncoderThatDiesIsOneLineOfError() throws {
        let ended = try ended { scene, encoder in scene.end(encoder, process: Self.process) }
        #expect(ended.lines.count == 1 && ended.lines[0].hasPrefix("error a writer failed") && ended.lines[0].contains("SIGKILL"), "\(ended.lines)")
        #expect(ended.count("failed", "crash") == "1" && ended.failures("encoder-crashed") == "1")
        let unmade = try self.ended(isMade: false) { scene, encoder in scene.end(encoder, process: Self.process) }
        #expect(unmade.lines.count == 1 && unmade.lines[0].hasPrefix("error a writer was not made"), "\(unmade.lines)")
        #expect(unmade.count("unmade", "crash") == "1" && unmade.failures("encoder-crashed") == "1")
        let encoding = try self.ended(isMade: false, as: .encode) { scene, encoder in scene.end(encoder, process: Self.process) }
        #expect(encoding.lines.count == 1 && encoding.lines[0].hasPrefix("error an encoding failed"), "\(encoding.lines)")
        #expect(encoding.failures("encoder-crashed") == "1" && encoding.count("failed", "crash") == "0")
    }

    @Test func whatWasNeverMadeIsLoggedWhereTheRequestIsNotAtFault() throws {
        let refused = try ended(isMade: false) { scene, encoder in
            scene.say(.discarded, as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(refused.lines == [])
        let deserted = try ended(isMade: false) { scene, encoder in
            scene.say(.end(.unmade(Problem(.destinationFailed, "left"), isDeserted: true)), as: encoder)
            scene.say(.discarded, as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(deserted.lines.count == 1 && deserted.lines[0].hasPrefix("warning a writer was not made"), "\(deserted.lines)")
        #expect(deserted.count("unmade", "client_left") == "1")
        let left = try ended(isMade: false) { scene, encoder in scene.report(.unwanted(.encoder(encoder.writer))) }
        #expect(left.lines.count == 1 && left.lines[0].hasPrefix("warning a writer was not made"), "\(left.lines)")
        let deleted = try ended { scene, encoder in
            scene.say(.end(WriterEnd(.deleted, by: .delete)), as: encoder)
            scene.say(.discarded, as: encoder)
            scene.end(encoder, process: Self.process)
        }
        #expect(deleted.lines.count == 1 && deleted.lines[0].hasPrefix("info a writer was deleted") && deleted.count("deleted", "delete") == "1", "\(deleted.lines)")
    }

    @Test(arguments: [(OutputClaim.managed("output.wav"), nil, "managed"), (.file("a.wav"), "a.wav", "file"), (.nothing, "rtmp://a.example/***", "rtmp"),
                      (.nothing, "gopher://x", "other"), (.nothing, "hw:0", "device"), (.nothing, nil, "none")] as [(OutputClaim, String?, String)])
    func outputsAreCountedByWhereTheyGo(claim: OutputClaim, dst: String?, scheme: String) throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        var snapshot = GatewayScene.snapshot("w")
        snapshot.resource["dst"] = dst.map { .string($0) }
        scene.say(.claim(claim), as: encoder)
        for _ in 0..<2 { scene.say(.snapshot(snapshot), as: encoder) }
        let counted = try scene.ask("GET", "/metrics").text.split(separator: "\n").filter { $0.hasPrefix("penstock_outputs_total") && !$0.hasSuffix(" 0") }
        #expect(counted == ["penstock_outputs_total{scheme=\"\(scheme)\"} 1"])
    }

    /// A snapshot of a writer of a recording and a live output; what came later is at the end.
    private func snapshot(_ live: JSONValue?...) -> WriterRecord {
        var snapshot = GatewayScene.snapshot("w")
        let record: JSONValue = ["name": "record", "state": "open", "dst": "a.mp4", "attempts": 1]
        snapshot.resource["outputs"] = .array([record] + live.compactMap(\.self))
        return snapshot
    }

    private func live(_ name: String, _ state: String, attempts: Int64, error: JSONValue? = nil) -> JSONValue {
        var output: JSONObject = ["name": .string(name), "state": .string(state), "dst": "rtmp://a.example/***", "attempts": .integer(attempts)]
        output["error"] = error
        return .object(output)
    }

    @Test func outputsThatBreakComeBackAndFailAreToldOnceEach() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let error: JSONValue = ["code": "destination-failed", "detail": "gone"]
        scene.say(.claim(.several([.file("a.mp4"), .nothing])), as: encoder)
        for shown in [
            live("live", "opening", attempts: 0), live("live", "open", attempts: 1), live("live", "reconnecting", attempts: 1, error: error),
            live("live", "reconnecting", attempts: 3, error: error), live("live", "open", attempts: 3, error: error),
            live("live", "reconnecting", attempts: 3, error: error), live("live", "failed", attempts: 4, error: error),
        ] {
            for _ in 0..<2 { scene.say(.snapshot(snapshot(shown)), as: encoder) }
        }
        // One that came later, one of the same name after it, and both end with their writer.
        for state in ["open", nil, "open", "failed"] {
            scene.say(.snapshot(snapshot(live("live", "failed", attempts: 4, error: error), state.map { live("late", $0, attempts: 1) })), as: encoder)
        }
        let lines = scene.log.all.filter { $0.contains("an output ") }
        #expect(lines.count == 4, "\(lines)")
        for (line, start) in zip(lines, ["warning an output broke", "notice an output was opened again", "warning an output broke", "warning an output failed"]) {
            #expect(line.hasPrefix(start) && line.contains("\"output\": live") && line.contains("\"writer\": w"), "\(line)")
        }
        let metrics = try scene.ask("GET", "/metrics").text.split(separator: "\n").filter { $0.hasPrefix("penstock_output") && $0.contains("scheme") && !$0.hasSuffix(" 0") }
        #expect(metrics == [
            "penstock_outputs_total{scheme=\"file\"} 1", "penstock_outputs_total{scheme=\"rtmp\"} 3",
            "penstock_output_failures_total{scheme=\"rtmp\"} 1", "penstock_output_breaks_total{scheme=\"rtmp\"} 2",
            "penstock_output_reconnects_total{scheme=\"rtmp\"} 1",
        ])
    }
}
