import APICore
import HTTP1
import HTTPServer
import Logging
import SystemIO
import Synchronization
import WriterModel

/// Answers requests at the gateway: what belongs to a live writer goes to its encoder, with
/// the connection; the rest is answered here.
package final class Switchboard: RequestHandler {
    private let configuration: GatewayConfiguration
    private let registry: Registry
    private let records: RecordStore
    private let encoders: EncoderSupervisor
    private let tokens: Tokens
    private let metrics: MetricCounter
    private let metricsCache = MetricsCache()
    private let sandbox: SandboxReport
    private let log: Logger
    /// The one whose requests these are.
    private let server: HTTPServer
    private let isStopping = Atomic(false)

    package init(
        configuration: GatewayConfiguration, registry: Registry, records: RecordStore, encoders: EncoderSupervisor, log: Logger,
        tokens: Tokens, metrics: MetricCounter, sandbox: SandboxReport, server: HTTPServer
    ) {
        self.server = server
        self.configuration = configuration
        self.registry = registry
        self.records = records
        self.encoders = encoders
        self.tokens = tokens
        self.metrics = metrics
        self.sandbox = sandbox
        self.log = log
    }

    /// New writers are refused from here on.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    package func handle(_ exchange: Exchange) { attempt(exchange) { () throws(Problem) in try answer(exchange) } }

    private func attempt(_ exchange: Exchange, _ answer: () throws(Problem) -> Void) {
        do throws(Problem) {
            try answer()
        } catch {
            exchange.reply(error)
        }
    }

    /// Those that are asked by machines, often, to know how the server is, and what anybody may ask without a
    /// token: their threads are not those of clients with one.
    package func kind(of head: RequestHead) -> RequestKind {
        // For every request: the others are known by their length.
        guard head.target.segments.count == 1 else { return .ordinary }
        return switch (try? Route.match(head))?.operation {
        case .getLiveness, .getReadiness: .healthCheck
        case .getMetrics, .getOpenAPI: .operational
        default: .ordinary
        }
    }

    package func response(to refusal: Refusal, requestID: String) -> Response { .refusal(refusal, requestID: requestID) }

    private func answer(_ exchange: Exchange) throws(Problem) {
        if exchange.head.method == .options { return answerOptions(exchange) }
        let request = try Route.match(exchange.head)
        exchange.route = request.operation.rawValue
        if request.operation.isOperational { return try answerOperational(request.operation, exchange) }
        let caller = try tokens.authenticator.identify(exchange)
        try caller.require(request.operation.scope)
        try answer(request, by: caller, exchange)
    }

    private func answerOperational(_ operation: Operation, _ exchange: Exchange) throws(Problem) {
        if configuration.protectsOperations {
            try tokens.authenticator.identify(exchange).require(operation.scope)
        }
        switch operation {
        case .getLiveness: exchange.reply(.json(["status": "ok"]))
        case .getMetrics:
            exchange.reply(
                Response(
                    .ok, fields: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
                    body: .bytes(metricsText(for: exchange.head))))
        case .getReadiness: exchange.reply(readiness)
        case .getOpenAPI:
            exchange.reply(
                Response(.ok, fields: [("Content-Type", "application/yaml")], body: .shared(PackageResources.openapi_yaml)))
        default: throw Problem(.notFound, "There is nothing at \(exchange.head.target.rawPath).")
        }
    }

    /// RFC 9110 §9.3.7: what the server, or a path, takes.
    private func answerOptions(_ exchange: Exchange) {
        let methods = Route.methods(of: exchange.head.target)
        if methods.isEmpty {
            exchange.reply(Problem(.notFound, "There is nothing at \(exchange.head.target.rawPath)."))
        } else {
            exchange.reply(Response(.noContent, fields: [("Allow", (methods + ["OPTIONS"]).joined(separator: ", "))]))
        }
    }

    private func answer(_ request: RoutedRequest, by caller: Principal, _ exchange: Exchange) throws(Problem) {
        if isStopping.load(ordering: .relaxed) && request.operation.scope == .write {
            throw Problem(.serverStopped, "The server is ending and takes no new work.")
        }
        switch (request.operation, request.writer) {
        case (let operation, _) where operation.isAboutLibav: try pass(exchange, to: try encoders.catalog())
        case (.encode, _): try start(WriterID.random().owned(by: caller.name), as: .encode, by: caller, exchange)
        case (.listWriters, _): try list(exchange, for: caller)
        case (.createWriter, _): try create(by: caller, exchange)
        case (.putWriter, let writer?): try create(writer.owned(by: caller.name), by: caller, exchange)
        case (_, let writer?):
            try answer(request, about: try found(writer, for: caller, exchange.head.target), for: caller, exchange)
        default: throw Problem(.notFound, "There is nothing at \(exchange.head.target.rawPath).")
        }
    }

    /// The writer that the caller means: of its own name's or, where it sees all, of the name that it gives,
    /// or of the only one that has the id.
    private func found(_ writer: WriterID, for caller: Principal, _ target: RequestTarget) throws(Problem) -> WriterID {
        if let owner = try caller.namedOwner(target.query("name")) { return writer.owned(by: owner) }
        let own = writer.owned(by: caller.name)
        if !caller.seesAll || registry[own] != nil { return own }
        let unnamed = writer.owned(by: nil)
        let holders = registry.named(writer.text) + (registry[unnamed] == nil ? [] : [unnamed])
        if holders.count > 1 {
            throw Problem(
                .invalidParameter, "Several names have a writer \(writer). Say whose is meant: ?name=NAME.", parameter: "name",
                supported: holders.map { $0.owner ?? "" }.sorted())
        }
        return holders.first ?? own
    }

    private func create(by caller: Principal, _ exchange: Exchange) throws(Problem) {
        let writer = WriterID.random().owned(by: caller.name)
        let key = try idempotencyKey(exchange.head)
        if let key, let holder = registry.claim(key: key, for: writer) {
            guard let entry = registry[holder] else {
                throw Problem(.overloaded, "The request with this Idempotency-Key is being answered. Try again.")
            }
            return try repeatCreation(of: holder, entry, for: caller, exchange)
        }
        do throws(Problem) {
            try start(writer, as: .writer, by: caller, idempotencyKey: key, exchange)
        } catch {
            // Unless its encoder has it by now, nothing has the key.
            if key != nil && registry[writer] == nil { registry.remove(writer) }
            throw error
        }
    }

    private func idempotencyKey(_ head: RequestHead) throws(Problem) -> String? {
        guard let key = head.field("Idempotency-Key") else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem(
                .invalidHeader, "Idempotency-Key is 1 to 255 visible characters.", parameter: "Idempotency-Key")
        }
        return key
    }

    private func create(_ writer: WriterID, by caller: Principal, _ exchange: Exchange) throws(Problem) {
        if let entry = registry[writer] { return try repeatCreation(of: writer, entry, for: caller, exchange) }
        try start(writer, as: .writer, by: caller, exchange)
    }

    private func start(
        _ writer: WriterID, as role: EncoderStart.Role, by caller: Principal, idempotencyKey: String? = nil,
        _ exchange: Exchange
    ) throws(Problem) {
        if isStopping.load(ordering: .relaxed) {
            throw Problem(.serverStopped, "The server is ending and takes no new writers.")
        }
        try admit()
        let bounds = try tokens.limits(of: caller)
        switch try encoders.start(writer, as: role, bounds: bounds, idempotencyKey: idempotencyKey, for: client(of: exchange)) {
        case .added:
            // Another request of the same may have been passed to its encoder first, and have failed.
            guard case .live(let link) = registry[writer] else { throw .justEnding(writer) }
            do throws(Problem) {
                try pass(exchange, to: link)
            } catch {
                encoders.cancel(link)
                throw error
            }
        case .alreadyThere(let entry): try repeatCreation(of: writer, entry, for: caller, exchange)
        case .ownerFull(let limit): throw .tooManyWriters(of: caller.name, limit)
        case .full where !caller.seesAll: throw Problem(.overloaded, "The server takes no more writers now. Try again later.")
        case .full:
            throw Problem(
                .overloaded,
                "The server already has \(configuration.limits.maxWriters) writers, its limit (--max-writers). Try again later.")
        }
    }

    /// A token that has been checked; without tokens, anybody may say anything in its place.
    private func client(of exchange: Exchange) -> WorkerPool.ClientKey? {
        let asksForTokens = tokens.current != nil
        return exchange.clients.last { if case .credential = $0 { asksForTokens } else { true } }
    }

    /// Whether the processors have room for another writer; those that there are always go on.
    private func admit() throws(Problem) {
        let limit = configuration.limits.maxLoad
        guard limit > 0, let waiting = CPUPressure.percent, waiting > limit else { return }
        var problem = Problem(
            .overloaded,
            "The processors are busy: in \(waiting) % of the last 10 seconds something had to wait for one, and new writers are made up to \(ServiceLimits.text(limit)) % (--max-load). Try again later.")
        problem.retryAfter = 10
        throw problem
    }

    private func repeatCreation(
        of writer: WriterID, _ entry: Registry.Entry, for caller: Principal, _ exchange: Exchange
    ) throws(Problem) {
        if case .live(let link) = entry { return try pass(exchange, to: link) }
        let limit = configuration.limits.maxJSONBytes
        exchange.gatherBody(limit: limit) { [self] exchange in
            attempt(exchange) { () throws(Problem) in
                let request = try exchange.jsonBody(limit: limit)
                let writer = try ended(writer, for: caller)
                exchange.reply(try writer.response(toCreation: request, keyed: exchange.head.method == .post))
            }
        }
    }

    private func answer(
        _ request: RoutedRequest, about writer: WriterID, for caller: Principal, _ exchange: Exchange
    ) throws(Problem) {
        switch registry[writer] {
        case nil: throw .noWriter(writer.text)
        case .live(let link):
            if request.operation == .deleteWriter { return deleteLive(link, exchange) }
            try pass(exchange, to: link)
        case .orphaned where request.operation != .getWriter:
            throw Problem(
                .wrongState, "The writer's encoder outlived an earlier server and is finalizing. Try again soon.",
                extras: [("state", .string(WriterState.finalizing.rawValue))])
        case .orphaned, .ended:
            if request.operation == .deleteWriter {
                exchange.reply(try delete(writer))
            } else if request.operation == .finalizeWriter {
                // Its body is judged as while the writer lived.
                let limit = configuration.limits.maxJSONBytes
                exchange.gatherBody(limit: limit) { [self] exchange in
                    attempt(exchange) { () throws(Problem) in
                        if let body = try exchange.jsonBody(limit: limit) { try FieldReader(body).finish() }
                        exchange.reply(
                            try ended(writer, for: caller).response(to: request.operation, stream: nil, head: exchange.head))
                    }
                }
            } else {
                exchange.reply(
                    try ended(writer, for: caller).response(to: request.operation, stream: request.stream, head: exchange.head))
            }
        }
    }

    /// The encoder deletes its writer, unless it does not answer: then it is ended, and the gateway does.
    private func deleteLive(_ link: EncoderLink, _ exchange: Exchange) {
        encoders.whenKnownToRespond(link, exchange) { [self] exchange, isGone in
            attempt(exchange) { () throws(Problem) in
                guard isGone else { return try pass(exchange, to: link) }
                exchange.reply(registry[link.writer] == nil ? Response(.noContent) : try delete(link.writer))
            }
        }
    }

    private func pass(_ exchange: Exchange, to link: EncoderLink) throws(Problem) {
        let passes = exchange.passes
        if passes >= ControlMessage.maxPasses {
            log.error(
                "a request goes back and forth between gateway and encoder",
                metadata: ["writer": "\(link.writer)", "request_id": "\(exchange.requestID)", "passes": "\(passes)"])
            throw .passedTooOften
        }
        var passed = EncoderLink.Passed.peerGone
        let isForHead = exchange.head.method == .head
        let isPassed = exchange.lend { connection, unread in
            passed = link.pass(
                connection, of: exchange.clients, isForHead: isForHead, unread: unread, passes: passes + 1,
                always: Self.endsWriter(exchange)
            ) { other, unread, passes in
                server.takeBack(other, unread: unread, passes: passes)
            }
            return passed == .sent
        }
        if isPassed { return }
        switch passed {
        case .behind: throw .busy(link)
        case .beyondShare(let client):
            // Kept, it would only be idle here instead.
            exchange.endsConnection = true
            throw .tooManyConnections(of: client, encoders.shares.share(of: client))
        case .tooLong: throw Problem(.headTooLarge, "The request's head, with what was sent behind it, can't be passed on.")
        case .peerGone, .sent: throw link.role == .catalog ? .busy(link) : .justEnding(link.writer)
        }
    }

    /// Whoever has too many connections can still end what they are at.
    private static func endsWriter(_ exchange: Exchange) -> Bool {
        exchange.route == Operation.deleteWriter.rawValue || exchange.route == Operation.finalizeWriter.rawValue
    }

    private func ended(_ writer: WriterID, for caller: Principal? = nil) throws(Problem) -> EndedWriter {
        guard let record = records.record(of: writer) else {
            if registry[writer] == nil { throw .noWriter(writer.text) }
            if records.isLost(writer) {
                throw Problem(
                    .internalError,
                    "The record of the writer \(writer) is damaged. What it wrote is kept; DELETE removes the writer and that.")
            }
            // No descriptor is left: the writer is there.
            throw Problem(.overloaded, "The record of the writer \(writer) can't be read now. Try again.")
        }
        return EndedWriter(
            writer: writer, record: record, records: records, shownOwner: caller?.seesAll == true ? writer.owner : nil)
    }

    private func delete(_ writer: WriterID) throws(Problem) -> Response {
        // Of one whose encoder left no record all that is known of goes.
        let record = records.isLost(writer) ? nil : try ended(writer).record
        do throws(SystemError) {
            let left = try records.remove(writer, record)
            registry.remove(writer)
            return .deleted(leaving: left)
        } catch {
            throw Problem(.internalError, "The writer's files can't be removed: \(error.description).")
        }
    }

    private func list(_ exchange: Exchange, for caller: Principal) throws(Problem) {
        let target = exchange.head.target
        let owner = try caller.namedOwner(target.query("name")) ?? (caller.seesAll ? nil : .some(caller.name))
        let page = try WriterList.Page(
            WriterList(target), of: registry, where: { writer in owner.map { $0 == writer.owner } ?? true }
        ) { [records] item in
            let record = if case .live(let link) = item.entry { link.snapshot } else { records.record(of: item.writer) }
            return record?.resource.naming(owner: caller.seesAll ? item.writer.owner : nil)
        }
        try? exchange.respond(.ok, fields: [("Content-Type", "application/json")], pieces: page)
    }

    private func metricsText(for head: RequestHead) -> [UInt8] {
        // By name for an admin's token, also where none is asked for.
        let caller = tokens.current == nil ? nil : try? tokens.authenticator.identify(head)
        let isAdmin = caller?.scopes.contains(.admin) == true
        return metricsCache.text(withNames: isAdmin) { MetricsText.render(metrics.current, gauges(withNames: isAdmin)) }
    }

    private func gauges(withNames: Bool) -> MetricsText.Gauges {
        let tally = encoders.currentTally
        return MetricsText.Gauges(
            connections: server.connectionCount, writersByOwner: registry.countsByOwner,
            workByName: withNames ? encoders.currentWorkByName : nil, encoderExits: tally.exits,
            forkLatency: tally.forkLatency, sandbox: sandbox)
    }

    private var readiness: Response {
        if isStopping.load(ordering: .relaxed) {
            return .problem(Problem(.serverStopped, "The server is ending."))
        }
        if !encoders.canStart {
            return .problem(Problem(.overloaded, "The fork server is being restarted."))
        }
        return .json(["status": "ok", "sandbox": sandbox.json])
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

extension Problem {
    fileprivate static func busy(_ link: EncoderLink) -> Problem {
        let who = link.role == .catalog ? "The process that answers questions about libav" : "The writer \(link.writer)"
        return Problem(.overloaded, "\(who) is not taking requests now. Try again.")
    }

    fileprivate static func tooManyConnections(of client: WorkerPool.ClientKey, _ share: Int) -> Problem {
        let who =
            switch client {
            case .address: "This address"
            case .credential: "This token"
            }
        return Problem(
            .tooManyConnections,
            "\(who) is using \(share) of the server's connections (--max-connections) at once, the most for one. End some requests first; DELETE and finalize are taken all the same.",
            extras: [("limit", .integer(Int64(share)))])
    }

    fileprivate static func tooManyWriters(of name: String?, _ limit: Int) -> Problem {
        Problem(
            .tooManyWriters,
            "\(name.map { "The name \($0) has" } ?? "Tokens without a name have") \(limit) live writers, the limit (max-writers) of this token. Finalize or delete one, or try again later.",
            extras: [("limit", .integer(Int64(limit)))])
    }
}
