import CLinux
import Glibc

/// The one owner of a file descriptor: closed when it ends, or given away with `take()`.
public struct Descriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes over `number`, which nothing else may close from here on.
    public init(owning number: Int32) { self.number = number }

    /// Another descriptor of the same open file; nil when there is no room for one.
    public init?(duplicating original: Int32) {
        let copy = clinux_duplicate(original)
        guard copy >= 0 else { return nil }
        self.init(owning: copy)
    }

    /// Gives the descriptor away: the caller closes it.
    public consuming func take() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { close(number) }
}

/// The read and write ends of a pipe-like pair.
public struct DescriptorPair: ~Copyable, Sendable {
    public let first: Descriptor
    public let second: Descriptor

    /// Two connected Unix sockets that keep message boundaries.
    public static func messageSockets() throws(SystemError) -> DescriptorPair {
        try sockets(of: Int32(clinux_message_socket))
    }

    /// Two connected Unix sockets that carry bytes.
    public static func streamSockets() throws(SystemError) -> DescriptorPair {
        try sockets(of: Int32(clinux_stream_socket))
    }

    private static func sockets(of type: Int32) throws(SystemError) -> DescriptorPair {
        var numbers: [Int32] = [-1, -1]
        if clinux_socket_pair(type, &numbers) < 0 { throw SystemError("make a socket pair") }
        return DescriptorPair(
            first: Descriptor(owning: numbers[0]), second: Descriptor(owning: numbers[1]))
    }

    init(first: consuming Descriptor, second: consuming Descriptor) {
        self.first = first
        self.second = second
    }

    public consuming func split() -> (Int32, Int32) { (first.take(), second.take()) }
}
