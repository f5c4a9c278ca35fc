import Bytewise

/// What is wrong with other nodes and their names, so that the log has each change once, and nothing of each request.
package struct PeerConditions {
    package enum Change: Equatable {
        case began
        case ended
    }

    private struct Condition {
        /// nil: all is well again.
        var flaw: String?
        let toldAt: ContinuousClock.Instant
        var notedAt: ContinuousClock.Instant
    }

    /// No more often the log says of one that something is wrong, though it come and go.
    package static let interval = Duration.seconds(60)
    /// For so long one that nothing is heard of is remembered.
    private static let memory = Duration.seconds(3_600)

    private var conditions: [String: Condition] = [:]

    package init() {}

    /// What to tell of it; nil: the log has it, or not yet.
    package mutating func note(_ flaw: String?, of subject: String, at now: ContinuousClock.Instant) -> Change? {
        conditions[subject]?.notedAt = now
        let known = conditions[subject]
        guard let flaw else {
            if known?.flaw == nil { return nil }
            conditions[subject]?.flaw = nil
            return .ended
        }
        if let known, known.flaw.map(flaw.isSame(as:)) ?? false || now - known.toldAt < Self.interval { return nil }
        conditions = conditions.filter { now - $0.value.notedAt < Self.memory }
        conditions[subject] = Condition(flaw: flaw, toldAt: now, notedAt: now)
        return .began
    }
}
