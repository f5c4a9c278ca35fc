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
    public let addresses: [SocketAddress]
    let configuration: CurrentConfiguration
    let log: Logger
    private let loop: EventLoop
    private let signals: SignalSource
    let registry = Registry()
    private let metrics = MetricCounter()
    let records: RecordStore
    let encoders: EncoderSupervisor
    private let webhooks: Webhooks
    let tokens: Tokens
    private let peers: Peers?
    private let earlier: EarlierWriters
    private let retention: Retention
    private let switchboard: Switchboard
    private let server: HTTPServer
    private let listeners: [Listener]
    private let acceptors: [Acceptor]
    private let loadAgent: LoadAgent?
    /// Held until this process ends, however it does; encoders that outlive it have none.
    private let stateLock: FileLock
    private let hasStopped = Atomic(false)
    private let stopDeadline = Mutex<Deadline?>(nil)
    /// Encoders keep what they were started with.
    let longestGrace: Mutex<Double>
    /// nil: it says no more than that it can't be read.
    let reread: (@Sendable () -> RereadConfiguration?)?

    /// Listens and starts the fork server. Call it while the process has one thread, so that
    /// signals reach the gateway's loop only. `allowOpen`: a server without tokens may listen
    /// beyond loopback. `reread` reads on SIGHUP what the configuration was made of, and logs what is wrong: nil then.
    public init(
        _ configuration: GatewayConfiguration, allowOpen: Bool, reread: (@Sendable () -> RereadConfiguration?)? = nil, log: Logger
    ) throws(StartFailure) {
        var configuration = configuration
        ProcessLimits.raiseDescriptors()
        configuration.limits.maxConnections = Self.connections(configuration.limits, log)
        self.reread = reread
        self.log = log
        longestGrace = Mutex(configuration.limits.shutdownGrace)
        tokens = try Self.tokens(configuration)
        let secretFile = try Self.webhookSecrets(configuration)
        try Self.checkAuthorities(configuration)
        let sandbox = try Self.sandbox(configuration)
        let agentListener: Listener?
        do throws(SystemError) {
            signals = try Self.signals()
            loop = try EventLoop()
            agentListener = try configuration.agentPort.map { port throws(SystemError) in
                try Listener(host: configuration.agentHost, port: port)
            }
        } catch {
            throw .system(error)
        }
        listeners = try Self.listeners(configuration)
        addresses = listeners.map(\.address)
        configuration.serverPorts = addresses.map(\.port).filter { $0 != 0 }
        if tokens.current == nil && !allowOpen, let open = addresses.first(where: { !$0.isLoopback }) {
            throw .openToAll(host: open.host)
        }
        let current = CurrentConfiguration(configuration)
        self.configuration = current
        configuration.outputMode?.apply()
        try Self.becomeUser(configuration, log)
        Self.tell(of: sandbox, log)
        stateLock = try Self.lockState(configuration, addresses)
        do throws(SystemError) {
            records = try RecordStore(
                stateDirectory: configuration.stateDirectory, outputDirectory: configuration.outputDirectory,
                readers: Self.recordReaders(configuration.limits))
            earlier = EarlierWriters(registry)
            retention = try Retention(registry: registry, records: records, earlier: earlier, configuration: current, log: log)
            try Self.confine(configuration, log)
            server = try HTTPServer(configuration: Self.serving(current, metrics, log), loop: loop, log: log)
            webhooks = Webhooks(current, secretFile, registry: registry, records: records, log: log)
            encoders = try EncoderSupervisor(
                configuration: current, registry: registry, records: records,
                tokens: tokens, metrics: metrics, loop: loop, log: log,
                source: ForkServerClient.source(configuration, loop, log), connections: ConnectionKeeper(server), webhooks: webhooks)
            peers = Peers(current, loop: loop, log: log)
            switchboard = Switchboard(
                configuration: current, registry: registry, records: records, encoders: encoders, log: log,
                tokens: tokens, metrics: metrics, sandbox: sandbox, server: server, peers: peers,
                earlier: earlier, retention: retention)
            server.start(handler: switchboard)
            acceptors = try listeners.map { [server, loop] listener throws(SystemError) in try Acceptor(listener, server: server, loop: loop, log: log) }
            loadAgent = try Self.loadAgent(agentListener, of: switchboard, registry, current, loop, log)
        } catch {
            throw .system(error)
        }
        if let excess = encoders.excessOfSettings(by: configuration) { throw .settingsTooLong(excess) }
        earlier.takeUp(by: restoration)
        if let lines = tokens.current { makeFolders(of: lines) }
    }

    private var restoration: WriterRestoration { WriterRestoration(registry: registry, records: records, tally: encoders.tally, log: log) }

    private static func serving(
        _ configuration: CurrentConfiguration, _ metrics: MetricCounter, _ log: Logger
    ) -> HTTPServer.Configuration {
        var serving = HTTPServer.Configuration(
            configuration.limits, lingerTime: .milliseconds(5), answersWhileDraining: true,
            onResponded: AccessLog.counting(metrics, to: log, isEnabled: { configuration.logsRequests }))
        serving.trimsHeap = true
        return serving
    }

    /// Serves until SIGTERM or SIGINT, then ends well: no new work, every open writer
    /// finalized.
    public func run() {
        if let lines = tokens.current { tell(ofCutLine: lines) }
        peers?.keepUpToDate()
        retention.start()
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
                reload()
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
            deadline = .after(.seconds(isFirst ? longestGrace.withLock { $0 } + 10 : 5))
            return isFirst
        }
        log.info(
            isFirst ? "ending: open writers are being finalized" : "ending now: uploads are not waited for",
            metadata: ["signal": "\(signal)"])
        if !isFirst { for link in registry.liveLinks { link.tellToEndNow() } }
        switchboard.stop()
        encoders.retries.stop()
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
            for acceptor in acceptors { acceptor.stop() }
            if server.connectionCount == 0 && encoders.carriers.isEmpty { return stopLoop() }
        }
        guard deadline.hasPassed else { return }
        for link in links {
            log.notice("an encoder did not end in time and is killed", metadata: ["writer": "\(link.writer.key)"])
            if let process = link.process { Signal.send(Signal.kill, to: process) }
        }
        encoders.carriers.killAll()
        if links.isEmpty || links.allSatisfy({ $0.processEnd != nil || $0.process == nil }) { stopLoop() }
    }

    private func stopLoop() {
        webhooks.stop()
        peers?.stop()
        retention.stop()
        if earlier.areRead { records.index.conclude() }
        hasStopped.store(true, ordering: .relaxed)
        for listener in listeners {
            do throws(SystemError) {
                try listener.removeFile()
            } catch {
                log.warning("a socket is left: the next server that listens there replaces it", metadata: ["error": "\(error)"])
            }
        }
        loop.stop()
    }

    private func everySecond() {
        reloadTokens()
        records.writeUnwritten()
        for writer in registry.orphans { restoration.restore(writer) }
        for link in registry.liveLinks { link.tellUntold() }
        stopIfDone()
    }
}
