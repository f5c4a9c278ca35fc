import Libav
import Threading

/// What an output's queue goes by.
struct OutputPlan: Sendable {
    let name: String
    /// What fails it is its own failure, and not the writer's.
    let ownsFailure: Bool
    let opening: ContainerOpening
    let waitsWhenSlow: Bool
    let pace: OutputConfig.Pace
    /// The writer goes on without it, and before it is open.
    let isExpendable: Bool
    /// A new carrier for one that broke; nil: it is not opened again.
    let reconnect: (@Sendable () throws(StreamWriterError) -> any Carrier)?
    /// The next pictures of those tracks are to be key frames; or of those of them only that no other output has.
    let askForKeyFrames: @Sendable (_ tracks: [Int], _ unlessShared: Bool) -> Void

    /// By track.
    var isVideo: [Bool] { opening.streams.map { $0.media == .video } }
    var videoTracks: [Int] { opening.streams.indices.filter { opening.streams[$0].media == .video } }

    func seconds(of packet: Packet) -> Double {
        Double(packet.dts ?? packet.pts ?? 0) * opening.streams[packet.stream].timeBase.doubleValue
    }
}

/// When a packet's time has come.
struct PaceClock {
    private let pace: OutputConfig.Pace
    private var start: (instant: ContinuousClock.Instant, seconds: Double)?

    init(_ pace: OutputConfig.Pace) { self.pace = pace }

    /// nil: at once.
    mutating func due(_ seconds: Double) -> Deadline? {
        guard pace == .realtime else { return nil }
        let now = ContinuousClock.now
        let start = start ?? (now, seconds)
        self.start = start
        let ahead = start.instant + .seconds(seconds - start.seconds) - now
        return ahead > .zero ? .after(ahead) : nil
    }
}

/// How long a destination that broke is left alone before it is opened again: longer each time, unless it was open for
/// a while.
struct RetryPause {
    private static let shortest = Duration.milliseconds(250)
    private static let longest = Duration.seconds(15)
    /// One that takes connections and breaks them at once is no better than one that takes none.
    private static let steadyTime = Duration.seconds(10)
    private var next = shortest
    private var opened: ContinuousClock.Instant?

    mutating func noteOpened() { opened = .now }

    /// Waits. False: it is not to be tried again. The lock is taken.
    mutating func wait(on monitor: ConditionLock, while isWanted: () -> Bool) -> Bool {
        if let opened, ContinuousClock.now - opened > Self.steadyTime { next = Self.shortest }
        opened = nil
        let deadline = Deadline.after(next)
        next = min(next * 2, Self.longest)
        return monitor.withLock {
            while isWanted() && !deadline.hasPassed { monitor.wait(until: deadline) }
            return isWanted()
        }
    }
}

extension StreamWriterError {
    /// Not the fault of what the destination was told: it may take that another time.
    var isOfDestination: Bool { [.destinationFailed, .destinationTimedOut, .noProcess].contains(code) }
}
