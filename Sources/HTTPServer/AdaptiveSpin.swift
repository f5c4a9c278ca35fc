/// Whether a client sends its next request so soon after an answer that looking for it again and again costs less
/// than sleeping: putting a thread to sleep and waking it takes tens of microseconds, on both sides.
package struct AdaptiveSpin {
    /// How long to look.
    package static let patience = Duration.microseconds(50)
    /// A wait that is worth looking for: what it takes to wake up is in it.
    package static let shortWait = Duration.microseconds(100)
    private static let least = 4
    private static let most = 256

    private var shortWaits = 0
    /// So many short waits in a row before it is worth looking; more, the more often that was wrong.
    private var needed = least

    package init() {}

    package var isWorthLooking: Bool { shortWaits >= needed }

    /// It slept until the request came.
    package mutating func slept(_ time: Duration) { shortWaits = time <= Self.shortWait ? shortWaits + 1 : 0 }

    package mutating func hit() { needed = Self.least }

    package mutating func missed() {
        shortWaits = 0
        needed = min(2 * needed, Self.most)
    }
}
