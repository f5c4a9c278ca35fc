import Testing
import WriterModel

@Suite struct MetricsTests {
    @Test func aDurationFallsIntoTheFirstBucketThatHoldsIt() {
        var histogram = DurationHistogram()
        for seconds in [0.0005, 0.00051, 60, 61] { histogram.add(seconds) }
        #expect(histogram.counts.first == 1)
        #expect(histogram.counts[1] == 1)
        #expect(histogram.counts[DurationHistogram.bounds.count - 1] == 1)
        #expect(histogram.counts.last == 1)
        #expect(histogram.count == 4)
        #expect(histogram.sum == 0.0005 + 0.00051 + 60 + 61)
    }

    /// Another process may say anything: counting on from there ended the gateway.
    @Test func countingGoesOnFromTheHighestNumber() throws {
        let most: JSONValue = .array((0...DurationHistogram.bounds.count).map { _ in .integer(.max) })
        let said: JSONValue = [
            "counts": [0, 0, 0, 0, 0], "cpu_seconds": 0, "queue_waits": ["counts": most, "sum": 1],
        ]
        var counts = MetricCounts()
        counts.add(try #require(MetricCounts(json: said)))
        counts.queueWaits.add(0.001)
        #expect(counts.queueWaits.count == .max)
        var number = Int64.max
        number.add(1)
        #expect(number == .max)
    }

    @Test func countsAddUp() {
        var (one, two) = (MetricCounts(), MetricCounts())
        one.answers = [.init(route: "a", status: 200): 1]
        two.answers = [.init(route: "a", status: 200): 2, .init(route: "a", status: 404): 3]
        one.framesTaken = 5
        two.framesTaken = 7
        two.cpuSeconds = 0.5
        one.add(two)
        #expect(one.answers == [.init(route: "a", status: 200): 3, .init(route: "a", status: 404): 3])
        #expect(one.framesTaken == 12)
        #expect(one.cpuSeconds == 0.5)
        #expect(!one.isEmpty)
    }

    @Test func countsOfEachKindAddUpAndOnlyKnownCodesCount() {
        var (one, two) = (MetricCounts(), MetricCounts())
        one.tallies = [.uploadsCut: 1]
        two.tallies = [.uploadsCut: .max, .videoChunksLate: 2]
        one.failures = ["no-space": 1]
        two.failures = ["no-space": 2, "evil\"": 3]
        two.problems = ["not-found": 1, "evil": 2]
        two.answers = [.init(route: "a", status: 0): 1, .init(route: "a", status: 499, outcome: .cut): 2]
        one.add(two.ofRoutes(["a"]))
        #expect(one.tallies == [.uploadsCut: .max, .videoChunksLate: 2])
        #expect(one.failures == ["no-space": 3] && one.problems == ["not-found": 1])
        #expect(one.answers == [.init(route: "a", status: 499, outcome: .cut): 2])
    }
}
