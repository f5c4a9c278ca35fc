import Gateway
import Testing
import WriterModel

/// What of a writer is news.
@Suite struct WriterMilestoneTests {
    private func writer(_ state: String, _ outputs: [(name: String, state: String, attempts: Int64)] = []) -> JSONObject {
        [
            "state": .string(state),
            "outputs": .array(
                outputs.map { name, state, attempts in
                    var output: JSONObject = ["name": .string(name), "state": .string(state), "attempts": .integer(attempts)]
                    if state == "failed" { output["error"] = ["code": "destination-failed", "detail": "gone"] }
                    return .object(output)
                }),
        ]
    }

    private func kinds(_ told: inout WriterMilestones, _ resource: JSONObject) -> [WebhookEvent.Kind] { told.take(resource).map(\.kind) }

    @Test func eachIsToldOnceAlsoAfterARestart() throws {
        var told = WriterMilestones()
        #expect(kinds(&told, writer("configuring")) == [])
        #expect(kinds(&told, writer("open", [("a", "open", 1), ("b", "opening", 1)])) == [.opened])
        #expect(kinds(&told, writer("open", [("a", "reconnecting", 1), ("b", "failed", 1)])) == [.outputFailed])
        #expect(kinds(&told, writer("open", [("a", "reconnecting", 3), ("b", "failed", 1)])) == [])
        #expect(kinds(&told, writer("open", [("a", "open", 3), ("b", "failed", 1)])) == [.outputReconnected])
        var restored = try #require(WriterMilestones(json: told.json))
        #expect(restored == told)
        #expect(kinds(&restored, writer("finalizing", [("a", "open", 3), ("b", "failed", 1)])) == [])
        #expect(kinds(&restored, writer("closed", [("a", "closed", 3), ("b", "failed", 1)])) == [.closed])
    }

    @Test func whatHappenedWhileNobodyLookedIsToldInOrder() {
        var told = WriterMilestones()
        #expect(kinds(&told, writer("closed", [("a", "failed", 2)])) == [.opened, .outputFailed, .closed])
        var failed = WriterMilestones()
        #expect(kinds(&failed, writer("failed", [("a", "failed", 1)])) == [.outputFailed, .failed])
    }

    @Test func anOutputThatEndedWithItsWriterIsNoNews() {
        var told = WriterMilestones()
        let failed: JSONObject = ["state": "failed", "outputs": [["name": "a", "state": "failed", "attempts": 1]]]
        #expect(kinds(&told, failed) == [.failed])
    }

    @Test func anOutputThatComesAgainMayFailAgain() {
        var told = WriterMilestones()
        #expect(kinds(&told, writer("open", [("a", "failed", 1)])) == [.opened, .outputFailed])
        #expect(kinds(&told, writer("open", [("a", "opening", 1)])) == [])
        #expect(kinds(&told, writer("open", [("a", "failed", 1)])) == [.outputFailed])
        #expect(kinds(&told, writer("open")) == [])
        #expect(kinds(&told, writer("open", [("a", "failed", 1)])) == [.outputFailed])
    }

    @Test func oneThatFailedAndWasSentAfterAllIsToldClosedOnceMoreAndNothingElse() throws {
        var told = WriterMilestones()
        #expect(kinds(&told, writer("failed", [("a", "failed", 1)])) == [.outputFailed, .failed])
        #expect(kinds(&told, writer("failed", [("a", "failed", 1), ("b", "failed", 1)])) == [])
        var restored = try #require(WriterMilestones(json: told.json))
        #expect(restored.hasFailed && kinds(&restored, writer("closed", [("a", "closed", 1)])) == [.closed])
    }

    @Test func anEventSaysWhatTheWriterSaysWithoutWhatGrows() throws {
        let resource: JSONObject = [
            "id": "w", "state": "closed", "dst": "rtmp://a.example.com/***", "ended_at": "2024-01-01T00:00:00.000Z", "encoder_pid": 7, "streams": [],
            "result": ["bytes": 5, "files": ["a", "b"], "warnings": [.string(String(repeating: "x", count: 40_000))]],
        ]
        let event = WebhookEvent(.closed, of: WriterID("w")!.owned(by: "acme"), resource)
        let body = try JSONParser.parse(Array(event.body.utf8))
        #expect(body == [
            "type": "writer.closed", "timestamp": "2024-01-01T00:00:00.000Z",
            "data": ["id": "w", "state": "closed", "ended_at": "2024-01-01T00:00:00.000Z", "dst": "rtmp://a.example.com/***", "result": ["bytes": 5], "name": "acme"],
        ])
        #expect(event.id.hasPrefix("msg_") && event.id.count == 31)
    }
}
