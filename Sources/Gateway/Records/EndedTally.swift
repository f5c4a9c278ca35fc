import WriterModel

/// How many writers have ended, by owner and state, and what their managed outputs come to: a count, without looking
/// at any of them.
package struct EndedTally: Sendable, Equatable {
    package struct Share: Sendable, Equatable {
        package var states: [WriterState: Int] = [:]
        package var bytes: Int64 = 0

        package var count: Int { states.values.reduce(0, +) }
    }

    package private(set) var byOwner: [String?: Share] = [:]
    package private(set) var count = 0
    package private(set) var bytes: Int64 = 0
    /// No writer ended before; nil: none has.
    package var earliest: Timestamp?

    package init() {}

    mutating func count(_ state: WriterState, _ end: Registry.End?, of owner: String?, by change: Int) {
        var share = byOwner[owner] ?? Share()
        share.states[state, default: 0] += change
        if share.states[state] == 0 { share.states[state] = nil }
        share.bytes &+= Int64(change) * (end?.bytes ?? 0)
        byOwner[owner] = share.states.isEmpty ? nil : share
        count += change
        bytes &+= Int64(change) * (end?.bytes ?? 0)
        if let end, change > 0 { earliest = min(earliest ?? end.at, end.at) }
    }
}
