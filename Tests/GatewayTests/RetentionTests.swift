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
        var clock = RetentionClock(.init(believed: Self.wall(100)), hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(100.1), uptime: Self.days(0.1)) == Self.wall(100.1))
        #expect(clock.now(wall: Self.wall(100.2 + jump), uptime: Self.days(0.2)) == nil)
        #expect(clock.now(wall: Self.wall(101.1 + jump), uptime: Self.days(1.1)) == nil)
        #expect(clock.now(wall: Self.wall(101.3 + jump), uptime: Self.days(1.3)) == Self.wall(101.3 + jump))
    }

    @Test func aClockThatIsPutRightCountsAtOnce() {
        var clock = RetentionClock(.init(believed: Self.wall(100)), hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(3_750), uptime: .seconds(1)) == nil)
        #expect(clock.now(wall: Self.wall(100), uptime: .seconds(60)) == Self.wall(100))
    }

    @Test func aClockThatIsSetBackMakesNothingOlder() {
        var clock = RetentionClock(.init(believed: Self.wall(4_000)), hasWriters: true, uptime: .zero)
        let now = clock.now(wall: Self.wall(350), uptime: .seconds(1))
        #expect(now == Self.wall(350))
        #expect(RetentionPlan.removals(
            among: [.init(writer: WriterID("w")!, at: Self.wall(3_999), bytes: 1)], by: .init(milliseconds: 1), at: now, most: 9).isEmpty)
        // And then it jumps forward, to what it was.
        #expect(clock.now(wall: Self.wall(4_000), uptime: .seconds(60)) == nil)
    }

    @Test func writersOfAVersionThatKeptThemForEverStayForADay() {
        var clock = RetentionClock(nil, hasWriters: true, uptime: .zero)
        #expect(clock.now(wall: Self.wall(1), uptime: Self.days(0.9)) == nil)
        #expect(clock.now(wall: Self.wall(1.2), uptime: Self.days(1.1)) == Self.wall(1.2))
        var fresh = RetentionClock(nil, hasWriters: false, uptime: .zero)
        #expect(fresh.now(wall: Self.wall(1), uptime: .zero) == Self.wall(1))
    }

    /// It began anew with each start: a server that was started anew each day removed nothing for its age.
    @Test func aHoldGoesOnInTheNextServer() throws {
        var note: RetentionClock.Note? = .init(believed: Self.wall(100))
        for start in 0..<4 {
            var clock = RetentionClock(note, hasWriters: true, uptime: .zero)
            let wall = 108 + Double(start) * 2
            #expect(clock.now(wall: Self.wall(wall), uptime: .zero) == nil)
            #expect(clock.now(wall: Self.wall(wall + 0.2), uptime: Self.days(0.2)) == nil)
            let next: RetentionClock.Note = try #require(RetentionClock.Note(clock.note(uptime: Self.days(0.2)).text))
            note = next
            #expect(next == .init(believed: Self.wall(100), hold: .seconds(86_400 - (start + 1) * 17_280)))
        }
        var last = RetentionClock(note, hasWriters: true, uptime: .zero)
        #expect(last.now(wall: Self.wall(116), uptime: .zero) == nil)
        #expect(last.now(wall: Self.wall(116.3), uptime: Self.days(0.3)) == Self.wall(116.3))
        #expect(last.note(uptime: Self.days(0.3)) == .init(believed: Self.wall(116.3)))
        // Put right while no server ran.
        var right = RetentionClock(note, hasWriters: true, uptime: .zero)
        #expect(right.now(wall: Self.wall(100.5), uptime: .zero) == Self.wall(100.5))
    }

    @Test(arguments: ["", "none", "2026-11-20T00:00:00.000Z held", "2026-11-20T00:00:00.000Z held -1", "none held 86401", "held 5"])
    func aDamagedClockFileIsNone(text: String) {
        #expect(RetentionClock.Note(text) == nil)
    }

    @Test func theClockFileOfAnEarlierVersionIsRead() {
        #expect(RetentionClock.Note("1970-04-11T00:00:00.000Z") == .init(believed: Self.wall(100)))
        #expect(RetentionClock.Note("none held 60") == .init(believed: nil, hold: .seconds(60)))
    }
}
