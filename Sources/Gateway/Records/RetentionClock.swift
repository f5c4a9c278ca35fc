import Bytewise
import WriterModel

/// The time that ages of ended writers are counted by, as a value. Where the time of day is much later than it should
/// be, by what has passed since it was last looked at, the clock may have been set wrong: no age counts then for a day
/// of running time, in which it can be put right. That day goes on in the next server where this one ends within it.
package struct RetentionClock: Sendable {
    /// What the next server has to know.
    package struct Note: Sendable, Equatable {
        /// The time of day when it was last looked at and taken for right; nil: it never was.
        package let believed: Timestamp?
        /// How long ages do not count yet.
        package let hold: Duration?

        package init(believed: Timestamp?, hold: Duration? = nil) {
            self.believed = believed
            self.hold = hold
        }

        /// "2026-11-20T00:00:00.000Z", or "2026-11-20T00:00:00.000Z held 86400", in seconds, or "none held 86400".
        package init?(_ text: String) {
            let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            let believed = words.first.flatMap(Timestamp.init)
            switch words.count {
            case 1 where believed != nil: self.init(believed: believed)
            case 3 where words[1].isSame(as: "held") && (believed != nil || words[0].isSame(as: "none")):
                guard let seconds = Int64(words[2]), (0...86_400).contains(seconds) else { return nil }
                self.init(believed: believed, hold: .seconds(seconds))
            default: return nil
            }
        }

        package var text: String {
            let time = believed?.description ?? "none"
            return hold.map { "\(time) held \($0.components.seconds)" } ?? time
        }
    }

    /// As the time of day may be ahead.
    package static let tolerance = Duration.seconds(86_400)
    package static let hold = Duration.seconds(86_400)

    private var believed: Timestamp?
    private var last: (wall: Timestamp, uptime: Duration)?
    private var heldUntil: Duration?
    private var isFirstLook = true

    /// `note`: of an earlier server. Without one, where there are writers, they are of a version that kept them for
    /// ever: it is held, too.
    package init(_ note: Note?, hasWriters: Bool, uptime: Duration) {
        believed = note?.believed
        last = believed.map { ($0, uptime) }
        heldUntil = (note?.hold ?? (note == nil && hasWriters ? Self.hold : nil)).map { uptime + $0 }
    }

    package var isHeld: Bool { heldUntil != nil }

    /// A time that may be wrong is not in it.
    package func note(uptime: Duration) -> Note {
        Note(believed: believed, hold: heldUntil.map { max(.zero, $0 - uptime) })
    }

    /// nil: ages do not count now. `uptime` is of a clock that only goes on.
    package mutating func now(wall: Timestamp, uptime: Duration) -> Timestamp? {
        if let last {
            let passed = Self.milliseconds(uptime - last.uptime)
            let ahead = wall.milliseconds - last.wall.milliseconds - passed
            if ahead > Self.milliseconds(Self.tolerance) {
                // What an earlier server was held for is still so.
                if !isFirstLook || heldUntil == nil { heldUntil = uptime + Self.hold }
            } else if ahead < -Self.milliseconds(Self.tolerance) || isFirstLook {
                // Put right, or set back: what is younger than it was stays longer.
                heldUntil = nil
            }
        }
        isFirstLook = false
        last = (wall, uptime)
        if let end = heldUntil, uptime >= end { heldUntil = nil }
        if heldUntil != nil { return nil }
        believed = wall
        return wall
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
