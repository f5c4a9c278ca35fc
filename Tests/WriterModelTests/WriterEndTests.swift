import Testing
import WriterModel

@Suite struct WriterEndTests {
    private static func record(_ members: [(String, JSONValue)]) -> WriterRecord {
        WriterRecord(
            resource: JSONObject([("id", "w_1"), ("created_at", "2024-02-29T00:00:00.000Z")] + members), managedFile: nil, outputFiles: [],
            mediaType: "video/mp4", creationFingerprint: "")
    }

    @Test func aClosedWritersEndHasWhatItWrote() throws {
        let result: JSONValue = ["bytes": 7, "duration": .number(1.5), "ended_by": "idle_timeout", "verified": ["sha256": "ab"]]
        let end = try #require(WriterEnd(Self.record([("state", "closed"), ("dst", "a.mp4"), ("bytes_written", 9), ("result", result)])))
        #expect((end.state, end.cause, end.bytes, end.duration) == (.closed, .idleTimeout, 7, 1.5))
        #expect(end.destination == "a.mp4" && end.sha256 == "ab" && end.problem == nil)
        #expect(ControlMessage(ControlMessage.end(end).encoded) == .end(end))
    }

    @Test(arguments: [
        (ProblemCode.encoderCrashed, WriterEnd.Cause.crash), (.encoderStalled, .stall), (.idleTimeout, .idleTimeout), (.serverStopped, .shutdown),
        (.limitExceeded, .runTime), (.destinationFailed, .error), (.offsetMismatch, .error),
    ])
    func aFailedWritersEndSaysWhy(code: ProblemCode, cause: WriterEnd.Cause) throws {
        let problem = Problem(code, "why", libavError: "EIO", log: ["one", "two"])
        let failed = Self.record([("state", "open"), ("bytes_written", 9)]).failed(with: problem, at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0))
        let end = try #require(WriterEnd(failed))
        #expect((end.state, end.cause, end.bytes) == (.failed, cause, 9))
        #expect(end.problem?.code == code && end.problem?.detail == "why" && end.problem?.log == ["one", "two"] && end.problem?.libavError == "EIO")
        #expect(ControlMessage(ControlMessage.end(end).encoded) == .end(end))
        #expect(WriterEnd(failed, by: .restart)?.cause == .restart)
    }

    @Test func whatIsToldOfItIsBounded() throws {
        let long = String(repeating: "x", count: 30_000)
        let end = WriterEnd.unmade(Problem(.destinationFailed, long, libavError: long, log: Array(repeating: long, count: 50)))
        let told = try #require(WriterEnd(json: end.json))
        #expect(told.json.encoded.count < 5_000 && told.problem?.log.count == 8)
    }

    @Test func whatIsNoEndIsNone() {
        #expect(WriterEnd(Self.record([("state", "open")])) == nil)
        for json: JSONValue in [[], [:], ["state": "x"], ["state": 3]] { #expect(WriterEnd(json: json) == nil) }
        #expect(WriterEnd(json: ["state": "failed", "failure": ["type": "urn:penstock:problem:no-such"]])?.problem == nil)
    }

    @Test func anUploadOfAnEncoderThatDiedIsInterrupted() {
        let streams: JSONValue = [["upload": "receiving", "offset": 12], ["upload": "none", "offset": 3]]
        let record = Self.record([("state", "open"), ("upload", "receiving"), ("streams", streams)])
        let failed = record.failed(with: Problem(.encoderCrashed, "x"), at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0)).resource
        #expect(failed["upload"] == "interrupted")
        #expect(failed["streams"] == [
            ["upload": "interrupted", "offset": 12, "interruption": ["at": "1970-01-01T00:00:00.000Z", "offset": 12]], ["upload": "none", "offset": 3],
        ])
    }

    @Test func everyCodeSaysWhenItComesAndWhatToDo() {
        let told = ProblemCode.guidance
        #expect(ProblemCode.allCases.filter { told[$0] == nil } == [])
        for (code, guidance) in told {
            for sentence in [guidance.cause, guidance.remedy] { #expect(sentence.hasSuffix(".") && sentence.count > 8 && !sentence.contains("|"), "\(code)") }
        }
        #expect(Set(ProblemCode.ofFailures).count == ProblemCode.ofFailures.count)
    }

    /// As an encoder that was killed has left them.
    @Test func outputsOfAWriterThatFailedHaveEnded() throws {
        let states = ["closed", "open", "opening", "reconnecting", "configuring", "failed"]
        let outputs = states.map { JSONValue.object(["name": .string($0), "state": .string($0)]) }
        let failed = Self.record([("state", "open"), ("outputs", .array(outputs))])
            .failed(with: Problem(.encoderCrashed, "x"), at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0)).resource
        let told = try #require(failed["outputs"]?.arrayValue).compactMap { $0.objectValue?["state"]?.stringValue }
        #expect(told == ["closed"] + Array(repeating: "failed", count: 5))
    }
}
