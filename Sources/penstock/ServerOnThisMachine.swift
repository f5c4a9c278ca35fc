import ArgumentParser
import Bytewise
import SystemIO

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

    /// Settings that are wrong are the server's to refuse; a file that can't be read says nothing of where it is.
    private func settings() throws -> Settings {
        let environment = SettingsEnvironment.ofProcess
        let effective = SettingsSource(commandLine: [:], environment: environment, path: config ?? environment[SettingsEnvironment.config]).read()
        if effective.isFileUnreadable {
            let sentences = effective.flaws.filter { if case .file = $0.place { true } else { false } }.map(\.sentence)
            throw ValidationError(sentences.joined(separator: "\n"))
        }
        return effective.settings
    }

    /// By the options, the environment and the file as they are now.
    func found() throws -> ServerPlace {
        if let unix { return .local(unix) }
        let ofHealth = SettingsEnvironment.ofProcess[SettingsEnvironment.healthHost]
        let settings = try settings()
        for case .tcp(let listening, let ofServer) in settings.places {
            return .tcp(host: host ?? ofHealth ?? Self.reachable(listening), port: port ?? ofServer)
        }
        if case .local(let place)? = settings.places.first, host == nil, port == nil { return .local(place.path) }
        return .tcp(host: host ?? ofHealth ?? "127.0.0.1", port: port ?? 8_080)
    }

    /// A server that listens on every address is there on loopback too.
    static func reachable(_ host: String) -> String {
        host.isSame(as: "0.0.0.0") ? "127.0.0.1" : host.isSame(as: "::") ? "::1" : host
    }
}
