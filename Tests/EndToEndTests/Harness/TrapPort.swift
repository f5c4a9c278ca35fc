import Foundation
import Synchronization

/// A socket that no program has any business with: it counts those that come, and never says a word.
final class TrapPort: Sendable {
    enum Kind: Sendable {
        case tcp, udp
        case unix(path: String)
    }

    let port: Int
    private let kind: Kind
    private let descriptor: Int32
    private let held = Mutex<[Int32]>([])

    init(_ kind: Kind) throws {
        self.kind = kind
        let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        switch kind {
        case .tcp: descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
        case .udp: descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | flags, 0)
        case .unix: descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        }
        var address = sockaddr_storage()
        var length = Self.fill(&address, kind)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw HarnessError("a trap: \(String(cString: strerror(errno)))") }
        if case .udp = kind {} else { listen(descriptor, 64) }
        port = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Int(UInt16(bigEndian: $0.pointee.sin_port)) }
        }
    }

    deinit {
        close(descriptor)
        for connection in held.withLock({ $0 }) { close(connection) }
    }

    /// How many connections have come so far, which stay open.
    var arrivals: Int {
        held.withLock { held in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { return held.count }
                held.append(connection)
            }
        }
    }

    /// How many came since the last call: connections, or datagrams.
    func visits() -> Int {
        var count = 0
        while true {
            if case .udp = kind {
                var byte: UInt8 = 0
                guard recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 else { return count }
            } else {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return count }
                close(connection)
            }
            count += 1
        }
    }

    private static func fill(_ storage: inout sockaddr_storage, _ kind: Kind) -> socklen_t {
        guard case .unix(let path) = kind else {
            return withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_family = sa_family_t(AF_INET)
                    $0.pointee.sin_addr.s_addr = inet_addr("127.0.0.1")
                }
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
        }
        return withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr_un.self, capacity: 1) { address in
                address.pointee.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.pointee.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
            }
            return socklen_t(MemoryLayout<sockaddr_un>.size)
        }
    }
}
