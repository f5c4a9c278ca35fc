import APICore
import HTTP1
import HTTPServer
import Logging
import SystemIO
import Synchronization
import WriterModel

/// Responds to requests at the gateway, or passes them, with their connection, to the encoder that does: by the
/// operation that a request's route names.
package final class Switchboard: RequestHandler {
    private let registry: Registry
    private let records: RecordStore
    private let encoders: EncoderSupervisor
    private let tokens: Tokens
    private let isStopping: Latch
    private let isDraining: Latch
    private let handover: EncoderHandover
    private let serverRoutes: ServerRoutes
    private let creation: CreationRoutes
    private let endedWriters: EndedWriterRoutes
    private let node: NodeName?
    /// nil: there are no other nodes.
    private let peers: Peers?
    private let earlier: EarlierWriters
    /// nil: ended writers are kept.
    private let retention: Retention?

    package init(
        configuration: CurrentConfiguration, registry: Registry, records: RecordStore, encoders: EncoderSupervisor, log: Logger,
        tokens: Tokens, metrics: MetricCounter, sandbox: SandboxReport, server: HTTPServer, peers: Peers? = nil,
        earlier: EarlierWriters? = nil, retention: Retention? = nil
    ) {
        self.earlier = earlier ?? EarlierWriters(registry)
        self.retention = retention
        node = configuration.node
        self.peers = peers
        self.registry = registry
        self.records = records
        self.encoders = encoders
        self.tokens = tokens
        isStopping = Latch()
        isDraining = Latch()
        handover = EncoderHandover(encoders: encoders, server: server, log: log)
        endedWriters = EndedWriterRoutes(
            registry: registry, records: records, earlier: self.earlier, retries: encoders.retries, tokens: tokens,
            maxJSONBytes: configuration.limits.maxJSONBytes)
        creation = CreationRoutes(
            configuration: configuration, registry: registry, encoders: encoders, tokens: tokens,
            isStopping: isStopping, handover: handover, endedWriters: endedWriters, peers: peers, earlier: self.earlier)
        serverRoutes = ServerRoutes(
            configuration: configuration, registry: registry, encoders: encoders, tokens: tokens,
            metrics: metrics, sandbox: sandbox, isStopping: isStopping, isDraining: isDraining, server: server, peers: peers, retention: retention)
    }

    /// The server says that it is not ready from here on, and still takes what comes.
    func drain() { isDraining.set() }

    var wantsNewWork: Bool { !isStopping.isSet && !isDraining.isSet }

    /// New writers are refused from here on.
    func stop() { isStopping.set() }

    package func handle(_ exchange: Exchange) { exchange.attempt { () throws(Problem) in try respond(to: exchange) } }

    /// Requests of machines that ask often how the server is, and those that need no token, do not take the
    /// threads of clients with one.
    package func kind(of head: RequestHead) -> RequestKind {
        // For every request: the others are known by their length.
        guard head.target.segments.count == 1, case .server(let operation) = (try? Route.match(head))?.operation else {
            return .ordinary
        }
        return switch operation {
        case .livez, .readyz: .healthCheck
        case .getMetrics, .getContract: .operational
        }
    }

    package func response(to refusal: Refusal, requestID: String) -> Response { .refusal(refusal, requestID: requestID) }

    private func respond(to exchange: Exchange) throws(Problem) {
        if exchange.head.method == .options { return exchange.respond(with: try Self.optionsResponse(exchange.head.target)) }
        let request = try Route.match(exchange.head)
        exchange.route = request.operation.id
        switch request.operation {
        case .server(let operation): exchange.respond(with: try serverRoutes.response(to: operation, of: request.route, exchange))
        case .listWriters: try list(exchange, for: try caller(of: request, exchange))
        case .creation: try creation.create(request.writer, by: try caller(of: request, exchange), exchange)
        case .encode: try creation.encode(by: try caller(of: request, exchange), exchange)
        case .catalog:
            _ = try caller(of: request, exchange)
            try handover.pass(exchange, to: try encoders.catalog())
        case .writer(let operation):
            let caller = try caller(of: request, exchange)
            // Every template of these has an id.
            guard let id = request.writer else { throw .nothing(at: exchange.head.target) }
            let writer = try registry.writer(id, meantBy: caller, exchange.head.target)
            try respond(to: operation, about: writer, of: request, for: caller, exchange)
        }
    }

    /// Who asks, if that may be asked now.
    private func caller(of request: RoutedRequest, _ exchange: Exchange) throws(Problem) -> Principal {
        let caller = try tokens.authenticator.identify(exchange)
        try caller.require(request.route.scope)
        if isStopping.isSet && request.route.scope == .write {
            throw Problem(.serverStopped, "The server is ending and takes no new work.")
        }
        return caller
    }

    /// RFC 9110 §9.3.7: what the server, or a path, takes.
    private static func optionsResponse(_ target: RequestTarget) throws(Problem) -> Response {
        let methods = Route.methods(of: target)
        if methods.isEmpty { throw .nothing(at: target) }
        return Response(.noContent, fields: [("Allow", (methods + ["OPTIONS"]).joined(separator: ", "))])
    }

    private func respond(
        to operation: WriterOperation, about writer: WriterID, of request: RoutedRequest, for caller: Principal, _ exchange: Exchange
    ) throws(Problem) {
        earlier.takeUp(writer)
        switch registry[writer] {
        case nil: throw peers?.wrongNode(of: writer) ?? noWriter(writer)
        case .live(let link):
            switch operation {
            case .deleteWriter: try deleteLive(link, exchange)
            case .finalizeWriter: try handover.pass(exchange, to: link, beyondShare: true)
            case .getWriter, .addStream, .setMetadata, .openWriter, .flushWriter, .writeChunk, .getUploadOffset, .requestKeyFrame, .changeStream,
                .getOutput, .getNamedOutput, .addOutput, .removeOutput, .retryOutput:
                try handover.pass(exchange, to: link)
            }
        case .orphaned where operation != .getWriter:
            throw Problem(
                .wrongState, "The writer's encoder outlived an earlier server and is finalizing. Try again soon.",
                extras: [("state", .string(WriterState.finalizing.rawValue))])
        case .orphaned, .ended, .unread:
            // Whose files are whose, all the origins together say.
            if [.deleteWriter, .getOutput, .getNamedOutput].contains(operation) { try earlier.awaitAll(exchange) }
            try endedWriters.respond(to: operation, about: writer, stream: request.stream, output: request.name, for: caller, exchange)
        }
    }

    private func noWriter(_ writer: WriterID) -> Problem {
        var problem = Problem.noWriter(writer.text)
        if let reason = retention?.reason(for: writer) { problem.detail = "The writer \(writer) had ended and was removed: \(reason.sentence)." }
        return problem
    }

    /// The encoder deletes its writer, unless it does not respond: then it is killed, and the gateway does.
    private func deleteLive(_ link: EncoderLink, _ exchange: Exchange) throws(Problem) {
        if try exchange.head.target.keepsOutput() { throw .keepsOutput(ofLive: link.writerState) }
        encoders.whenKnownToRespond(link, exchange) { [self] exchange, isGone in
            exchange.attempt { () throws(Problem) in
                guard isGone else { return try handover.pass(exchange, to: link, beyondShare: true) }
                exchange.respond(with: registry[link.writer] == nil ? Response(.noContent) : try endedWriters.delete(link.writer))
            }
        }
    }

    private func list(_ exchange: Exchange, for caller: Principal) throws(Problem) {
        try earlier.awaitAll(exchange)
        let target = exchange.head.target
        let owner = try caller.namedOwner(target.query("name")) ?? (caller.seesAll ? nil : .some(caller.name))
        let list = try WriterList(target)
        let form = try ResponseForm(exchange.head)
        if let peers, list.scope == .cluster {
            return peers.respond(to: exchange, with: try WriterList(target, scope: .node), for: caller, as: form) { [self] list in
                page(list, of: owner, for: caller).whole
            }
        }
        let own = page(list, of: owner, for: caller)
        switch form {
        case .json: try? exchange.respond(.ok, fields: form.fields, pieces: own)
        case .table: exchange.respond(with: .table(of: own, to: target))
        }
    }

    /// This node's own.
    private func page(_ list: WriterList, of owner: String??, for caller: Principal) -> WriterList.Page {
        WriterList.Page(list, of: registry, at: node, where: { writer in owner.map { $0 == writer.owner } ?? true }) { [records, earlier, retries = encoders.retries] item in
            let shown =
                if case .live(let link) = item.entry { link.snapshot?.resource } else {
                    earlier.record(of: item.writer, in: records).map { retries.shown($0, of: item.writer) }
                }
            var resource = shown?.naming(owner: caller.seesAll ? item.writer.owner : nil)
            // A damaged record's says when it was found.
            resource?["created_at"] = .string(item.createdAt.description)
            return resource
        }
    }
}

/// What is set once, for good: that the server is ending, or being drained.
final class Latch: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

extension Exchange {
    /// Responds, or responds with the problem that is thrown.
    func attempt(_ handle: () throws(Problem) -> Void) {
        do throws(Problem) {
            try handle()
        } catch {
            respond(with: error)
        }
    }
}

extension Registry {
    /// The writer that the caller means by an id: of its own name's or, where it sees all, of the name that the
    /// query gives, or of the only one that has the id.
    func writer(_ id: WriterID, meantBy caller: Principal, _ target: RequestTarget) throws(Problem) -> WriterID {
        if let owner = try caller.namedOwner(target.query("name")) { return id.owned(by: owner) }
        let own = id.owned(by: caller.name)
        if !caller.seesAll || self[own] != nil { return own }
        let unnamed = id.owned(by: nil)
        let holders = named(id.text) + (self[unnamed] == nil ? [] : [unnamed])
        if holders.count > 1 {
            throw Problem(
                .invalidParameter, "Several names have a writer \(id). Say which name's is meant: ?name=NAME.", parameter: "name",
                supported: holders.map { $0.owner ?? "" }.sorted())
        }
        return holders.first ?? own
    }
}
