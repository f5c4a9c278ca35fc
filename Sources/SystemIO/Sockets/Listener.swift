import Bytewise
import CLinux
import Glibc

/// An address and port of IPv4 or IPv6.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: UInt16
    public let isIPv6: Bool

    public var isLoopback: Bool {
        host.begins(with: "127.") || host == "::1" || host.begins(with: "::ffff:127.")
    }

    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    static func read(
        _ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let answer = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
        }
        return answer < 0 ? nil : SocketAddress(storage)
    }

    init?(_ storage: sockaddr_storage) {
        var storage = storage
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let size = socklen_t(text.count)
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee }
            }
            var bits = address.sin_addr
            inet_ntop(AF_INET, &bits, &text, size)
            port = UInt16(bigEndian: address.sin_port)
            isIPv6 = false
        case AF_INET6:
            let address = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { $0.pointee }
            }
            var bits = address.sin6_addr
            inet_ntop(AF_INET6, &bits, &text, size)
            port = UInt16(bigEndian: address.sin6_port)
            isIPv6 = true
        default:
            return nil
        }
        host = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}

/// A listening TCP socket.
public final class Listener: Sendable {
    public let descriptor: Int32
    /// Where it listens, with the port the kernel chose when 0 was asked for.
    public let address: SocketAddress

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
    }

    deinit { close(descriptor) }

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
