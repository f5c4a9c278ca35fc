import Gateway
import Testing

@Suite struct MetricsCacheTests {
    private func made(_ cache: MetricsCache, times: Int, withNames: (Int) -> Bool) -> [UInt8] {
        var count: UInt8 = 0
        return (0..<times).map { index in
            cache.text(withNames: withNames(index)) {
                count += 1
                return [count]
            }[0]
        }
    }

    @Test func thoseWhoAskTogetherGetTheSameText() {
        #expect(made(MetricsCache(age: .seconds(600)), times: 4) { _ in false } == [1, 1, 1, 1])
        #expect(made(MetricsCache(age: .zero), times: 4) { _ in false } == [1, 2, 3, 4])
    }

    @Test func namesAreShownToNobodyElse() {
        #expect(made(MetricsCache(age: .seconds(600)), times: 4) { $0 % 2 == 0 } == [1, 2, 1, 2])
    }
}
