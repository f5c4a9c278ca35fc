import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// What an encoder's process sees of its work once a second.
@Suite struct WorkWatchTests {
    private func call(_ number: UInt64, stream: Int = 0, _ part: CallUnderWay.Part = .encoder) -> CallUnderWay {
        CallUnderWay(stream: stream, part: part, number: number)
    }

    /// Two encoders of one stream may be at calls of the same number.
    @Test func callsOfTwoRenditionsAreToldApart() {
        var detector = StallDetector(callTimeout: 3)
        let calls = (0..<2).map { CallUnderWay(stream: 0, part: .encoder, number: 1, rendition: $0) }
        for _ in 0..<3 {
            let early = detector.look(at: calls)
            #expect(early == nil)
        }
        #expect(detector.look(at: [calls[1]])?.code == .encoderStalled)
    }

    @Test func aCallThatStaysTheSameForTheTimeoutIsAStall() {
        var detector = StallDetector(callTimeout: 3)
        // The first look says that it began before; then three seconds pass.
        for _ in 0..<3 {
            let early = detector.look(at: [call(1)])
            #expect(early == nil)
        }
        let problem = detector.look(at: [call(1, stream: 0)])
        #expect(problem?.code == .encoderStalled)
        #expect(problem?.detail == "The encoder of stream 0 did not come back from a call within 3 seconds (--call-timeout).")
        #expect(problem?.extras == [.init("stream", 0), .init("stage", "encoder")])
    }

    @Test func callsThatFollowEachOtherAreNone() {
        var detector = StallDetector(callTimeout: 1)
        let found = (1..<50).compactMap { detector.look(at: [call(UInt64($0))]) }
        #expect(found.isEmpty)
        // Nor one that came back meanwhile and is at it again.
        for calls in [[call(7)], [], [call(7)], [], [call(7)], []] {
            let found = detector.look(at: calls)
            #expect(found == nil)
        }
    }

    @Test func theStuckOneOfManyIsNamed() {
        var detector = StallDetector(callTimeout: 2)
        var found: Problem?
        for number in 0..<3 {
            found = detector.look(at: [call(UInt64(number)), call(5, stream: 3, .filters), call(UInt64(number), stream: 3)])
        }
        #expect(found?.extras == [.init("stream", 3), .init("stage", "filters")])
    }

    @Test func withoutATimeoutNothingIsAStall() {
        var detector = StallDetector(callTimeout: 0)
        let found = (0..<100).compactMap { _ in detector.look(at: [call(1)]) }
        #expect(found.isEmpty)
    }

    @Test func workIsReportedOnceAndNothingIsLost() {
        var reported = ReportedWork()
        var counts = MetricCounts()
        let told1 = reported.report(WorkDone(taken: 10, encoded: 8, bytesWritten: 100), cpuSeconds: 0.5, in: &counts)
        #expect(told1)
        #expect((counts.framesTaken, counts.framesEncoded, counts.bytesWritten) == (10, 8, 100) && counts.cpuSeconds == 0.5)
        // At rest: no message, and the little time is told later.
        var rest = MetricCounts()
        let told2 = reported.report(WorkDone(taken: 10, encoded: 8, bytesWritten: 100), cpuSeconds: 0.504, in: &rest)
        #expect(!told2)
        let told3 = reported.report(WorkDone(taken: 10, encoded: 8, bytesWritten: 100), cpuSeconds: 0.508, in: &rest)
        #expect(!told3)
        var next = MetricCounts()
        let told4 = reported.report(WorkDone(taken: 11, encoded: 11, bytesWritten: 130), cpuSeconds: 0.516, in: &next)
        #expect(told4)
        #expect((next.framesTaken, next.framesEncoded, next.bytesWritten) == (1, 3, 30))
        #expect(abs(next.cpuSeconds - 0.016) < 1e-9)
    }

    /// What libav writes by itself, with no time to speak of and no frame in between.
    @Test func bytesThatComeLateAreReportedToo() {
        var reported = ReportedWork()
        var counts = MetricCounts()
        let told = reported.report(WorkDone(taken: 10, encoded: 8, bytesWritten: 100, tallies: [.audioBytesReceived: 40]), cpuSeconds: 0.5, in: &counts)
        #expect(told && counts.tallies == [.audioBytesReceived: 40])
        var next = MetricCounts()
        let toldNext = reported.report(
            WorkDone(taken: 10, encoded: 10, bytesWritten: 130, tallies: [.audioBytesReceived: 40, .uploadsCut: 1]), cpuSeconds: 0.501, in: &next)
        #expect(toldNext)
        #expect((next.framesEncoded, next.bytesWritten) == (2, 30) && next.tallies == [.uploadsCut: 1])
    }

    @Test func answersAreReportedEvenWhereNothingWasEncoded() {
        var reported = ReportedWork()
        var counts = MetricCounts()
        counts.answers[.init(route: "getWriter", status: 200)] = 1
        let told5 = reported.report(WorkDone(), cpuSeconds: 0, in: &counts)
        #expect(told5)
    }
}
