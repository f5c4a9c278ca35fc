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

    /// Returns once the peer of a socket has ended its side or is gone, whatever there still is to be read.
    public static func awaitHangUp(of descriptor: Int32) throws(SystemError) {
        var entry = pollfd(fd: descriptor, events: Int16(clinux_poll_peer_end), revents: 0)
        while poll(&entry, 1, -1) <= 0 { if errno != EINTR { throw SystemError("wait") } }
    }
}
