import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// The encoders of all writers, with their carriers, and the process of the catalog: has them started, keeps their links, and hears
/// what they and the fork server say.
package final class EncoderSupervisor: Sendable {
    let configuration: CurrentConfiguration
    private let registry: Registry
    let records: RecordStore
    private let tokens: Tokens
    let loop: EventLoop
    let log: Logger
    let connections: ConnectionKeeper
    let shares: LoanShares
    let tally: EncoderTally
    private let starter: EncoderStarter
    let ends: EncoderEnds
    package let carriers: Carriers
    let retries: Retries
    private let silence: SilenceWatch
    let webhooks: Webhooks?
    private let catalogLink = Mutex<EncoderLink?>(nil)

    /// `source` makes the fork server, which reports to its argument.
    package init(
        configuration: CurrentConfiguration, registry: Registry, records: RecordStore,
        tokens: Tokens, metrics: MetricCounter, loop: EventLoop, log: Logger,
        source: (@escaping @Sendable (ForkReport) -> Void) throws(SystemError) -> any EncoderSource,
        connections: ConnectionKeeper, webhooks: Webhooks? = nil
    ) throws(SystemError) {
        self.configuration = configuration
        self.registry = registry
        self.records = records
        self.tokens = tokens
        self.loop = loop
        self.log = log
        self.connections = connections
        self.webhooks = webhooks
        let timeout = configuration.limits.encoderTimeout
        shares = LoanShares(of: configuration.limits.maxConnections)
        tally = EncoderTally(metrics)
        starter = EncoderStarter(configuration: configuration, records: records, tokens: tokens, shares: shares, log: log)
        ends = EncoderEnds(
            registry: registry, records: records, connections: connections, loop: loop, encoderTimeout: timeout, tally: tally,
            webhooks: webhooks, log: log)
        carriers = Carriers(starter, loop: loop, log: log)
        retries = Retries(starter, registry: registry, records: records, webhooks: webhooks, loop: loop, log: log)
        silence = SilenceWatch(timeout: timeout, ends: ends, log: log)
        starter.use(try source { [self] in hear($0) })
        webhooks?.start(loop: loop) { [starter] subject, control in
            starter.fork(subject, passing: control, for: .client(nil), isWanted: { true })
        }
        loop.everySecond { [self] in
            ends.endOverdue()
            silence.look(at: registry.liveLinks + [catalogLink.withLock { $0 }].compactMap { $0 })
        }
    }

    package var canStart: Bool { starter.canStart }
    func stopForkServer() { starter.stopForkServer() }

    /// How many bytes more than a message holds every encoder would be told first; nil: none.
    package func excessOfSettings(by configuration: GatewayConfiguration) -> Int? { starter.excessOfSettings(by: configuration) }

    /// Starts an encoder for a new writer, or for one encoding, with what bounds the token that asks for
    /// it. When the id is taken, gives what has it instead.
    package func start(
        _ writer: WriterID, as role: EncoderStart.Role, bounds: TokenLimits = TokenLimits(),
        idempotencyKey: String? = nil, for client: WorkerPool.ClientKey? = nil
    ) throws(Problem) -> Registry.Admission {
        if let folder = bounds.folder, role == .writer { try starter.makeOutputFolder(folder, for: writer) }
        return try starter.reporting(writer) { () throws(SystemError) in
            let request = EncoderRequest(
                writer: writer, role: role, bounds: bounds, idempotencyKey: idempotencyKey,
                client: writer.owner.map { .name($0) } ?? .client(client))
            let encoder = try starter.prepare(request)
            let link = encoder.link
            let admission = registry.add(
                link, createdAt: request.createdAt, limit: configuration.limits.maxWriters, ofOwner: bounds.maxWriters)
            guard case .added = admission else { return admission }
            // A change of the tokens is told to those that are in the registry.
            if let now = tokens.current, now !== encoder.tokens {
                link.tell(tokens: now.table(reaching: writer.owner), revision: now.revision)
            }
            try startAdded(encoder)
            return .added
        }
    }

    private func startAdded(_ encoder: borrowing NewEncoder) throws(SystemError) {
        let link = encoder.link
        do throws(SystemError) {
            try records.makeFolderAnew(link.writer)
        } catch {
            // What is there is another's.
            registry.remove(link.writer)
            throw error
        }
        do throws(SystemError) {
            try link.watch(on: loop) { [self] in receive(link) }
            try starter.fork(encoder)
        } catch {
            ends.forget(link)
            throw error
        }
    }

    /// The request that was to make the writer did not reach its encoder, which ends then.
    func cancel(_ link: EncoderLink) { link.finish() }

    /// The process that answers questions about libav, started when there is none.
    func catalog() throws(Problem) -> EncoderLink {
        if let link = catalogLink.withLock({ $0 }) { return link }
        return try starter.reporting(.catalog) { () throws(SystemError) in
            let encoder = try starter.prepare(EncoderRequest(writer: .catalog, role: .catalog))
            let link = encoder.link
            try link.watch(on: loop) { [self] in receiveFromCatalog(link) }
            do throws(SystemError) {
                try starter.fork(encoder)
            } catch {
                link.unwatch(on: loop)
                throw error
            }
            // Another thread may have started one in the same moment: that one stays, ours
            // ends when it is told that nothing more comes.
            return catalogLink.withLock { current in
                if let current {
                    link.finish()
                    return current
                }
                current = link
                return link
            }
        }
    }

    func stopCatalog() { catalogLink.withLock { $0 }?.finish() }

    func forgetCatalog(_ link: EncoderLink) { catalogLink.withLock { if $0 === link { $0 = nil } } }

    func whenKnownToRespond(
        _ link: EncoderLink, _ exchange: Exchange, then: @escaping @Sendable (Exchange, _ isGone: Bool) -> Void
    ) {
        silence.whenKnownToRespond(link, exchange, then: then)
    }

    /// A child of the gateway's own has ended: an encoder whose fork server is gone, or the
    /// fork server.
    func childEnded(_ process: Int32, _ end: ProcessEnd) { hear(.ended(process: process, end)) }

    private func hear(_ report: ForkReport) {
        if webhooks?.hear(report) == true || retries.hear(report) { return }
        switch report {
        case .forked(.carrier(_, let serial), let process): carriers.forked(serial, process: process)
        case .forkFailed(.carrier(let writer, let serial), let reason):
            log.error("a carrier can't be forked", metadata: ["writer": "\(writer.key)", "error": "\(reason)"])
            carriers.notForked(serial)
        case .unwanted(.carrier(_, let serial)): carriers.notForked(serial)
        case .forked(.encoder(let writer), let process):
            guard let link = link(of: writer), link.process == nil else { return }
            ends.forked(link, process: process)
            if link.role != .catalog { tally.noteFork(of: link) }
        case .forkFailed(.encoder(let writer), let reason):
            log.error("an encoder can't be forked", metadata: ["writer": "\(writer.key)", "error": "\(reason)"])
            if let link = link(of: writer) { ends.take(.notForked, of: link) }
        case .unwanted(.encoder(let writer)):
            if let link = link(of: writer) { ends.take(.unwanted, of: link) }
        case .forked(.webhooks, _), .forkFailed(.webhooks, _), .unwanted(.webhooks), .forked(.retry, _), .forkFailed(.retry, _), .unwanted(.retry): break
        case .ended(let process, let end):
            if carriers.processEnded(process, end) { return }
            tally.noteEnd(end)
            ends.processEnded(process, end)
        }
    }

    private func link(of writer: WriterID) -> EncoderLink? {
        if writer == .catalog { return catalogLink.withLock { $0 } }
        guard case .live(let link) = registry[writer] else { return nil }
        return link
    }
}
