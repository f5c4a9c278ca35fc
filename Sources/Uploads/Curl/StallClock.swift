import Threading

/// How long nothing has moved.
struct StallClock {
    private var lastProgress = 0
    private var lastMoved = ContinuousClock.now
    private var sentAll: ContinuousClock.Instant?

    mutating func restart() { lastMoved = .now }

    /// While the source has nothing to give, time does not count.
    mutating func note(progress: Int, waitsForSource: Bool, hasSentAll: Bool) {
        if progress != lastProgress || waitsForSource { lastMoved = .now }
        lastProgress = progress
        if !hasSentAll { sentAll = nil } else if sentAll == nil { sentAll = .now }
    }

    func hasStalled(for limit: Duration) -> Bool { lastMoved.duration(to: .now) >= limit }
    func hasWaited(for limit: Duration) -> Bool { sentAll.map { $0.duration(to: .now) >= limit } ?? false }
}
