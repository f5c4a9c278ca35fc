import ArgumentParser
import SystemIO
import Threading

/// Where a server on this machine listens, for commands that ask it.
struct ServerOnThisMachine: ParsableArguments {
    @Option(help: "The server's address.")
    var host = Environment["PENSTOCK_HEALTH_HOST"] ?? "127.0.0.1"

    @Option(help: "The server's port.")
    var port: UInt16 = Environment["PENSTOCK_PORT"].flatMap(UInt16.init) ?? 8_080

    /// What it responds to a GET, with a body that is not long; nil: not within three seconds.
    func get(_ path: String) throws(SystemError) -> (status: Int, body: [UInt8])? {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        let connection = Descriptor(owning: try Socket.connect(host: host, port: port))
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
