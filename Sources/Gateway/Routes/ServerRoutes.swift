import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// What the gateway tells those who run the server: that it lives, whether it is ready, its metrics, its contract.
final class ServerRoutes: Sendable {
    private let configuration: CurrentConfiguration
    private let registry: Registry
    private let encoders: EncoderSupervisor
    private let tokens: Tokens
    private let metrics: MetricCounter
    private let metricsCache = MetricsCache()
    private let sandbox: SandboxReport
    private let isStopping: Latch
    private let isDraining: Latch
    /// Whose connections are counted.
    private let server: HTTPServer
    private let peers: Peers?
    private let retention: Retention?

    init(
        configuration: CurrentConfiguration, registry: Registry, encoders: EncoderSupervisor, tokens: Tokens,
        metrics: MetricCounter, sandbox: SandboxReport, isStopping: Latch, isDraining: Latch, server: HTTPServer, peers: Peers?,
        retention: Retention?
    ) {
        self.retention = retention
        self.peers = peers
        self.configuration = configuration
        self.registry = registry
        self.encoders = encoders
        self.tokens = tokens
        self.metrics = metrics
        self.sandbox = sandbox
        self.isStopping = isStopping
        self.isDraining = isDraining
        self.server = server
    }

    func response(to operation: ServerOperation, of route: Route, _ exchange: Exchange) throws(Problem) -> Response {
        if configuration.protectsOperations { try tokens.authenticator.identify(exchange).require(route.scope) }
        return switch operation {
        case .livez: .json(["status": "ok"])
        case .readyz: readiness
        case .getMetrics:
            Response(
                .ok, fields: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
                body: .bytes(metricsText(for: exchange.head)))
        case .getContract:
            Response(.ok, fields: [("Content-Type", "application/yaml")], body: .shared(PackageResources.openapi_yaml))
        }
    }

    private var readiness: Response {
        if isStopping.isSet { return notReady(Problem(.serverStopped, "The server is ending.")) }
        if isDraining.isSet { return notReady(.draining(registry.liveCount)) }
        if !encoders.canStart { return notReady(Problem(.overloaded, "The fork server is being restarted.")) }
        var members: JSONObject = ["status": "ok", "sandbox": sandbox.json]
        members["node"] = configuration.node.map { .string($0.text) }
        return .json(.object(members))
    }

    /// Other nodes ask here how this one is called, ready or not.
    private func notReady(_ problem: Problem) -> Response {
        var problem = problem
        if let node = configuration.node { problem.extras.append(.init("node", .string(node.text))) }
        return .problem(problem)
    }

    private func metricsText(for head: RequestHead) -> [UInt8] {
        // By name for an admin's token, also where none is asked for.
        let caller = tokens.current == nil ? nil : try? tokens.authenticator.identify(head)
        let isAdmin = caller?.scopes.contains(.admin) == true
        return metricsCache.text(withNames: isAdmin) { MetricsText.render(metrics.current, gauges(withNames: isAdmin)) }
    }

    private func gauges(withNames: Bool) -> MetricsText.Gauges {
        MetricsText.Gauges(
            connections: server.connectionCount, writersByOwner: registry.countsByOwner,
            writerLimit: configuration.limits.maxWriters, carriers: encoders.carriers.countAtWork, isDraining: isDraining.isSet, showsNames: withNames, encoders: encoders.tally.current,
            sandbox: sandbox, peerRequests: peers?.counts ?? [:], retired: retention?.counts ?? [:],
            webhooks: encoders.webhooks?.figures.withLock { $0 } ?? Webhooks.Figures())
    }
}

extension Problem {
    fileprivate static func draining(_ liveWriters: Int) -> Problem {
        Problem(
            .draining, "The server is being drained: send new work to another. It keeps the writers that it has, and takes what comes all the same.",
            extras: [("live_writers", .integer(Int64(liveWriters)))])
    }
}

extension SandboxReport {
    fileprivate var json: JSONValue {
        [
            "landlock_abi": .integer(Int64(landlockABI)),
            "files": .bool(restrictsFiles),
            "tcp_ports": .bool(restrictsTCP),
            "signals": .bool(restrictsSignals),
            "system_calls": .bool(filtersSystemCalls),
            "missing": .array(missing.map { .string($0) }),
        ]
    }
}
