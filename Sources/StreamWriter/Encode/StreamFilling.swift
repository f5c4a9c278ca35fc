import Threading

/// Fills up the streams that send nothing, so that what others have goes out: by how far the others are, and where all
/// are filled and their destination is live by the clock. Any thread.
final class StreamFilling: @unchecked Sendable {
    // Unchecked: `monitor` guards the state; the streams are worked on in their turns.
    private let monitor = ConditionLock()
    private let streams: [OpenStream]
    private let failure: FirstFailure
    private let isLive: Bool
    private var places: [Place]
    private var isEnded = false

    /// How far a stream is.
    private struct Place {
        /// Seconds; nil while there is nothing of it.
        var start: Double?
        var end = 0.0
        /// When frames of it last came, and how far it was then. Before the first: since when they are awaited.
        var came = ContinuousClock.now
        var endThen = 0.0
    }

    /// Nil: none of the streams is filled.
    init?(_ streams: [OpenStream], failure: FirstFailure, isLive: Bool) {
        guard streams.contains(where: \.live.fills) else { return nil }
        self.streams = streams
        self.failure = failure
        self.isLive = isLive
        places = streams.map { _ in Place() }
    }

    /// Where nothing comes at all the clock says how far streams should be.
    var goesByClock: Bool { isLive && streams.allSatisfy(\.live.fills) }

    /// A chunk of the stream has come so far: those that are too far behind are filled up. Where nothing is played at
    /// once, one that has only just sent something is waited for. `start`, in seconds: of the chunk. In the stream's turn.
    func advanced(_ stream: OpenStream, from start: Double) throws(StreamWriterError) {
        let end = stream.endPTS
        let behind = monitor.withLock {
            note(stream, start, end)
            return lagging(behind: end).filter { $0.index != stream.index }
        }
        for other in behind {
            if !isLive, try awaitOther(other, upTo: end) { continue }
            try fill(other, upTo: end)
        }
    }

    /// Time may not go on so far that others could not be filled up to it.
    func requireFillable(beside stream: OpenStream, upTo pts: Double) throws(StreamWriterError) {
        for other in streams where other.live.fills && other.index != stream.index {
            let end = monitor.withLock { places[other.index].start.map { _ in places[other.index].end } ?? places.compactMap(\.start).min() }
            guard let end, pts - end > other.mostFilled else { continue }
            throw StreamWriterError(
                .invalidParameter,
                "pts \(pts) is \(pts - end) s beyond stream \(other.index), which is to be filled while it sends nothing; at most \(other.mostFilled) s are, so go on before \(end + other.mostFilled)",
                parameter: "pts")
        }
    }

    // MARK: By the clock

    /// When the next stream is to be filled; nil: there will be no more.
    var nextLook: Deadline? {
        monitor.withLock {
            if isEnded || failure.error != nil { return nil }
            let waits = places.compactMap { place in
                place.start.map { _ in place.end - place.endThen + Limits.idleSeconds - (ContinuousClock.now - place.came).inSeconds }
            }
            // One whose queue is full stays due.
            return .after(.seconds(min(max(waits.min() ?? Limits.idleSeconds, 0.02), Limits.idleSeconds)))
        }
    }

    /// Waits until the deadline, or until the writer ends.
    func wait(until deadline: Deadline) {
        monitor.withLock { while !isEnded && !deadline.hasPassed { monitor.wait(until: deadline) } }
    }

    func end() {
        monitor.withLock {
            isEnded = true
            monitor.wakeAll()
        }
    }

    /// Fills what is behind the clock, and then what is behind that.
    func fillByClock() throws(StreamWriterError) {
        let now = ContinuousClock.now
        for stream in streams {
            let due = monitor.withLock { () -> Double? in
                let place = places[stream.index]
                let due = place.endThen + (now - place.came).inSeconds
                return place.start != nil && due - place.end > Limits.idleSeconds ? due : nil
            }
            if let due { try fill(stream, upTo: due) }
        }
        let end = monitor.withLock { places.map(\.end).max() ?? 0 }
        for stream in monitor.withLock({ lagging(behind: end) }) { try fill(stream, upTo: end) }
    }

    // MARK: -

    /// With the lock held.
    private func note(_ stream: OpenStream, _ start: Double, _ end: Double) {
        places[stream.index] = Place(start: places[stream.index].start ?? start, end: end, came: .now, endThen: end)
        monitor.wakeAll()
    }

    /// With the lock held.
    private func lagging(behind end: Double) -> [OpenStream] {
        // One that has not begun does so with the first of the others.
        let start = firstStart
        return streams.filter { stream in
            let place = places[stream.index]
            return stream.live.fills && end - (place.start == nil ? start : place.end) > Limits.idleSeconds
        }
    }

    /// With the lock held.
    private var firstStart: Double { places.compactMap(\.start).min() ?? 0 }

    /// Waits while the stream comes; true once it is near enough. False: nothing has come of it for some time.
    private func awaitOther(_ stream: OpenStream, upTo end: Double) throws(StreamWriterError) -> Bool {
        let isNear = monitor.withLock {
            while !isEnded && failure.error == nil {
                let place = places[stream.index]
                if place.start != nil, end - place.end <= Limits.idleSeconds { return true }
                let left = Limits.idleWait - (ContinuousClock.now - place.came)
                if left <= .zero { return false }
                // A failure wakes no one here.
                monitor.wait(until: .after(min(left, .milliseconds(50))))
            }
            return true
        }
        try failure.check()
        return isNear
    }

    /// One that another thread works on is not idle.
    private func fill(_ stream: OpenStream, upTo end: Double) throws(StreamWriterError) {
        guard stream.live.tryTakingTurn() else { return }
        defer { stream.live.giveTurn() }
        let start = monitor.withLock { firstStart }
        try stream.fillIdle(upTo: end, from: start)
        monitor.withLock {
            guard stream.progress.current.idleSeconds > 0 || places[stream.index].start != nil else { return }
            if places[stream.index].start == nil { places[stream.index].start = start }
            places[stream.index].end = stream.endPTS
            monitor.wakeAll()
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
