import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// The switchboard between clients and encoders: accepts, reads a request's head, and passes
/// the connection on. It links no libav.
public final class Gateway: Sendable {
    public enum StartFailure: Error, CustomStringConvertible {
        case system(SystemError)
        case tokens(String)
        /// Without tokens the server is open to all that can reach it.
        case openToAll(host: String)
        case noSandbox(missing: [String])
        case notRoot(ProcessUser)
        case folderOfOthers(String, user: String)
        /// By another server.
        case stateDirectoryInUse(String)
        /// By so many bytes.
        case settingsTooLong(Int)

        public var description: String {
            switch self {
            case .system(let error): error.description
            case .tokens(let reason): reason
            case .openToAll(let host):
                "\(host) can be reached by other machines and there is no token file. "
                    + "Give --token-file, or --no-auth if that is meant."
            case .noSandbox(let missing):
                "--require-sandbox: this system has no \(missing.joined(separator: " and no "))."
            case .settingsTooLong(let excess):
                "the tokens, --allow-output patterns and paths together are \(excess) bytes more than an encoder can be told. Give fewer or shorter ones."
            case .notRoot(let user):
                "--user: only root can become \(user). Start penstock as root, or as that user and without --user."
            case .stateDirectoryInUse(let path):
                "another penstock is running on the state directory \(path). Stop it, or give this one a --state-dir of its own."
            case .folderOfOthers(let path, let user):
                "\(path) can't be written by \(user). Give it to that user (chown -R), or name another folder."
            }
        }
    }

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
    private let switchboard: Switchboard
    private let server: HTTPServer
    private let acceptor: Acceptor
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
        do throws(TokenFile.Unusable) {
            tokens = try Tokens(configuration.tokenFile.map(TokenFile.init))
        } catch {
            throw .tokens(error.description)
        }
        let sandbox = SandboxReport.probe()
        if configuration.requiresSandbox && !sandbox.missingEssentials.isEmpty {
            throw .noSandbox(missing: sandbox.missingEssentials)
        }
        let listener: Listener
        do throws(SystemError) {
            // Without a token file there is nothing to read again, and SIGHUP ends the process as it always does.
            let rereading = tokens.current == nil ? [] : [Signal.hangUp]
            signals = try SignalSource([Signal.interrupt, Signal.terminate, Signal.childEnded] + rereading)
            Signal.ignore([Signal.brokenPipe])
            ChildProcess.becomeSubreaper()
            loop = try EventLoop()
            listener = try Listener(host: configuration.host, port: configuration.port)
            address = listener.address
            configuration.port = address.port
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
            let connections = ConnectionKeeper()
            encoders = try EncoderSupervisor(
                configuration: configuration, registry: registry, records: records,
                tokens: tokens, metrics: metrics, loop: loop, log: log,
                source: { [configuration, loop] report throws(SystemError) in
                    try ForkServerClient(
                        executable: configuration.encoderExecutable, arguments: configuration.encoderArguments,
                        loop: loop, log: log, onReport: report)
                }, connections: connections)
            switchboard = Switchboard(
                configuration: configuration, registry: registry, records: records, encoders: encoders, log: log,
                tokens: tokens, metrics: metrics, sandbox: sandbox)
            var serving = HTTPServer.Configuration(
                configuration.limits, lingerTime: .milliseconds(5), answersWhileDraining: true,
                onAnswered: AccessLog.counting(metrics, to: log, enabled: configuration.logsRequests))
            serving.trimsHeap = true
            server = try HTTPServer(configuration: serving, loop: loop, handler: switchboard, log: log)
            connections.serve(by: server)
            switchboard.watch(server)
            acceptor = try Acceptor(listener, server: server, loop: loop, log: log)
        } catch {
            throw .system(error)
        }
        if let excess = encoders.excessOfSettings { throw .settingsTooLong(excess) }
        restoreRecords()
        if let lines = tokens.current { makeFolders(of: lines) }
    }

    private static func lockState(_ configuration: GatewayConfiguration) throws(StartFailure) -> FileLock {
        let lock: FileLock?
        do throws(SystemError) {
            lock = try FileLock("lock", in: try Directory(path: configuration.stateDirectory))
        } catch {
            throw .system(error)
        }
        guard let lock else { throw .stateDirectoryInUse(configuration.stateDirectory) }
        return lock
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

    /// Before a folder is made or opened, and before the fork server starts.
    private static func becomeUser(_ configuration: GatewayConfiguration, _ log: Logger) throws(StartFailure) {
        if let user = configuration.user {
            if !user.isCurrent && !Privileges.isRoot { throw .notRoot(user) }
            do throws(SystemError) {
                try Privileges.become(user)
            } catch {
                throw .system(error)
            }
        } else if Privileges.isRoot {
            log.warning("running as root: --user names a user to go on as once the port is bound")
        }
        let user = configuration.user?.description ?? "uid \(Privileges.userNumber)"
        for path in [configuration.stateDirectory, configuration.stateDirectory + "/writers", configuration.outputDirectory]
        where File.isThere(path) && !Directory.isWritable(path) {
            throw .folderOfOthers(path, user: user)
        }
    }

    /// What the gateway deletes and writes lies in its two folders, whatever a record names; so does what its
    /// encoders do, within what their own sandboxes leave them. With one thread, before the fork server starts.
    private static func confine(_ configuration: GatewayConfiguration, _ log: Logger) throws(SystemError) {
        var places: [SandboxRules.Place] = [
            .path(configuration.stateDirectory, .change), .path(configuration.outputDirectory, .change),
            .path("/dev", .writeFiles),
        ]
        // Sound servers share memory there.
        if configuration.policy.allowsDevices { places.append(.path("/dev/shm", .change)) }
        do throws(SystemError) {
            try Sandbox.confineChanges(to: places)
        } catch {
            if configuration.requiresSandbox { throw error }
            log.error("the gateway itself goes on unconfined", metadata: ["error": "\(error)"])
        }
    }

    private static func tell(of sandbox: SandboxReport, _ log: Logger) {
        let parts: Logger.Metadata = [
            "landlock_abi": "\(sandbox.landlockABI)", "seccomp": "\(sandbox.filtersSystemCalls)",
        ]
        if sandbox.missing.isEmpty {
            log.info("every encoder runs in a sandbox", metadata: parts)
        } else {
            log.warning(
                "the encoders' sandbox lacks: \(sandbox.missing.joined(separator: "; "))", metadata: parts)
        }
    }

    /// As many as are wanted, with descriptors left for writers and files.
    private static func connections(_ limits: ServiceLimits, _ log: Logger) -> Int {
        let possible = max(16, ProcessLimits.descriptors * 5 / 8)
        if limits.maxConnections > possible {
            log.warning(
                "fewer connections than --max-connections: the limit of open files (ulimit -n) is low",
                metadata: ["connections": "\(possible)", "files": "\(ProcessLimits.descriptors)"])
        }
        return min(limits.maxConnections, possible)
    }

    /// Each takes two descriptors: an eighth of those that connections leave to encoders and files.
    private static func recordReaders(_ limits: ServiceLimits) -> Int {
        min(64, max(1, (ProcessLimits.descriptors - limits.maxConnections) / 16))
    }

    /// Serves until SIGTERM or SIGINT, then ends well: no new work, every open writer
    /// finalized.
    public func run() {
        if let lines = tokens.current { tell(ofCutLine: lines) }
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
        do throws(SystemError) {
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
        hasStopped.store(true, ordering: .relaxed)
        loop.stop()
    }

    private func everySecond() {
        reloadTokens()
        records.writeUnwritten()
        for writer in registry.orphans { restore(writer) }
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
                    link.tell(tokens: table)
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

    /// Takes up the writers of an earlier run. One that neither ended well nor has an encoder
    /// any more has failed.
    private func restoreRecords() {
        var writers: [WriterID] = []
        do throws(SystemError) {
            writers = try records.all()
        } catch {
            log.error("the writers of an earlier run can't be found", metadata: ["error": "\(error)"])
        }
        for writer in records.damagedOrigins {
            log.error(
                "what a writer wrote to is not known any more: files of it in the output directory are left alone",
                metadata: ["writer": "\(writer.key)"])
        }
        for writer in writers { restore(writer) }
        if !writers.isEmpty { log.info("writers of an earlier run are known", metadata: ["count": "\(writers.count)"]) }
    }

    private func restore(_ writer: WriterID) {
        // In this order: an encoder lets go of the folder only after its last record is there.
        let isHeld = records.isHeld(writer)
        switch records.find(writer) {
        case .record(let record) where record.state.isEnded: takeUp(writer, record, .ended(record.state))
        case .record(let record): takeUp(writer, isHeld ? record : failed(writer, record), isHeld ? .orphaned : .ended(.failed))
        // Looked at again by the second.
        case .absent where isHeld, .damaged where isHeld, .unreadable: takeUp(writer, nil, .orphaned)
        case .absent where records.isForeign(writer):
            log.error("what lies among the writers is none, and is left alone", metadata: ["folder": "\(writer.key)"])
        case .absent where records.wasNeverMade(writer):
            log.warning("a writer of an earlier run was never made", metadata: ["writer": "\(writer.key)"])
            records.discard(writer, log)
            registry.remove(writer)
        case .absent: takeUp(writer, records.takeUpLost(writer, because: "it is missing", log), .ended(.failed))
        case .damaged(let reason): takeUp(writer, records.takeUpLost(writer, because: reason, log), .ended(.failed))
        }
    }

    private func takeUp(_ writer: WriterID, _ record: WriterRecord?, _ entry: Registry.Entry) {
        let createdAt = records.origin(of: writer)?.createdAt ?? record.flatMap { Timestamp($0.createdAt) } ?? .now()
        if let key = record?.idempotencyKey { _ = registry.claim(key: key, for: writer) }
        registry.restore(writer, createdAt: createdAt, entry)
    }

    private func failed(_ writer: WriterID, _ record: WriterRecord) -> WriterRecord {
        log.warning("a writer of an earlier run never ended", metadata: ["writer": "\(writer.key)"])
        records.clearLeftovers(of: writer, log)
        let problem = Problem(
            .encoderCrashed, "The server and the writer's encoder ended before the writer was finalized.")
        let failed = record.failed(with: problem, at: .now())
        if (try? records.save(failed, of: writer)) == nil { records.keep(failed, of: writer) }
        return failed
    }
}
