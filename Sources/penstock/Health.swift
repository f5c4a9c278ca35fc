import ArgumentParser
import SystemIO

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a server on this machine whether it is well: exit code 0 or 1.")

    @Option(help: "The server's address.")
    var host = Environment["PENSTOCK_HEALTH_HOST"] ?? "127.0.0.1"

    @Option(help: "The server's port.")
    var port: UInt16 = Environment["PENSTOCK_PORT"].flatMap(UInt16.init) ?? 8_080

    func run() throws {
        let request = Array("GET /livez HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        let connection = Descriptor(owning: try Socket.connect(host: host, port: port))
        let timeout = Duration.seconds(3)
        _ = request.withUnsafeBytes { Socket.sendAll(connection.number, [$0], timeout: timeout) }
        var answer = [UInt8](repeating: 0, count: 64)
        let progress = answer.withUnsafeMutableBytes {
            Socket.receive(connection.number, into: [$0], limit: 64, deadline: .after(timeout))
        }
        guard case .moved = progress, answer.starts(with: Array("HTTP/1.1 200".utf8)) else {
            throw ExitCode(1)
        }
    }
}
