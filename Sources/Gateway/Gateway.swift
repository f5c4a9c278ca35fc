import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The switchboard between clients and encoders: accepts, reads a request's head, and passes
/// the connection on. It links no libav.
public final class Gateway: Sendable {
    public let address: SocketAddress
    private let configuration: GatewayConfiguration
    private let log: Logger
    private let loop: EventLoop
    private let signals: SignalSource
    private let registry = Registry()
    private let metrics = MetricCounter()
    private let records: RecordStore
    private let encoders: EncoderSupervisor
    private let tokens: Tokens
    private let peers: Peers?
    private let switchboard: Switchboard
    private let server: HTTPServer
    private let acceptor: Acceptor
    private let loadAgent: LoadAgent?
    /// Held until this process ends, however it does; encoders that outlive it have none.
    private let stateLock: FileLock
    private let hasStopped = Atomic(false)
    private let stopDeadline = Mutex<Deadline?>(nil)

    /// Listens and starts the fork server. Call it while the process has one thread, so that
    /// signals reach the gateway's loop only. `allowOpen`: a server without tokens may listen
    /// beyond loopback.
    public init(_ configuration: GatewayConfiguration, allowOpen: Bool, log: Logger) throws(StartFailure) {
        var configuration = configuration
        ProcessLimits.raiseDescriptors()
        configuration.limits.maxConnections = Self.connections(configuration.limits, log)
        self.configuration = configuration
        self.log = log
        tokens = try Self.tokens(configuration)
        let sandbox = try Self.sandbox(configuration)
        let listener: Listener
        let agentListener: Listener?
        do throws(SystemError) {
            signals = try Self.signals(rereadsTokens: tokens.current != nil)
            loop = try EventLoop()
            listener = try Listener(host: configuration.host, port: configuration.port)
            address = listener.address
            configuration.port = address.port
            agentListener = try configuration.agentPort.map { port throws(SystemError) in
                try Listener(host: configuration.host, port: port)
            }
        } catch {
            throw .system(error)
        }
        if configuration.tokenFile == nil && !allowOpen && !address.isLoopback {
            throw .openToAll(host: configuration.host)
        }
        try Self.becomeUser(configuration, log)
        Self.tell(of: sandbox, log)
        stateLock = try Self.lockState(configuration)
        do throws(SystemError) {
            records = try RecordStore(
                stateDirectory: configuration.stateDirectory, outputDirectory: configuration.outputDirectory,
                readers: Self.recordReaders(configuration.limits))
            try Self.confine(configuration, log)
            server = try HTTPServer(configuration: Self.serving(configuration, metrics, log), loop: loop, log: log)
            encoders = try EncoderSupervisor(
                configuration: configuration, registry: registry, records: records,
                tokens: tokens, metrics: metrics, loop: loop, log: log,
                source: ForkServerClient.source(configuration, loop, log), connections: ConnectionKeeper(server))
            peers = Peers(configuration, loop: loop)
            switchboard = Switchboard(
                configuration: configuration, registry: registry, records: records, encoders: encoders, log: log,
                tokens: tokens, metrics: metrics, sandbox: sandbox, server: server, peers: peers)
            server.start(handler: switchboard)
            acceptor = try Acceptor(listener, server: server, loop: loop, log: log)
            loadAgent = try Self.loadAgent(agentListener, of: switchboard, registry, configuration.limits, loop, log)
        } catch {
            throw .system(error)
        }
        if let excess = encoders.excessOfSettings { throw .settingsTooLong(excess) }
        restoration.restoreAll()
        if let lines = tokens.current { makeFolders(of: lines) }
    }

    private var restoration: WriterRestoration { WriterRestoration(registry: registry, records: records, log: log) }

    private static func serving(
        _ configuration: GatewayConfiguration, _ metrics: MetricCounter, _ log: Logger
    ) -> HTTPServer.Configuration {
        var serving = HTTPServer.Configuration(
            configuration.limits, lingerTime: .milliseconds(5), answersWhileDraining: true,
            onResponded: AccessLog.counting(metrics, to: log, enabled: configuration.logsRequests))
        serving.trimsHeap = true
        return serving
    }

    /// At the start: no writer can take their names then.
    private func makeFolders(of lines: TokenLines) {
        var made = Set<[UInt8]>()
        for line in lines.lines {
            guard let folder = line.limits.folder, made.insert(Array(folder.utf8)).inserted else { continue }
            do throws(SystemError) {
                try records.makeOutputFolder(folder)
            } catch {
                log.error(
                    "the folder of a token's writers can't be made",
                    metadata: ["line": "\(line.number)", "name": "\(line.name ?? "")", "error": "\(error)"])
            }
        }
    }

    /// Serves until SIGTERM or SIGINT, then ends well: no new work, every open writer
    /// finalized.
    public func run() {
        if let lines = tokens.current { tell(ofCutLine: lines) }
        peers?.keepUpToDate(log)
        loop.everySecond { [self] in everySecond() }
        do throws(SystemError) {
            _ = try loop.watch(signals.descriptor) { [self] in receiveSignals() }
        } catch {
            log.error("signals can't be received", metadata: ["error": "\(error)"])
        }
        loop.run()
    }

    private func receiveSignals() {
        while let signal = signals.next() {
            if signal == Signal.childEnded {
                while let (process, end) = ChildProcess.reapAny() { encoders.childEnded(process, end) }
            } else if signal == Signal.hangUp {
                reloadTokens(now: true)
            } else if signal == Signal.userDefined1 {
                switchboard.drain()
                log.info("draining: the server is not ready for new work", metadata: ["writers": "\(registry.liveCount)"])
            } else {
                stop(Signal.name(signal))
            }
        }
    }

    private func stop(_ signal: String) {
        let isFirst = stopDeadline.withLock { deadline in
            let isFirst = deadline == nil
            deadline = .after(.seconds(isFirst ? configuration.limits.shutdownGrace + 10 : 5))
            return isFirst
        }
        log.info(
            isFirst ? "ending: open writers are being finalized" : "ending now: uploads are not waited for",
            metadata: ["signal": "\(signal)"])
        if !isFirst { for link in registry.liveLinks { link.tellToEndNow() } }
        switchboard.stop()
        server.drain(closing: true)
        encoders.stopCatalog()
        encoders.stopForkServer()
        if isFirst { watchForEnd() }
    }

    /// Sees the end sooner than the loop's tick would.
    private func watchForEnd() {
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "ending") { [self] in
                while !hasStopped.load(ordering: .relaxed) {
                    loop.post { [self] in stopIfDone() }
                    SystemThread.sleep(.milliseconds(10))
                }
            }
        } catch {
            log.error("ending by the second", metadata: ["error": "\(error)"])
        }
    }

    private func stopIfDone() {
        guard let deadline = stopDeadline.withLock({ $0 }) else { return }
        let links = registry.liveLinks
        // Each round: a request that was under way may have added one.
        for link in links { link.tellToEnd() }
        if links.isEmpty {
            // Until now, every request was told that the server is ending.
            acceptor.stop()
            if server.connectionCount == 0 { return stopLoop() }
        }
        guard deadline.hasPassed else { return }
        for link in links {
            log.error("an encoder did not end in time", metadata: ["writer": "\(link.writer.key)"])
            if let process = link.process { Signal.send(Signal.kill, to: process) }
        }
        if links.isEmpty || links.allSatisfy({ $0.processEnd != nil || $0.process == nil }) { stopLoop() }
    }

    private func stopLoop() {
        peers?.stop()
        hasStopped.store(true, ordering: .relaxed)
        loop.stop()
    }

    private func everySecond() {
        reloadTokens()
        records.writeUnwritten()
        for writer in registry.orphans { restoration.restore(writer) }
        for link in registry.liveLinks { link.tellUntold() }
        stopIfDone()
    }

    /// Tells every encoder of a token file that has changed; with `now`, of one that has not, too.
    private func reloadTokens(now: Bool = false) {
        do throws(TokenFile.Unusable) {
            try tokens.reload(now: now) { lines in
                var tables: [String?: TokenTable] = [:]
                for link in registry.liveLinks {
                    let table = tables[link.writer.owner] ?? lines.table(reaching: link.writer.owner)
                    tables[link.writer.owner] = table
                    link.tell(tokens: table, revision: lines.revision)
                }
                log.info("tokens were read again", metadata: ["count": "\(lines.lines.count)"])
                tell(ofCutLine: lines)
                makeFolders(of: lines)
            }
        } catch {
            log.error("the old tokens stay in force", metadata: ["error": "\(error.description)"])
        }
    }

    private func tell(ofCutLine lines: TokenLines) {
        if !lines.endsWithinLine { return }
        log.warning("the last line of the token file has no newline: it does not count before it has")
    }
}
