import Gateway
import Testing

@Suite struct PeerConditionsTests {
    private let began = ContinuousClock.now

    @Test func eachChangeIsToldOnce() {
        var conditions = PeerConditions()
        #expect(conditions.note(nil, of: "n2", at: began) == nil)
        #expect(conditions.note("timeout", of: "n2", at: began) == .began)
        #expect(conditions.note("timeout", of: "n2", at: began + .seconds(100)) == nil)
        #expect(conditions.note("timeout", of: "n3", at: began) == .began)
        #expect(conditions.note(nil, of: "n2", at: began + .seconds(101)) == .ended)
        #expect(conditions.note(nil, of: "n2", at: began + .seconds(102)) == nil)
        #expect(conditions.note("refused 401", of: "n2", at: began + .seconds(103)) == .began)
    }

    @Test func whatComesAndGoesIsToldOnceAMinute() {
        var conditions = PeerConditions()
        var told = 0
        for second in 0..<120 where conditions.note(second % 2 == 0 ? "refused 401" : nil, of: "n2", at: began + .seconds(second)) == .began { told += 1 }
        #expect(told == 2)
        // It lasts.
        #expect(conditions.note("timeout", of: "n2", at: began + .seconds(200)) == .began)
    }
}
