import SystemIO
import WriterModel

/// When something was asked for. Texts are made of it only where it is shown.
package struct Moment: Sendable {
    private let seconds: Int64
    private let nanoseconds: Int32

    package static func now() -> Moment {
        let time = WallClock.now()
        return Moment(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    var json: JSONValue { .string(Timestamp(secondsSinceEpoch: seconds, nanoseconds: nanoseconds).description) }
}

/// How an upload ended that did not come whole, by its client's doing.
package enum UploadBreak: Sendable {
    case cut, timedOut
}

/// What comes into one stream: whether its client is there, and whether it keeps up with time.
package struct StreamActivity: Sendable {
    private var isReceiving = false
    private var interruption: (at: Moment, offset: Int64)?
    private var lastRequest: Moment?
    private var clock = StreamClock()
    /// Chunks that came late.
    private(set) var late: Int64 = 0

    package init() {}

    package var state: UploadState { isReceiving ? .receiving : interruption == nil ? .none : .interrupted }

    /// A chunk begins. `mediaTime`: where it goes, in seconds; nil where the writer has no time to keep up with. True:
    /// it follows one that was interrupted.
    package mutating func begin(at now: Moment, _ instant: ContinuousClock.Instant, mediaTime: Double?) -> Bool {
        defer { (isReceiving, interruption, lastRequest) = (true, nil, now) }
        if let mediaTime, clock.isLate(at: instant, mediaTime: mediaTime) { late += 1 }
        return interruption != nil
    }

    /// `brokenAt`: the stream's offset, where its upload did not come whole.
    package mutating func end(at now: Moment, brokenAt offset: Int64?) {
        (isReceiving, lastRequest) = (false, now)
        interruption = offset.map { (now, $0) }
    }

    package func add(to stream: inout JSONObject) {
        stream["upload"] = .string(state.rawValue)
        if let interruption { stream["interruption"] = ["at": interruption.at.json, "offset": .integer(interruption.offset)] }
        stream["last_request_at"] = lastRequest?.json
    }
}

/// Tells whether the chunks of a live stream come as fast as its time goes. Time begins with the first chunk, and again
/// with each that is late; a client that is ahead has that much in hand.
package struct StreamClock: Sendable {
    /// How far behind is late: less than what players and servers of live streams keep in hand.
    package static let toleranceInSeconds = 1.0

    private var start: (at: ContinuousClock.Instant, mediaTime: Double)?

    package init() {}

    /// Of a chunk that begins now and goes to `mediaTime`, in seconds.
    package mutating func isLate(at now: ContinuousClock.Instant, mediaTime: Double) -> Bool {
        guard let start else {
            self.start = (now, mediaTime)
            return false
        }
        // In floating point: whatever time a client names is compared before it is judged.
        if (now - start.at).inSeconds <= mediaTime - start.mediaTime + Self.toleranceInSeconds { return false }
        self.start = (now, mediaTime)
        return true
    }
}
