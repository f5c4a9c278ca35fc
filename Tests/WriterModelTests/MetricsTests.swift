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
}
