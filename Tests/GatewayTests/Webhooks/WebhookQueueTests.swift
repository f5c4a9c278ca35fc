import Gateway
import Testing
import WriterModel

/// When which event is sent to whom, by a clock of the tests' own.
@Suite struct WebhookQueueTests {
    private static let hour = Duration.seconds(3_600)
    private static let day = hour * 24
    private let start = ContinuousClock.now
    private let one = WebhookTarget(url: "https://one.example.com/hook")
    private let other = WebhookTarget(url: "https://other.example.com/hook")

    private func event(_ kind: WebhookEvent.Kind = .closed, of writer: String = "w", _ id: String = "msg") -> WebhookEvent {
        WebhookEvent(id: id, kind: kind, writer: WriterID(writer)!, createdAt: Timestamp(milliseconds: 0), body: "{}")
    }

    private func ids(_ queue: inout WebhookQueue, at now: ContinuousClock.Instant) -> [String] {
        var ids: [String] = []
        while let next = queue.next(at: now) { ids.append(next.event.id) }
        return ids
    }

    /// Sends one event until it is given up; when its attempts were, after the start.
    private func attempts(_ result: WebhookResult, retryTime: Duration) -> [Duration] {
        var queue = WebhookQueue()
        queue.add(event(), to: [(0, one)], since: start)
        var now = start
        var attempts: [Duration] = []
        while true {
            guard let next = queue.next(at: now) else {
                guard let later = queue.nextTime(after: now) else { return attempts }
                now = later
                continue
            }
            attempts.append(now - start)
            _ = queue.end(next.number, result, at: now, retryTime: retryTime)
        }
    }

    @Test(arguments: [WebhookResult.answered(status: 500, retryAfter: nil), .answered(status: 404, retryAfter: nil), .failed(reason: "no route")])
    func anEventIsSentByTheStandardsScheduleForADay(result: WebhookResult) {
        // After 5 s, 5 min, 30 min, 2 h, 5 h, 10 h: the next would be 14 h later, beyond the day's end, where the last one is.
        let expected: [Double] = [0, 5, 305, 2_105, 9_305, 27_305, 63_305]
        let attempts = attempts(result, retryTime: Self.day)
        #expect(attempts.count == expected.count + 1 && attempts.last == Self.day)
        for (attempt, seconds) in zip(attempts, expected) {
            #expect((seconds * 0.899...seconds * 1.101).contains(attempt / .seconds(1)), "\(attempts)")
        }
    }

    @Test func aReceiverSaysWhenItTakesMore() {
        let attempts = attempts(.answered(status: 503, retryAfter: 40), retryTime: .seconds(100))
        #expect(attempts == [.zero, .seconds(40), .seconds(80), .seconds(120)])
        // For an hour at most.
        #expect(self.attempts(.answered(status: 429, retryAfter: 1e9), retryTime: .seconds(100)) == [.zero, .seconds(3_600)])
    }

    @Test func aWritersEventsKeepTheirOrderAndOthersDoNotWait() {
        var queue = WebhookQueue()
        queue.add(event(.opened, "1"), to: [(0, one), (1, other)], since: start)
        queue.add(event(.closed, "2"), to: [(0, one), (1, other)], since: start)
        queue.add(event(.closed, of: "v", "3"), to: [(0, one)], since: start)
        let first = (0..<3).compactMap { _ in queue.next(at: start) }
        #expect(Set(first.map { "\($0.event.id) \($0.target.url)" }) == ["1 \(one.url)", "1 \(other.url)", "3 \(one.url)"])
        #expect(queue.next(at: start) == nil && queue.count == 5)
        let done = first.first { $0.target == other }!
        _ = queue.end(done.number, .answered(status: 204, retryAfter: nil), at: start, retryTime: Self.day)
        let next = queue.next(at: start)
        #expect(next?.event.id == "2" && next?.target == other)
    }

    /// A receiver that refuses one kind of event gets the others all the same.
    @Test func anEventThatHasFailedOftenIsNotWaitedFor() {
        var queue = WebhookQueue()
        queue.add(event(.opened, "1"), to: [(0, one)], since: start)
        queue.add(event(.closed, "2"), to: [(0, one)], since: start)
        var now = start
        for _ in 0..<3 {
            let next = queue.next(at: now)
            #expect(next?.event.id == "1")
            _ = queue.end(next?.number ?? 0, .answered(status: 400, retryAfter: nil), at: now, retryTime: Self.day)
            now += .seconds(400)
        }
        #expect(ids(&queue, at: now) == ["2"])
    }

    @Test func aReceiverThatIsAwayGetsOneRequestAtATimeAndEverythingOnceItIsBack() {
        var queue = WebhookQueue()
        for index in 0..<100 { queue.add(event(of: "w\(index)", "\(index)"), to: [(0, one)], since: start) }
        queue.add(event(of: "x", "other"), to: [(0, other)], since: start)
        let first = (0..<5).compactMap { _ in queue.next(at: start) }
        #expect(first.count == 5 && queue.next(at: start) == nil, "four to one receiver at a time")
        for next in first where next.target == one { _ = queue.end(next.number, .failed(reason: "refused"), at: start, retryTime: Self.day) }
        #expect(queue.next(at: start) == nil)
        var now = start
        for _ in 0..<10 {
            now = queue.nextTime(after: now)!
            let probe = queue.next(at: now)
            #expect(probe?.target == one && queue.next(at: now) == nil)
            _ = queue.end(probe!.number, .failed(reason: "refused"), at: now, retryTime: Self.day)
        }
        now = queue.nextTime(after: now)!
        var delivered = 0
        while let next = queue.next(at: now) {
            if case .delivered = queue.end(next.number, .answered(status: 200, retryAfter: nil), at: now, retryTime: Self.day) { delivered += 1 }
        }
        #expect(delivered == 100 && queue.count == 1)
    }

    @Test func aReceiverThatIsGoneIsLeft() {
        var queue = WebhookQueue()
        for index in 0..<3 { queue.add(event(of: "w\(index)", "\(index)"), to: [(0, one), (1, other)], since: start) }
        let next = queue.next(at: start)!
        guard case .gone(let gone) = queue.end(next.number, .answered(status: 410, retryAfter: nil), at: start, retryTime: Self.day) else {
            Issue.record("it is not gone")
            return
        }
        #expect(gone.count == 3 && gone.allSatisfy { $0.target == next.target } && queue.count == 3)
    }

    @Test func whatIsTooMuchGoesTheOldestOfTheFullestFirst() {
        var limits = WebhookQueue.Limits()
        limits.deliveries = 10
        var queue = WebhookQueue(limits: limits)
        queue.add(event(of: "x", "other"), to: [(0, other)], since: start)
        for index in 0..<12 { queue.add(event(of: "w\(index)", "\(index)"), to: [(0, one)], since: start) }
        #expect(queue.removeExcess().map(\.event.id) == ["0", "1", "2"])
        #expect(queue.count == 10 && queue.removeExcess().isEmpty)
    }

    @Test func whatWasUnderWayWhenTheSenderEndedIsSentAgain() {
        var queue = WebhookQueue()
        for index in 0..<3 { queue.add(event(of: "w\(index)", "\(index)"), to: [(0, one)], since: start) }
        #expect(ids(&queue, at: start) == ["0", "1", "2"])
        queue.senderEnded()
        #expect(ids(&queue, at: start) == ["0", "1", "2"])
    }
}
