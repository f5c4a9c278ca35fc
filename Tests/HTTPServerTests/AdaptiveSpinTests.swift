import HTTPServer
import Testing

@Suite struct AdaptiveSpinTests {
    /// How many waits of this length it takes until it is worth looking; nil when it never is.
    private func waits(_ spin: inout AdaptiveSpin, of time: Duration) -> Int? {
        (1...2_000).first { _ in
            spin.slept(time)
            return spin.isWorthLooking
        }
    }

    @Test func shortWaitsInARowMakeItWorthLooking() {
        var spin = AdaptiveSpin()
        #expect(!spin.isWorthLooking)
        #expect(waits(&spin, of: .microseconds(60)) == 4)
        spin.hit()
        #expect(spin.isWorthLooking)
        var patient = AdaptiveSpin()
        #expect(waits(&patient, of: .milliseconds(20)) == nil)
    }

    @Test func aLongWaitBeginsTheRowAnew() {
        var spin = AdaptiveSpin()
        for _ in 0..<3 { spin.slept(.microseconds(60)) }
        spin.slept(.milliseconds(20))
        #expect(waits(&spin, of: .microseconds(60)) == 4)
    }

    @Test func lookingInVainBecomesRareAndSuccessBringsItBack() {
        var spin = AdaptiveSpin()
        var rows: [Int] = []
        for _ in 0..<9 {
            rows.append(waits(&spin, of: .microseconds(60)) ?? 0)
            spin.missed()
        }
        #expect(rows == [4, 8, 16, 32, 64, 128, 256, 256, 256])
        spin.hit()
        #expect(waits(&spin, of: .microseconds(60)) == 4)
    }
}
