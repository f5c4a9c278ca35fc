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
        let place = "listen on \(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(clinux_stream_socket)
        var found: UnsafeMutablePointer<addrinfo>?
        let answer = getaddrinfo(host, String(port), &hints, &found)
        guard answer == 0, let chosen = found else {
            throw SystemError("\(place): \(String(cString: gai_strerror(answer)))", number: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(found) }
        let number = clinux_listening_socket(chosen.pointee.ai_family, chosen.pointee.ai_socktype)
        if number < 0 { throw SystemError(place) }
        var on: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // What it accepts inherits this.
        Socket.setNoDelay(number)
        guard bind(number, chosen.pointee.ai_addr, chosen.pointee.ai_addrlen) == 0,
            listen(number, backlog) == 0,
            let address = SocketAddress.read({ getsockname(number, $0, $1) })
        else {
            let error = SystemError(place)
            close(number)
            throw error
        }
        descriptor = number
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
