import Testing
import WriterModel

@Suite struct TimestampSecondsTests {
    /// As `date -u +%s` has them.
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0.0), ("2026-11-28T22:03:35.250Z", 1_795_903_415.25), ("2000-02-29T23:59:59.999Z", 951_868_799.999),
        ("2024-12-31T00:00:00.000Z", 1_735_603_200.0), ("1969-12-31T23:59:59.000Z", -1.0),
    ])
    func secondsAreThoseSinceTheEpoch(text: String, seconds: Double) {
        #expect(Timestamp(text)?.secondsSinceEpoch == seconds)
    }

    @Test(arguments: ["2026-13-01T00:00:00.000Z", "xxxx-01-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-01-01T00:00:00.é0Z"])
    func whatIsNoMomentHasNone(text: String) {
        #expect(Timestamp(text)?.secondsSinceEpoch == nil)
    }
}
