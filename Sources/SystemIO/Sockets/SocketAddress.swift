import Bytewise
import CLinux
import Glibc

/// An address and port of IPv4 or IPv6; or a local socket's: where it listens, or whose process connected to it.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: UInt16
    public let isIPv6: Bool
    /// Then the host is "unix:PATH", or "unix:UID" of a peer, and there is no port.
    public let isLocal: Bool

    /// Out of other machines' reach.
    public var isLoopback: Bool {
        isLocal || host.begins(with: "127.") || host == "::1" || host.begins(with: "::ffff:127.")
    }

    public var description: String { isLocal ? host : isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// A local socket's at a path.
    init(path: String) { self.init(local: "unix:\(path)") }

    /// The user of the process at the other end of a local socket, as the kernel noted it when that connected.
    init?(localPeerOf descriptor: Int32) {
        let user = clinux_peer_user(descriptor)
        if user < 0 { return nil }
        self.init(local: "unix:\(user)")
    }

    private init(local: String) {
        host = local
        port = 0
        isIPv6 = false
        isLocal = true
    }

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
        isLocal = false
        host = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}
