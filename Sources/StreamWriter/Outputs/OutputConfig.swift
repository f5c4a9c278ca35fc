/// One of a writer's outputs: where packets go, which, and what holds when that goes wrong.
public struct OutputConfig: Sendable {
    /// What becomes of the writer when the output fails.
    public enum FailurePolicy: String, Sendable, CaseIterable {
        /// It fails, too.
        case fail
        /// It goes on without the output.
        case `continue`
    }

    /// What happens when the output takes less than the encoders make.
    public enum SlowPolicy: String, Sendable, CaseIterable {
        /// The encoders wait for it.
        case wait
        /// Its packets are left out, up to a key frame, and counted.
        case drop
    }

    /// When packets leave.
    public enum Pace: String, Sendable, CaseIterable {
        /// As they come.
        case none
        /// When their time has come, counted from the first.
        case realtime
    }

    public var name: String
    public var destination: Destination
    /// The muxer; nil: by the destination's name.
    public var format: String?
    public var bufferSize: Int?
    /// Decides about a URL, and about what the muxer opens by itself.
    public var opener: (any OutputOpener)?
    /// For the protocol, the device and the muxer. What streams lose in the container may depend on it.
    public var option: [String: String]?
    /// nil: the writer's.
    public var metadata: [String: String]?
    /// The streams that it has, or renditions of them, in its own order; nil: all.
    public var streams: [StreamSelection]?
    /// Of a dry run: it is not opened, and what its container takes is looked at.
    public var isOnlyLookedAt = false
    public var onFailure = FailurePolicy.fail
    public var whenSlow = SlowPolicy.wait
    public var pace = Pace.none
    /// Seconds that opening may take; nil: as the writer says.
    public var openTimeout: Double?
    /// Makes the destination anew, for one that has broken; nil: it is not opened again.
    public var reconnect: (@Sendable () throws(StreamWriterError) -> Destination)?

    public init(name: String = "main", destination: Destination, format: String? = nil) {
        self.name = name
        self.destination = destination
        self.format = format
    }
}

/// How an output is doing.
public struct OutputProgress: Sendable, Equatable {
    public enum State: String, Sendable {
        case configuring, opening, open, reconnecting, closed, failed
    }

    public init(_ state: State = .configuring) { self.state = state }

    public internal(set) var state: State
    public internal(set) var bytesWritten: Int64 = 0
    /// That were given to its container.
    public internal(set) var packets: Int64 = 0
    public internal(set) var packetsDropped: Int64 = 0
    /// How often it was opened, with or without success.
    public internal(set) var attempts = 0
    /// Seconds of media that wait for it.
    public internal(set) var lag = 0.0
    /// The last thing that went wrong, be it made good by now or not.
    public internal(set) var error: StreamWriterError?
}
