import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// Requests that an encoder is started for: those that make a writer, and encodings.
final class CreationRoutes: Sendable {
    private let configuration: CurrentConfiguration
    private let node: NodeName?
    private let registry: Registry
    private let encoders: EncoderSupervisor
    private let tokens: Tokens
    private let isStopping: Latch
    private let handover: EncoderHandover
    private let endedWriters: EndedWriterRoutes
    private let peers: Peers?
    private let earlier: EarlierWriters

    init(
        configuration: CurrentConfiguration, registry: Registry, encoders: EncoderSupervisor, tokens: Tokens,
        isStopping: Latch, handover: EncoderHandover, endedWriters: EndedWriterRoutes, peers: Peers?,
        earlier: EarlierWriters
    ) {
        self.earlier = earlier
        self.peers = peers
        self.configuration = configuration
        node = configuration.node
        self.registry = registry
        self.encoders = encoders
        self.tokens = tokens
        self.isStopping = isStopping
        self.handover = handover
        self.endedWriters = endedWriters
    }

    /// Makes a writer of the caller's id, or of one of the server's.
    func create(_ id: WriterID?, by caller: Principal, _ exchange: Exchange) throws(Problem) {
        guard let writer = id?.owned(by: caller.name) else { return try createKeyed(by: caller, exchange) }
        earlier.takeUp(writer)
        if let entry = registry[writer] { return try repeatCreation(of: writer, entry, for: caller, exchange) }
        // A writer that was made here would be where no proxy looks for it.
        if let problem = peers?.wrongNode(of: writer) { throw problem }
        try start(writer, as: .writer, by: caller, exchange)
    }

    func encode(by caller: Principal, _ exchange: Exchange) throws(Problem) {
        try start(WriterID.random(of: node).owned(by: caller.name), as: .encode, by: caller, exchange)
    }

    private func createKeyed(by caller: Principal, _ exchange: Exchange) throws(Problem) {
        let writer = WriterID.random(of: node).owned(by: caller.name)
        let key = try Self.idempotencyKey(exchange.head)
        if key != nil { try earlier.awaitAll(exchange) }
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

    private static func idempotencyKey(_ head: RequestHead) throws(Problem) -> String? {
        guard let key = head.field("Idempotency-Key") else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem(
                .invalidHeader, "Idempotency-Key is 1 to 255 visible characters.", parameter: "Idempotency-Key")
        }
        return key
    }

    private func start(
        _ writer: WriterID, as role: EncoderStart.Role, by caller: Principal, idempotencyKey: String? = nil,
        _ exchange: Exchange
    ) throws(Problem) {
        if isStopping.isSet { throw Problem(.serverStopped, "The server is ending and takes no new writers.") }
        try admit()
        let bounds = try tokens.limits(of: caller)
        switch try encoders.start(writer, as: role, bounds: bounds, idempotencyKey: idempotencyKey, for: client(of: exchange)) {
        case .added:
            // Another request of the same may have been passed to its encoder first, and have failed.
            guard case .live(let link) = registry[writer] else { throw .justEnding(writer) }
            do throws(Problem) {
                try handover.pass(exchange, to: link)
            } catch {
                encoders.cancel(link)
                throw error
            }
        case .alreadyThere(let entry): try repeatCreation(of: writer, entry, for: caller, exchange)
        case .ownerFull(let limit): throw .tooManyWriters(of: caller.name, limit)
        case .full: throw .tooManyWriters(of: configuration.limits, isTold: caller.seesAll)
        }
    }

    /// A token that has been checked; without tokens, a client may send anything in its place.
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
        switch entry {
        case .live(let link): try handover.pass(exchange, to: link)
        case .orphaned, .ended, .unread: endedWriters.repeatCreation(of: writer, for: caller, exchange)
        }
    }
}

extension Problem {
    fileprivate static func tooManyWriters(of name: String?, _ limit: Int) -> Problem {
        Problem(
            .tooManyWriters,
            "\(name.map { "The name \($0) has" } ?? "Tokens without a name have") \(limit) live writers, the limit (max-writers) of this token. Finalize or delete one, or try again later.",
            extras: [("limit", .integer(Int64(limit)))])
    }

    /// `isTold`: the caller may know how many there are.
    fileprivate static func tooManyWriters(of limits: ServiceLimits, isTold: Bool) -> Problem {
        if !isTold { return Problem(.overloaded, "The server takes no more writers now. Try again later.") }
        return Problem(
            .overloaded,
            "The server already has \(limits.maxWriters) writers, its limit (--max-writers). Try again later.")
    }
}
