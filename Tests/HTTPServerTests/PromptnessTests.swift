import HTTPServer
import Testing

@Suite struct PromptnessTests {
    /// How many waits of this length it takes until it is worth looking; nil when it never is.
    private func waits(_ promptness: inout Promptness, of time: Duration) -> Int? {
        (1...2_000).first { _ in
            promptness.slept(time)
            return promptness.isWorthLooking
        }
    }

    @Test func shortWaitsInARowMakeItWorthLooking() {
        var promptness = Promptness()
        #expect(!promptness.isWorthLooking)
        #expect(waits(&promptness, of: .microseconds(60)) == 4)
        promptness.found()
        #expect(promptness.isWorthLooking)
        var patient = Promptness()
        #expect(waits(&patient, of: .milliseconds(20)) == nil)
    }

    @Test func aLongWaitBeginsTheRowAnew() {
        var promptness = Promptness()
        for _ in 0..<3 { promptness.slept(.microseconds(60)) }
        promptness.slept(.milliseconds(20))
        #expect(waits(&promptness, of: .microseconds(60)) == 4)
    }

    @Test func lookingInVainBecomesRareAndSuccessBringsItBack() {
        var promptness = Promptness()
        var rows: [Int] = []
        for _ in 0..<9 {
            rows.append(waits(&promptness, of: .microseconds(60)) ?? 0)
            promptness.lookedInVain()
        }
        #expect(rows == [4, 8, 16, 32, 64, 128, 256, 256, 256])
        promptness.found()
        #expect(waits(&promptness, of: .microseconds(60)) == 4)
    }
}
