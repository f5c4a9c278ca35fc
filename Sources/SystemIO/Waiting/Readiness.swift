import CLinux
import Glibc
import Threading

/// Waiting on a few descriptors in a process without an event loop.
public enum Readiness {
    /// Returns once one of them has something to read or has ended; false when the deadline passed first.
    @discardableResult
    public static func await(_ descriptors: [Int32], until deadline: Deadline = .never) throws(SystemError) -> Bool {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let ready = poll(&entries, nfds_t(entries.count), deadline.pollTimeout)
        if ready < 0 && errno != EINTR { throw SystemError("wait") }
        return ready != 0
    }
}
