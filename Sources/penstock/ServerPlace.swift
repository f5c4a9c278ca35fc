import SystemIO
import Threading

/// A server's address on this machine, and what it responds there.
enum ServerPlace {
    case tcp(host: String, port: UInt16)
    case local(String)

    /// For messages.
    var address: String {
        switch self {
        case .tcp(let host, let port): ListenPlace.tcp(host: host, port: port).description
        case .local(let path): "unix:\(path)"
        }
    }

    /// `time`: for a local socket whose server takes no connections.
    func connect(within time: Duration = .seconds(10)) throws(SystemError) -> Descriptor {
        switch self {
        case .tcp(let host, let port): Descriptor(owning: try Socket.connect(host: host, port: port))
        case .local(let path): Descriptor(owning: try Socket.connect(path: path, within: time))
        }
    }

    /// What it responds to a GET, with a body that is not long; nil: not within three seconds.
    func get(_ path: String) throws(SystemError) -> (status: Int, body: [UInt8])? {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let connection = try connect()
        let timeout = Duration.seconds(3)
        _ = request.withUnsafeBytes { Socket.sendAll(connection.number, [$0], timeout: timeout) }
        let response = Self.receive(connection.number, until: .after(timeout))
        guard response.starts(with: Array("HTTP/1.1 ".utf8)),
            let status = Int(String(decoding: response.dropFirst(9).prefix(3), as: UTF8.self))
        else { return nil }
        let end = Array("\r\n\r\n".utf8)
        let body = response.indices.first { response[$0...].starts(with: end) }.map { response[($0 + end.count)...] } ?? []
        return (status, Array(body))
    }

    /// All that comes, up to 64 KiB.
    private static func receive(_ connection: Int32, until deadline: Deadline) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while received.count < 65_536 {
            let progress = buffer.withUnsafeMutableBytes {
                Socket.receive(connection, into: [$0], limit: $0.count, deadline: deadline)
            }
            guard case .moved(let count) = progress, count > 0 else { break }
            received += buffer[..<count]
        }
        return received
    }
}
