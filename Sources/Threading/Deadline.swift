import Glibc

/// A moment on the monotonic clock that something must be done by.
public struct Deadline: Sendable, Comparable {
    private let nanoseconds: UInt64

    private init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static func after(_ duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        let wait = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if wait.overflow || wait.partialValue > UInt64.max / 2 { return .never }
        return Deadline(nanoseconds: now + wait.partialValue + UInt64(clamping: attoseconds / 1_000_000_000))
    }

    /// One that has passed: what is asked to wait until then takes what is there.
    public static let past = Deadline(nanoseconds: 0)
    public static let never = Deadline(nanoseconds: .max)

    /// None where it has passed.
    public var timeLeft: Duration {
        let now = Self.now
        return now >= nanoseconds ? .zero : .nanoseconds(Int64(clamping: nanoseconds - now))
    }

    public var hasPassed: Bool { Self.now >= nanoseconds }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What poll(2) wants: the time left, rounded up to a millisecond; -1 for no limit.
    package var pollTimeout: Int32 {
        if self == .never { return -1 }
        let now = Self.now
        if now >= nanoseconds { return 0 }
        return Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }

    /// The moment as the monotonic clock's own time.
    var timeSpecification: timespec {
        let bounded = min(nanoseconds, UInt64(Int64.max))
        return timespec(tv_sec: Int(bounded / 1_000_000_000), tv_nsec: Int(bounded % 1_000_000_000))
    }

    public static func < (left: Deadline, right: Deadline) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
