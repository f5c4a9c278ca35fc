import CLinux
import Glibc
import Threading

/// One end of a Unix socket pair that carries whole messages, each with at most one
/// descriptor. Sending is safe from any thread; one thread receives.
public final class MessageSocket: Sendable {
    public enum Received: ~Copyable {
        case message([UInt8], descriptor: Int32?)
        /// Nothing waits (only without waiting).
        case nothing
        case ended
    }

    /// The largest message: below the kernel's default for one datagram.
    public static let maxMessageBytes = 192 * 1_024

    public let descriptor: Int32

    public init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    public enum Sent: Sendable, Equatable {
        case sent
        /// The receiver is behind, and stayed so until the deadline.
        case timedOut
        /// Longer than a message may be: it was not sent, and never can be.
        case tooLong
        case peerGone
    }

    /// Sends one message; with `passing`, a copy of that descriptor goes along (the caller
    /// still owns its own). Waits while the receiver is behind.
    public func send(_ bytes: [UInt8], passing: Int32? = nil, timeout: Duration = .seconds(5)) -> Sent {
        if bytes.count > Self.maxMessageBytes { return .tooLong }
        let deadline = Deadline.after(timeout)
        return bytes.withUnsafeBytes { bytes in
            var part = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
            var passed = passing ?? -1
            while true {
                let sent = clinux_send_message(descriptor, &part, 1, &passed, passing == nil ? 0 : 1)
                if sent >= 0 { return .sent }
                switch errno {
                case EINTR: continue
                case EMSGSIZE: return .tooLong
                case EAGAIN:
                    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&entry, 1, deadline.pollTimeout)
                // Too many descriptors are in flight: the receiver must take some first.
                case ETOOMANYREFS: usleep(1_000)
                default: return .peerGone
                }
                if deadline.hasPassed { return .timedOut }
            }
        }
    }

    /// Takes the next message. A descriptor that came with it is lost, and its place nil, when this
    /// process has no room for another one. The caller owns a descriptor that comes with it.
    public func receive(waiting: Bool) -> Received {
        var descriptors: [Int32] = [-1, -1, -1, -1]
        var descriptorCount = 0
        var truncated: Int32 = 0
        while true {
            // How long it is: a message is seldom as long as it may be.
            let length = recv(descriptor, nil, 0, Int32(MSG_PEEK) | Int32(MSG_TRUNC) | (waiting ? 0 : Int32(MSG_DONTWAIT)))
            // The kernel tells of a peer that closed before it had read everything once, and before
            // what the peer itself had sent: that is still there to be taken.
            if length < 0 && (errno == EINTR || errno == ECONNRESET) { continue }
            if length < 0 && errno == EAGAIN { return .nothing }
            if length <= 0 || length > Self.maxMessageBytes { return .ended }
            let message = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                count = max(0, clinux_receive_message(
                    descriptor, buffer.baseAddress, length, &descriptors, &descriptorCount, &truncated, 0))
            }
            for extra in descriptors.prefix(descriptorCount).dropFirst() { close(extra) }
            let first = descriptorCount > 0 ? descriptors[0] : nil
            if message.isEmpty || truncated != 0 {
                if let first { close(first) }
                return .ended
            }
            return .message(message, descriptor: first)
        }
    }

    /// In a fork that has no use for the socket: closes its copy. The object must not be used
    /// there any more, and never ends there.
    public func closeInChild() { close(descriptor) }

    /// No more from this side; the peer reads what is there, then `.ended`.
    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}
