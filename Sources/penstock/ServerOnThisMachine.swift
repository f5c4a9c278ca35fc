import ArgumentParser
import Bytewise
import SystemIO
import Threading

/// Where a server on this machine listens, for commands that ask it.
struct ServerOnThisMachine: ParsableArguments {
    @Option(help: "The server's address; without any of these, where PENSTOCK_LISTEN, PENSTOCK_HOST, PENSTOCK_PORT and the configuration file have it.")
    var host: String?

    @Option(help: "The server's port.")
    var port: UInt16?

    @Option(help: ArgumentHelp("The server's socket, in place of address and port.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("The server's configuration file.", valueName: "file"))
    var config: String?

    func validate() throws {
        if unix != nil && (host != nil || port != nil) { throw ValidationError("--unix is in place of --host and --port.") }
    }

    /// Settings that are wrong are the server's to refuse.
    private var settings: Settings {
        let environment = SettingsEnvironment.ofProcess
        return SettingsSource(commandLine: [:], environment: environment, path: config ?? environment[SettingsEnvironment.config]).read().settings
    }

    private enum Place {
        case tcp(host: String, port: UInt16)
        case local(String)
    }

    private var place: Place {
        if let unix { return .local(unix) }
        let ofHealth = SettingsEnvironment.ofProcess[SettingsEnvironment.healthHost]
        let settings = settings
        for case .tcp(let listening, let ofServer) in settings.places {
            return .tcp(host: host ?? ofHealth ?? Self.reachable(listening), port: port ?? ofServer)
        }
        if case .local(let place)? = settings.places.first, host == nil, port == nil { return .local(place.path) }
        return .tcp(host: host ?? ofHealth ?? "127.0.0.1", port: port ?? 8_080)
    }

    /// A server that listens on every address is there on loopback too.
    private static func reachable(_ host: String) -> String {
        host.isSame(as: "0.0.0.0") ? "127.0.0.1" : host.isSame(as: "::") ? "::1" : host
    }

    /// For messages.
    var address: String {
        switch place {
        case .tcp(let host, let port): ListenPlace.tcp(host: host, port: port).description
        case .local(let path): "unix:\(path)"
        }
    }

    private func connect() throws(SystemError) -> Descriptor {
        switch place {
        case .tcp(let host, let port): Descriptor(owning: try Socket.connect(host: host, port: port))
        case .local(let path): Descriptor(owning: try Socket.connect(path: path))
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
