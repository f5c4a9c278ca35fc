import CLinux
import Glibc

/// The time of day.
public enum WallClock {
    /// Since 1970-01-01T00:00:00Z.
    public static func now() -> (seconds: Int64, nanoseconds: Int32) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec), Int32(time.tv_nsec))
    }
}
