import Threading

/// The least speed at which a peer must take what is sent to it: in each `window` some of it, and all
/// of each 64 KiB.
public struct Pace {
    private let window: Duration
    private var left = Self.bytesPerWindow
    private var windowEnd: Deadline

    private static let bytesPerWindow = 64 * 1_024

    public init(_ window: Duration) {
        self.window = window
        windowEnd = .after(window)
    }

    /// Of the next step.
    public var deadline: Deadline { windowEnd }

    public mutating func moved(_ count: Int) {
        left -= count
        guard left <= 0 else { return }
        left = Self.bytesPerWindow
        windowEnd = .after(window)
    }
}
