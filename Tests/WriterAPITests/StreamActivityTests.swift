import SystemIO
import Testing
import WriterAPI
import WriterModel

/// What is seen of a stream's uploads.
@Suite struct StreamActivityTests {
    private func members(_ activity: StreamActivity) -> JSONObject {
        var object: JSONObject = [:]
        activity.add(to: &object)
        return object
    }

    @Test func anInterruptionStaysUntilTheNextChunkBegins() {
        var activity = StreamActivity()
        #expect(activity.state == .none && members(activity)["last_request_at"] == nil)
        let first = activity.begin(at: .now(), .now, mediaTime: nil)
        #expect(!first && activity.state == .receiving)
        activity.end(at: .now(), brokenAt: 640)
        #expect(activity.state == .interrupted)
        let shown = members(activity)
        #expect(shown["interruption"]?.objectValue?["offset"] == 640)
        #expect(shown["interruption"]?.objectValue?["at"] == shown["last_request_at"])
        let resumes = activity.begin(at: .now(), .now, mediaTime: nil)
        #expect(resumes && activity.state == .receiving && members(activity)["interruption"] == nil)
        activity.end(at: .now(), brokenAt: nil)
        #expect(activity.state == .none)
        let last = activity.begin(at: .now(), .now, mediaTime: nil)
        #expect(!last)
    }

    /// So much is set aside for it in a record, of its largest.
    @Test func whatIsShownOfAStreamIsBounded() {
        var activity = StreamActivity()
        _ = activity.begin(at: .now(), .now, mediaTime: nil)
        activity.end(at: .now(), brokenAt: .max)
        #expect(JSONValue.object(members(activity)).encoded.count <= JSONObject.uploadBytes)
    }

    /// `?pts=1e30` ended the encoder: the time was compared before it was judged.
    @Test(arguments: [1e19, 1e30, Double.greatestFiniteMagnitude]) func anyTimeThatAClientNamesCanBeCompared(time: Double) {
        var clock = StreamClock()
        let now = ContinuousClock.now
        for mediaTime in [0, time, 0, time] { _ = clock.isLate(at: now, mediaTime: mediaTime) }
        let isLate = clock.isLate(at: now, mediaTime: time)
        #expect(!isLate)
    }

    @Test func aChunkIsLateOnceItsTimeHasPassedByASecond() {
        let start = ContinuousClock.now
        var clock = StreamClock()
        // Seconds after the first, where in the media, and whether that is late.
        for (seconds, mediaTime, isLate) in [
            (0.0, 0.0, false), (0.5, 0.4, false), (1.5, 0.6, false), (2.5, 1.4, true),
            // Counted from there, not again for the same pause.
            (2.6, 1.5, false), (3.5, 1.5, false), (3.7, 1.5, true),
            // A client that was ahead has that in hand.
            (3.8, 60, false), (60, 61, false), (64.8, 61.5, true),
        ] {
            let found = clock.isLate(at: start + .seconds(seconds), mediaTime: mediaTime)
            #expect(found == isLate, "\(seconds)")
        }
    }
}
