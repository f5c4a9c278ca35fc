import CLinux
import Glibc

/// Waiting on a few descriptors in a process without an event loop.
public enum Readiness {
    /// Returns once one of them has something to read or has ended.
    public static func await(_ descriptors: [Int32]) throws(SystemError) {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        if poll(&entries, nfds_t(entries.count), -1) < 0 && errno != EINTR { throw SystemError("wait") }
    }
}
