import CLinux
import Glibc

/// A listening socket: of TCP, or a local one.
public final class Listener: Sendable {
    public let descriptor: Int32
    /// Where it listens, with the port the kernel chose when 0 was asked for.
    public let address: SocketAddress
    /// What a local one has in the file system.
    let file: LocalSocketFile?

    /// Listens on `host` (a name or an address) and `port`; 0 takes a free port.
    public init(host: String, port: UInt16, backlog: Int32 = 1_024) throws(SystemError) {
        let bindable = try BindableAddress(host: host, port: port)
        let socket = try bindable.bound()
        guard listen(socket.number, backlog) == 0, let address = SocketAddress.read({ getsockname(socket.number, $0, $1) }) else {
            throw SystemError(bindable.operation)
        }
        descriptor = socket.take()
        self.address = address
        file = nil
    }

    /// `descriptor` listens already, and is the listener's from here on.
    init(listening descriptor: Int32, at file: LocalSocketFile) {
        self.descriptor = descriptor
        self.file = file
        address = SocketAddress(path: file.path)
    }

    deinit {
        close(descriptor)
        // Of a server that does not start nothing is left.
        try? removeFile()
    }

    /// Takes the next waiting connection, non-blocking and without Nagle's delay; nil when none
    /// waits. The caller owns the descriptor.
    public func accept() throws(SystemError) -> Int32? {
        while true {
            let number = clinux_accept(descriptor)
            if number >= 0 { return number }
            switch errno {
            // accept(2): what had gone wrong with that one connection, not with the listener.
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH:
                continue
            case EAGAIN: return nil
            default: throw SystemError("accept a connection")
            }
        }
    }
}
