import StreamWriter
import Testing

@Suite struct InterleaveBudgetTests {
    @Test func oneStreamHoldsNothing() {
        var budget = InterleaveBudget(streams: 1, maxBytes: 10, maxSeconds: 1)
        for second in 0..<100 {
            expectAdd(&budget, stream: 0, dts: Double(second), bytes: 1000, writes: false)
            #expect(budget.heldBytes == 0)
        }
    }

    @Test func packetsAheadOfTheSlowestStreamAreHeld() {
        var budget = InterleaveBudget(streams: 2)
        expectAdd(&budget, stream: 0, dts: 0, bytes: 5, writes: false)
        expectAdd(&budget, stream: 0, dts: 1, bytes: 7, writes: false)
        #expect(budget.heldBytes == 12)
        expectAdd(&budget, stream: 1, dts: 0.5, bytes: 3, writes: false)
        // Up to 0.5 s both are there.
        #expect(budget.heldBytes == 7)
        expectAdd(&budget, stream: 1, dts: 2, bytes: 3, writes: false)
        #expect(budget.heldBytes == 3)
    }

    @Test func tooManyBytesOrSecondsAreWritten() {
        var budget = InterleaveBudget(streams: 2, maxBytes: 100, maxSeconds: 10)
        expectAdd(&budget, stream: 0, dts: 0, bytes: 100, writes: false)
        expectAdd(&budget, stream: 0, dts: 1, bytes: 1, writes: true)
        budget.clear()
        #expect(budget.heldBytes == 0)
        expectAdd(&budget, stream: 0, dts: 2, bytes: 1, writes: false)
        expectAdd(&budget, stream: 0, dts: 12, bytes: 1, writes: false)
        expectAdd(&budget, stream: 0, dts: 12.1, bytes: 1, writes: true)
    }

    @Test func howFarPacketsComeBehindOthersIsKnown() {
        for letsGo in [false, true] {
            var budget = InterleaveBudget(streams: 2, maxSeconds: 10, letsGo: letsGo)
            for second in 0...40 { if budget.add(stream: 0, dts: Double(second), bytes: 1) { budget.clear() } }
            #expect(budget.secondsLate == [0, 0])
            _ = budget.add(stream: 1, dts: 5, bytes: 1)
            // What is 10 s old goes by itself, up to 30; or all goes whenever there are more than 10 s, at 11, 23 and 35.
            #expect(budget.secondsLate == [0, letsGo ? 25 : 30], "\(budget.secondsLate)")
        }
    }

    @Test func whatTheMuxerLetsGoOfByItselfIsNotHeld() {
        var budget = InterleaveBudget(streams: 2, maxBytes: 100, maxSeconds: 1, letsGo: true)
        for tenth in 0..<1000 { expectAdd(&budget, stream: 0, dts: Double(tenth) / 10, bytes: 5, writes: false) }
        // A second of ten packets.
        #expect((45...55).contains(budget.heldBytes))
    }

    private func expectAdd(
        _ budget: inout InterleaveBudget, stream: Int, dts: Double, bytes: Int, writes: Bool
    ) {
        let mustWrite = budget.add(stream: stream, dts: dts, bytes: bytes)
        #expect(mustWrite == writes)
    }
}
