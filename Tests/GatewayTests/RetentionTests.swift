import Gateway
import Testing
import WriterModel

/// Which ended writers go, and when, as values.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400_000
    private static let now = Timestamp(milliseconds: 1_000 * day)

    private func candidates(_ owner: String?, _ count: Int, endedDaysAgo days: (Int) -> Double, bytes: Int64 = 0) -> [RetentionPlan.Candidate] {
        (0..<count).map { index in
            .init(
                writer: WriterID("w\(index)")!.owned(by: owner),
                at: Timestamp(milliseconds: Self.now.milliseconds - Int64(days(index) * Double(Self.day))), bytes: bytes)
        }
    }

    private func removals(
        _ candidates: [RetentionPlan.Candidate], _ limits: RetentionPlan.Limits, at now: Timestamp? = now, most: Int = 1_000
    ) -> [String] {
        RetentionPlan.removals(among: candidates, by: limits, at: now, most: most).map { "\($0.writer.key) \($0.reason.rawValue)" }
    }

    @Test func theOldEnoughGoTheOldestFirst() {
        let all = candidates(nil, 5) { Double($0) * 2 }
        #expect(removals(all, .init(milliseconds: 4 * Self.day)) == ["w4 age", "w3 age", "w2 age"])
        #expect(removals(all, .init(milliseconds: 4 * Self.day), most: 1) == ["w4 age"])
        #expect(removals(all, .init()) == [])
        #expect(removals(all, .init(milliseconds: 1), at: nil) == [])
    }

    /// An encoder can make its output as long as a file may be, without a byte in it.
    @Test func outputsOfAnyLengthCanBeAddedUp() {
        let registry = Registry()
        for id in ["a", "b", "c"] {
            registry.restore(WriterID(id)!, createdAt: Self.now, .ended(.closed))
            registry.end(WriterID(id)!, Registry.End(state: .closed, at: Self.now, bytes: .max))
        }
        #expect(registry.ended.bytes > 0)
        registry.remove(WriterID("a")!)
        #expect(registry.ended.count == 2)
        let long = candidates(nil, 3, endedDaysAgo: { Double(3 - $0) }, bytes: .max)
        #expect(removals(long, .init(bytes: 1)).first == "w0 bytes")
    }

    @Test func whatEndedInTheFutureIsNotOld() {
        #expect(removals(candidates(nil, 3) { _ in -3_650 }, .init(milliseconds: 1)) == [])
    }

    @Test func theOwnerWithMostLosesTheOldestFirst() {
        let many = candidates("many", 10) { Double(10 - $0) }
        let few = candidates("few", 3) { Double(100 - $0) }
        #expect(removals(few + many, .init(count: 11)) == ["many.w0 count", "many.w1 count"])
        // Each down to its share, and of equal shares the one that ended first.
        #expect(removals(few + many, .init(count: 4)).filter { $0.hasPrefix("few") } == ["few.w0 count"])
        #expect(removals(few + many, .init(count: 4)).count == 9)
        #expect(removals(few + many, .init(count: 13)) == [])
    }

    @Test func bytesGoByTheOwnerThatHoldsMost() {
        let small = candidates("small", 20, endedDaysAgo: { _ in 50 }, bytes: 1)
        let large = candidates("large", 3, endedDaysAgo: { Double(3 - $0) }, bytes: 100)
        let none = candidates("large", 2, endedDaysAgo: { _ in 90 }).map { RetentionPlan.Candidate(writer: WriterID("x")!.owned(by: "large"), at: $0.at, bytes: 0) }
        #expect(removals(small + large + none, .init(bytes: 220)) == ["large.w0 bytes"])
        #expect(removals(small + large + none, .init(bytes: 320)) == [])
        #expect(removals(small + large, .init(bytes: 1)).count == 22)
    }

    @Test func theLimitsOfTheServerAreNoneWhereTheyAreZero() {
        var limits = ServiceLimits()
        #expect(RetentionPlan.Limits(limits) == .init(milliseconds: 7 * Self.day, count: 10_000))
        limits.retainEnded = 0
        limits.retainEndedCount = 0
        #expect(RetentionPlan.Limits(limits) == .init())
    }

    private static func days(_ days: Double) -> Duration { .seconds(days * 86_400) }
    private static func wall(_ days: Double) -> Timestamp { Timestamp(milliseconds: Int64(days * Double(day))) }

    @Test(arguments: [3_650.0, 2.0]) func aClockThatJumpsForwardRemovesNothingForADay(jump: Double) {
        var clock = RetentionClock(lastSeen: Self.wall(100), hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(100.1), uptime: Self.days(0.1)) == Self.wall(100.1))
        #expect(clock.now(wall: Self.wall(100.2 + jump), uptime: Self.days(0.2)) == nil)
        #expect(clock.now(wall: Self.wall(101.1 + jump), uptime: Self.days(1.1)) == nil)
        #expect(clock.now(wall: Self.wall(101.3 + jump), uptime: Self.days(1.3)) == Self.wall(101.3 + jump))
    }

    @Test func aClockThatIsPutRightCountsAtOnce() {
        var clock = RetentionClock(lastSeen: Self.wall(100), hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(3_750), uptime: .seconds(1)) == nil)
        #expect(clock.now(wall: Self.wall(100), uptime: .seconds(60)) == Self.wall(100))
    }

    @Test func aClockThatIsSetBackMakesNothingOlder() {
        var clock = RetentionClock(lastSeen: Self.wall(4_000), hasWriters: true, uptime: .zero)
        let now = clock.now(wall: Self.wall(350), uptime: .seconds(1))
        #expect(now == Self.wall(350))
        #expect(RetentionPlan.removals(
            among: [.init(writer: WriterID("w")!, at: Self.wall(3_999), bytes: 1)], by: .init(milliseconds: 1), at: now, most: 9).isEmpty)
        // And then it jumps forward, to what it was.
        #expect(clock.now(wall: Self.wall(4_000), uptime: .seconds(60)) == nil)
    }

    @Test func writersOfAVersionThatKeptThemForEverStayForADay() {
        var clock = RetentionClock(lastSeen: nil, hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(1), uptime: Self.days(0.9)) == nil)
        #expect(clock.now(wall: Self.wall(1.2), uptime: Self.days(1.1)) == Self.wall(1.2))
        var fresh = RetentionClock(lastSeen: nil, hasWriters: false, uptime: .zero)
        #expect(fresh.now(wall: Self.wall(1), uptime: .zero) == Self.wall(1))
    }
}
