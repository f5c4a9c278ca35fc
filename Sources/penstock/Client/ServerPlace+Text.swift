import ArgumentParser
import Bytewise
import SystemIO
import Threading

// A place as a person writes it.
extension ServerPlace {
    /// `http://HOST[:PORT]`, `HOST:PORT` or `unix:PATH`.
    init(_ text: String) throws {
        let rule = "it must be http://HOST:PORT or unix:PATH"
        if text.begins(with: "https:") {
            throw ValidationError("\(text) is not asked: penstock speaks no TLS. Ask the server's own port behind the proxy, by http://HOST:PORT, or use curl.")
        }
        if let path = text.without(prefix: "unix:") {
            if path.isEmpty { throw ValidationError("\(text) has no path; \(rule).") }
            self = .local(path)
            return
        }
        let url = text.without(prefix: "http://")
        let authority = (url ?? text).without(suffix: "/") ?? url ?? text
        if authority.isEmpty || authority.holds("/") || authority.holds("?") || authority.holds("#") || authority.holds("@") || !authority.isPrintableASCII || authority.holds(" ") {
            throw ValidationError("\(text) is no place of a server; \(rule).")
        }
        if let place = try? ListenPlace(authority), case .tcp(let host, let port) = place {
            self = .tcp(host: host, port: port)
            return
        }
        // A URL need not name the port.
        let host = authority.without(prefix: "[")?.without(suffix: "]") ?? authority
        guard url != nil, host.holds(":") == authority.begins(with: "[") else { throw ValidationError("\(text) is no place of a server; \(rule).") }
        self = .tcp(host: host, port: 80)
    }

    /// As a Host field has it.
    var authority: String {
        switch self {
        case .tcp(let host, let port): ListenPlace.tcp(host: host, port: port).description
        case .local: "localhost"
        }
    }

    /// Where a server that listens at `place` is reached from this machine.
    init(listening place: ListenPlace) {
        switch place {
        case .tcp(let host, let port): self = .tcp(host: ServerOnThisMachine.reachable(host), port: port)
        case .local(let local): self = .local(local.path)
        }
    }

    /// Connects to the first of its addresses that takes it.
    func connect(until deadline: Deadline) throws(ServerClient.Failure) -> Descriptor {
        var reason = "the name is not known"
        do throws(SystemError) {
            guard case .tcp(let host, let port) = self else { return try connect(within: deadline.timeLeft) }
            for found in SocketAddress.all(of: host, port: port) ?? [] {
                do throws(SystemError) {
                    let connection = Descriptor(owning: try Socket.beginConnecting(to: found))
                    try Socket.awaitConnected(connection.number, until: deadline)
                    return connection
                } catch {
                    reason = error.reason
                }
            }
        } catch {
            reason = error.reason
        }
        throw ServerClient.Failure(reason: reason, isConnected: false)
    }
}
