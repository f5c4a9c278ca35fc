import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// Starts encoders, keeps their links, and settles how each writer ended: by its encoder's
/// word, or, when the encoder died without one, by the way it died.
package final class EncoderSupervisor: Sendable {
    private let configuration: GatewayConfiguration
    private let registry: Registry
    private let records: RecordStore
    private let tokens: Tokens
    private let loop: EventLoop
    private let log: Logger
    private let forkServer = Mutex<(any EncoderSource)?>(nil)
    private let connections: ConnectionKeeper
    let shares: LoanShares

    private struct Ends {
        /// Encoders whose socket has ended and whose way of ending is not known yet.
        var awaited: [WriterID: (link: EncoderLink, until: Deadline)] = [:]
        var writers: [Int32: WriterID] = [:]
    }

    private let ends = Mutex(Ends())
    private let metrics: MetricCounter

    private let workByName = Mutex<[String: MetricCounts]>([:])
    /// What encoders have counted, by the names of their writers' owners; "": none.
    var currentWorkByName: [String: MetricCounts] { workByName.withLock { $0 } }

    /// For the metrics.
    struct Tally {
        var exits: [String: Int64] = [:]
        var forkLatency = DurationHistogram()
    }

    private let lastPings = Mutex(ContinuousClock.now)
    private let tally = Mutex(Tally())
    var currentTally: Tally { tally.withLock { $0 } }

    private let catalogLink = Mutex<EncoderLink?>(nil)

    /// `source` makes the fork server, which reports to its argument.
    package init(
        configuration: GatewayConfiguration, registry: Registry, records: RecordStore,
        tokens: Tokens, metrics: MetricCounter, loop: EventLoop, log: Logger,
        source: (@escaping @Sendable (ForkReport) -> Void) throws(SystemError) -> any EncoderSource,
        connections: ConnectionKeeper
    ) throws(SystemError) {
        self.configuration = configuration
        self.registry = registry
        self.records = records
        self.tokens = tokens
        self.metrics = metrics
        self.loop = loop
        self.log = log
        self.connections = connections
        shares = LoanShares(of: configuration.limits.maxConnections)
        let source = try source { [self] in hear($0) }
        forkServer.withLock { $0 = source }
        loop.everySecond { [self] in
            settleOverdue()
            endUnresponsive()
        }
    }

    package var canStart: Bool { forkServer.withLock { $0?.isRunning ?? false } }

    func stopForkServer() { forkServer.withLock { $0 }?.stop() }

    /// A child of the gateway's own has ended: an encoder whose fork server is gone, or the
    /// fork server.
    func childEnded(_ process: Int32, _ end: ProcessEnd) { hear(.ended(process: process, end)) }

    /// Starts an encoder for a new writer, or for one encoding, with what bounds the token that asks for
    /// it. When the id is taken, gives what has it instead.
    package func start(
        _ writer: WriterID, as role: EncoderStart.Role, bounds: TokenLimits = TokenLimits(),
        idempotencyKey: String? = nil, for client: WorkerPool.ClientKey? = nil
    ) throws(Problem) -> Registry.Admission {
        if let folder = bounds.folder, role == .writer { try makeOutputFolder(folder, for: writer) }
        return try startingOrOverloaded(writer) { () throws(SystemError) in
            let createdAt = Timestamp.now()
            let encoder = try prepare(
                writer, as: role, createdAt: createdAt, bounds: bounds, idempotencyKey: idempotencyKey)
            let link = encoder.link
            let admission = registry.add(
                link, createdAt: createdAt, limit: configuration.limits.maxWriters, ofOwner: bounds.maxWriters)
            guard case .added = admission else { return admission }
            // Who changes the tokens tells those that are in the registry.
            if let now = tokens.current, now !== encoder.tokens { link.tell(tokens: now.table(reaching: writer.owner)) }
            do throws(SystemError) {
                try records.makeFolderAnew(writer)
            } catch {
                // What is there is another's.
                registry.remove(writer)
                throw error
            }
            do throws(SystemError) {
                try link.watch(on: loop) { [self] in receive(link) }
                try fork(encoder, for: writer.owner.map { .name($0) } ?? .client(client))
            } catch {
                abandon(link)
                throw error
            }
            return .added
        }
    }

    /// The folder of the token's writers. That it can't be made is the operator's to put right, and where it lies
    /// is nobody else's matter.
    private func makeOutputFolder(_ folder: String, for writer: WriterID) throws(Problem) {
        do throws(SystemError) {
            try records.makeOutputFolder(folder)
        } catch {
            log.error(
                "the folder of a token's writers can't be made",
                metadata: ["name": "\(writer.owner ?? "")", "folder": "\(folder)", "error": "\(error)"])
            if error.isOutOfSpace { throw Problem(.noSpace, "There is no space to make a writer.") }
            if error.isOutOfDescriptors { throw .noEncoderNow }
            throw Problem(
                .internalError,
                "The folder that the server keeps for this token's writers can't be used. Its operator has to put that right; the server's log says why.")
        }
    }

    /// The request that was to make the writer did not reach its encoder, which ends then.
    func cancel(_ link: EncoderLink) { link.finish() }

    /// The process that answers questions about libav, started when there is none.
    func catalog() throws(Problem) -> EncoderLink {
        if let link = catalogLink.withLock({ $0 }) { return link }
        return try startingOrOverloaded(.catalog) { () throws(SystemError) in
            let encoder = try prepare(.catalog, as: .catalog, createdAt: .now(), bounds: TokenLimits())
            let link = encoder.link
            try link.watch(on: loop) { [self] in receiveFromCatalog(link) }
            do throws(SystemError) {
                try fork(encoder, for: .client(nil))
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

    /// An encoder before its process: our link to it, and the end of the socket it will have.
    private struct NewEncoder: ~Copyable {
        let link: EncoderLink
        let theirEnd: Descriptor
        /// Those it was told of.
        let tokens: TokenLines?
    }

    private func prepare(
        _ writer: WriterID, as role: EncoderStart.Role, createdAt: Timestamp, bounds: TokenLimits,
        idempotencyKey: String? = nil
    ) throws(SystemError) -> NewEncoder {
        let (ours, theirs) = try DescriptorPair.messageSockets().split()
        let encoder = NewEncoder(
            link: try EncoderLink(
                writer: writer, socket: MessageSocket(owning: ours), role: role, createdAt: createdAt,
                idempotencyKey: idempotencyKey, folder: bounds.folder, shares: shares,
                // One encoder may have every connection that the server has.
                slots: configuration.limits.maxConnections),
            theirEnd: Descriptor(owning: theirs), tokens: tokens.current)
        // Before anybody can find the link and pass it a connection: an encoder hears this first.
        guard encoder.link.start(
            settings(for: writer, role, createdAt: createdAt, bounds: bounds, idempotencyKey: idempotencyKey),
            // Every request to the catalog comes by way of the gateway.
            tokens: role == .catalog ? nil : encoder.tokens?.table(reaching: writer.owner))
        else {
            throw SystemError("start an encoder: its settings do not fit a message", number: EncoderLink.tooLong)
        }
        return encoder
    }

    private func fork(_ encoder: borrowing NewEncoder, for client: ForkClient) throws(SystemError) {
        let link = encoder.link
        let isAsked = forkServer.withLock { $0 }?.fork(link.writer, passing: encoder.theirEnd, for: client) { !link.isDeserted }
        guard isAsked == true else {
            throw SystemError("start an encoder: the fork server is being restarted", number: 11)
        }
    }

    private func startingOrOverloaded<R>(
        _ writer: WriterID, _ body: () throws(SystemError) -> R
    ) throws(Problem) -> R {
        do throws(SystemError) {
            return try body()
        } catch {
            log.error("an encoder can't be started", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
            if error.isOutOfSpace { throw Problem(.noSpace, "There is no space to keep a writer's record.") }
            // An error names places of the server's.
            throw .noEncoderNow
        }
    }

    private func settings(
        for writer: WriterID, _ role: EncoderStart.Role, createdAt: Timestamp, bounds: TokenLimits,
        idempotencyKey: String?
    ) -> EncoderStart {
        EncoderStart(
            role: role, writer: writer, createdAt: createdAt, idempotencyKey: idempotencyKey, folder: records.folderPath(writer),
            outputDirectory: configuration.outputDirectory + (bounds.folder.map { "/" + $0 } ?? ""),
            ownersFolder: bounds.folder, othersFolders: bounds.othersFolders, limits: bounds.applied(to: configuration.limits),
            policy: bounds.applied(to: configuration.policy), serverPort: configuration.port,
            requiresSandbox: configuration.requiresSandbox, version: configuration.version,
            logsRequests: configuration.logsRequests, asksForTokens: tokens.current != nil)
    }

    /// What every encoder is told first, at its longest, must fit one message; nil when it does.
    package var excessOfSettings: Int? {
        let longest = WriterID(String(repeating: "x", count: WriterID.maxLength))!
        let settings = settings(
            for: longest, .catalog, createdAt: .now(), bounds: TokenLimits(), idempotencyKey: String(repeating: "\"", count: 255))
        let bytes = ControlMessage.start(settings).encoded.count
        return bytes > MessageSocket.maxMessageBytes ? bytes - MessageSocket.maxMessageBytes : nil
    }

    /// A writer whose clients have all left before anything of it was made.
    private func forgetDeserted(_ writer: WriterID) {
        guard case .live(let link) = registry[writer], link.process == nil else { return }
        log.info("a writer is not made: its client has left", metadata: ["writer": "\(writer.key)"])
        // Before what it was passed is taken: nothing more is.
        link.finish()
        abandon(link)
        link.noteSettled()
        settleConnections(of: link, .notStarted)
    }

    private func abandon(_ link: EncoderLink) {
        link.unwatch(on: loop)
        removeFolder(of: link.writer)
        registry.remove(link.writer)
    }

    /// Before the registry lets its id go.
    private func removeFolder(of writer: WriterID) {
        do throws(SystemError) {
            try records.removeFolder(writer)
        } catch {
            log.error("a writer's folder can't be removed", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
        }
    }

    // MARK: Encoders that do not answer

    /// Between two pings of an encoder.
    private static let pingInterval = Duration.seconds(5)

    /// Asks every encoder now and then, and ends those that have not answered for too long: stopped, or
    /// with their event loop stuck. On the loop's thread.
    private func endUnresponsive() {
        let timeout = configuration.limits.encoderTimeout
        if timeout <= 0 { return }
        let links = registry.liveLinks + [catalogLink.withLock { $0 }].compactMap { $0 }
        for link in links where link.heartbeat.silence > .seconds(timeout) && link.killReason == nil { end(link) }
        let isTime = lastPings.withLock { last in
            guard ContinuousClock.now - last >= min(Self.pingInterval, .seconds(timeout / 3)) else { return false }
            last = .now
            return true
        }
        // One whose fork waits its turn can't answer.
        if isTime { for link in links where link.process != nil { link.heartbeat.ping() } }
    }

    /// Kills an encoder that does not answer. False: it has no process.
    @discardableResult
    private func end(_ link: EncoderLink) -> Bool {
        guard link.kill(for: .unresponsive) else { return false }
        log.error("an encoder does not answer and is killed", metadata: ["writer": "\(link.writer.key)"])
        return true
    }

    /// Goes on with `then` once it is known whether a writer's encoder answers. One that does not is ended;
    /// true: the gateway answers for its writer now.
    func whenKnownToRespond(
        _ link: EncoderLink, _ exchange: Exchange, then: @escaping @Sendable (Exchange, _ isGone: Bool) -> Void
    ) {
        if link.process == nil { return then(exchange, false) }
        exchange.wait(until: .after(Self.answerTime), for: { link.heartbeat.askForAnswer($0) }) { [self] exchange, wake in
            switch wake {
            case .clientGone: break
            case .ready: then(exchange, false)
            case .timedOut:
                guard end(link) else { return then(exchange, false) }
                exchange.wait(until: .after(Self.settlingTime), for: { link.whenSettled($0) }) { exchange, wake in
                    if wake != .clientGone { then(exchange, wake == .ready) }
                }
            }
        }
    }

    /// How soon it is known how an encoder ended that was killed.
    private static let settlingTime = Duration.seconds(5)
    /// How soon an encoder answers that is not stuck.
    private static let answerTime = Duration.seconds(2)

    // MARK: What encoders say (loop thread)

    /// What one encoder may say before the others have their turn: the loop comes back to it.
    private static let mostEvents = 64
    private static let mostBytes = 256 * 1_024

    /// On the loop's thread.
    package func receive(_ link: EncoderLink) {
        let isOver = takeTurn(link) { event in
            switch consume event {
            case .claimed(let claim): note(claim, of: link)
            case .concluded(let outcome): recordEnd(link, outcome)
            default: break
            }
        }
        if isOver { linkEnded(link) }
    }

    /// True once no more comes of the encoder, or is taken.
    private func takeTurn(_ link: EncoderLink, _ other: (consuming EncoderLink.Event) -> Void) -> Bool {
        if link.isOver { return false }
        var bytes = 0
        var events = 0
        while events < Self.mostEvents, bytes < Self.mostBytes, let event = link.nextEvent(&bytes) {
            events += 1
            switch consume event {
            case .changed: break
            case .counted(let counts):
                let counts = counts.ofRoutes(Self.routes)
                metrics.add(counts)
                workByName.withLock { $0[link.writer.owner ?? "", default: MetricCounts()].add(counts) }
            case .returned(let connection, let unread, let passes):
                let most = configuration.limits.maxHeadBytes + HTTPServer.mostUnreadBesideHead
                if unread.count > most { return distrust(link, "more unread bytes than a connection has") }
                // One that has ended can't send it to and fro: whoever is asked next is another.
                connections.takeBack(connection, unread: unread, passes: link.outcome == nil ? passes : 0)
            case .released(let connection, let end): connections.close(connection, end)
            case .improper(let what): return distrust(link, what)
            case .ended:
                link.unwatch(on: loop)
                return true
            case let event: other(event)
            }
        }
        return false
    }

    private static let routes = Set(Route.all.map(\.operation.id) + [MetricCounter.otherRoute])

    /// What no encoder of ours says was said by who has taken it over: nothing more of it is heard.
    private func distrust(_ link: EncoderLink, _ what: String) -> Bool {
        log.error("an encoder says what it may not and is killed", metadata: ["writer": "\(link.writer)", "what": "\(what)"])
        link.kill(for: .improper)
        link.unwatch(on: loop)
        return true
    }

    private func note(_ claim: OutputClaim, of link: EncoderLink) {
        let origin = WriterOrigin(createdAt: link.createdAt, idempotencyKey: link.idempotencyKey, claim: claim, folder: link.folder)
        do throws(SystemError) {
            try records.note(origin, of: link.writer)
        } catch {
            log.error("what a writer writes to can't be kept", metadata: ["writer": "\(link.writer)", "error": "\(error)"])
        }
    }

    private func recordEnd(_ link: EncoderLink, _ outcome: EncoderLink.Outcome) {
        defer { link.noteSettled() }
        switch outcome {
        case .concluded(let state):
            registry.end(link.writer, as: state)
        case .unkeptRecord(let record):
            records.keep(records.withFiles(record, of: link.writer), of: link.writer)
            log.error("a record waits to be written", metadata: ["writer": "\(link.writer.key)"])
            registry.end(link.writer, as: record.state)
        case .discarded:
            removeFolder(of: link.writer)
            registry.remove(link.writer)
        }
    }

    private func linkEnded(_ link: EncoderLink) {
        if link.outcome != nil { return settleConnections(of: link, .justEnding(link.writer)) }
        if let end = link.end {
            recordEnd(link, end)
        } else {
            ends.withLock { $0.awaited[link.writer] = (link, .after(.seconds(3))) }
        }
    }

    private func receiveFromCatalog(_ link: EncoderLink) {
        guard takeTurn(link, { _ in }) else { return }
        catalogLink.withLock { if $0 === link { $0 = nil } }
        settleConnections(of: link, problem(of: link, link.end))
    }

    // MARK: What the fork server says

    private func hear(_ report: ForkReport) {
        switch report {
        case .forked(.catalog, let process): catalogLink.withLock { $0 }?.setProcess(process)
        case .forked(let writer, let process):
            guard case .live(let link) = registry[writer], link.process == nil else { return }
            link.setProcess(process)
            tally.withLock { $0.forkLatency.add((ContinuousClock.now - link.began).inSeconds) }
            ends.withLock { $0.writers[process] = writer }
        case .forkFailed(let writer, let reason):
            log.error("an encoder can't be forked", metadata: ["writer": "\(writer.key)", "error": "\(reason)"])
        case .unwanted(let writer): forgetDeserted(writer)
        case .ended(let process, let end):
            tally.withLock { $0.exits[end.label, default: 0] += 1 }
            processEnded(process, end)
        }
    }

    private func processEnded(_ process: Int32, _ end: ProcessEnd) {
        let (writer, awaited) = ends.withLock { ends in
            let writer = ends.writers.removeValue(forKey: process)
            let awaited = writer.flatMap { ends.awaited.removeValue(forKey: $0) }
            return (writer, awaited?.link)
        }
        guard let writer else { return }
        if let awaited {
            recordEnd(awaited, end)
        } else if case .live(let link) = registry[writer], link.process == process {
            link.setEnd(end)
        }
    }

    private func settleOverdue() {
        let overdue = ends.withLock { ends in
            let overdue = ends.awaited.values.filter { $0.until.hasPassed }.map(\.link)
            for link in overdue { ends.awaited[link.writer] = nil }
            return overdue
        }
        for link in overdue {
            // It has nobody to talk to any more, and holds on to what it has.
            link.kill(for: .improper)
            recordEnd(link, nil)
        }
    }

    /// An encoder ended without a word: its writer has failed, or was never made. Unless it had
    /// put its record on disk and died on the way to telling us.
    private func recordEnd(_ link: EncoderLink, _ end: ProcessEnd?) {
        defer { link.noteSettled() }
        let problem = problem(of: link, end)
        settleWriter(of: link, end, problem)
        settleConnections(of: link, problem.withOffsets(of: link.snapshot))
    }

    private func problem(of link: EncoderLink, _ end: ProcessEnd?) -> Problem {
        if link.killReason == .unresponsive {
            return .encoderUnresponsive(configuration.limits.encoderTimeout, isCatalog: link.role == .catalog)
        }
        // Its fork server died before it was forked.
        if link.process == nil && end == nil && link.snapshot == nil {
            return .notStarted
        }
        return link.role == .catalog ? .catalogCrashed : .encoderCrashed(end)
    }

    /// Its clients are answered, once the gateway answers for its writer.
    private func settleConnections(of link: EncoderLink, _ problem: Problem) {
        for (connection, state) in link.takeLeft() { connections.settle(connection, state, problem) }
    }

    private func settleWriter(of link: EncoderLink, _ end: ProcessEnd?, _ problem: Problem) {
        if let record = records.record(of: link.writer), record.state.isEnded {
            return registry.end(link.writer, as: record.state)
        }
        let reason = end?.description ?? "ended"
        log.error("an encoder died", metadata: ["writer": "\(link.writer.key)", "end": "\(reason)"])
        guard let snapshot = link.snapshot ?? records.record(of: link.writer) else {
            // A writer is made when its first record is kept: there is none, and so nothing that it wrote.
            records.discard(link.writer, log)
            registry.remove(link.writer)
            return
        }
        records.clearLeftovers(of: link.writer, log)
        let record = records.withFiles(snapshot, of: link.writer).failed(with: problem, at: .now())
        do throws(SystemError) {
            try records.save(record, of: link.writer)
        } catch {
            records.keep(record, of: link.writer)
            log.error("a record waits to be written", metadata: ["writer": "\(link.writer.key)", "error": "\(error)"])
        }
        registry.end(link.writer, as: .failed)
    }
}

extension Problem {
    fileprivate static let noEncoderNow = Problem(.overloaded, "The server can't start an encoder now. Try again.")

    /// With what each stream had taken when its encoder last told, as `offsets`; of a single one also as
    /// `offset`.
    fileprivate func withOffsets(of snapshot: WriterRecord?) -> Problem {
        let offsets = snapshot?.resource["streams"]?.arrayValue?.map { $0.objectValue?["offset"] ?? .null } ?? []
        if offsets.isEmpty { return self }
        var problem = self
        problem.extras.append(.init("offsets", .array(offsets)))
        if offsets.count == 1 { problem.extras.append(.init("offset", offsets[0])) }
        return problem
    }

    fileprivate static let notStarted = Problem(
        .overloaded, "The server could not start an encoder just now. Try again.")

    fileprivate static let catalogCrashed = Problem(
        .encoderCrashed, "The process that answers questions about libav died. Writers are not affected. Try again.")

    /// A process was killed by the gateway.
    fileprivate static func encoderUnresponsive(_ timeout: Double, isCatalog: Bool) -> Problem {
        let who = isCatalog ? "The process that answers questions about libav" : "The writer's encoder"
        let rest = isCatalog ? "Try again." : "What a writer had written is kept (of /v1/encode, nothing); other writers are not affected."
        return Problem(
            .encoderStalled,
            "\(who) did not answer the server for \(ServiceLimits.text(timeout)) seconds (--encoder-timeout) and was ended. \(rest)",
            extras: [("stage", "process")])
    }

    /// The encoder of a writer died: of a signal, or with an exit code.
    static func encoderCrashed(_ end: ProcessEnd?) -> Problem {
        var extras: [(String, JSONValue)] = []
        switch end {
        case .signaled(let number): extras.append(("signal", .string(Signal.name(number))))
        case .exited(let code): extras.append(("exit_code", .integer(Int64(code))))
        case nil: break
        }
        let how = end?.description ?? "ended for a reason nobody saw"
        return Problem(
            .encoderCrashed,
            "The writer's encoder \(how). What a writer had written is kept (of /v1/encode, nothing); other writers are not affected.",
            extras: extras)
    }
}
