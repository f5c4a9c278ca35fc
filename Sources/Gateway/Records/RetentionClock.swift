import WriterModel

/// The time that ages of ended writers are counted by, as a value. Where the time of day is much later than it should
/// be, by what has passed since it was last looked at, the clock may have been set wrong: no age counts then for a day
/// of running time, in which it can be put right.
package struct RetentionClock: Sendable {
    /// As the time of day may be ahead.
    package static let tolerance = Duration.seconds(86_400)
    package static let hold = Duration.seconds(86_400)

    private var last: (wall: Timestamp, uptime: Duration)?
    private var heldUntil: Duration?

    /// `lastSeen`: the time of day when an earlier server looked at it. Without one, where there are writers, they are
    /// of a version that kept them for ever: it is held, too.
    package init(lastSeen: Timestamp?, hasWriters: Bool, uptime: Duration) {
        last = lastSeen.map { ($0, uptime) }
        if lastSeen == nil && hasWriters { heldUntil = uptime + Self.hold }
    }

    package var isHeld: Bool { heldUntil != nil }

    /// nil: ages do not count now. `uptime` is of a clock that only goes on.
    package mutating func now(wall: Timestamp, uptime: Duration) -> Timestamp? {
        if let last {
            let passed = Self.milliseconds(uptime - last.uptime)
            let ahead = wall.milliseconds - last.wall.milliseconds - passed
            if ahead > Self.milliseconds(Self.tolerance) {
                heldUntil = uptime + Self.hold
            } else if ahead < -Self.milliseconds(Self.tolerance) {
                // Put right, or set back: what is younger than it was stays longer.
                heldUntil = nil
            }
        }
        last = (wall, uptime)
        if let end = heldUntil, uptime >= end { heldUntil = nil }
        return heldUntil == nil ? wall : nil
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
