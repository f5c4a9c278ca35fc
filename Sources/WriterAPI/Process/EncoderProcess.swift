import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// The life of one encoder: takes connections from the gateway, serves what it was started
/// for, and ends when that has.
public final class EncoderProcess: Sendable {
    private let settings: EncoderStart
    private let gateway: MessageSocket
    private let line: GatewayLine
    /// Where the gateway sees how far this process is with each connection.
    private let marks: SharedMarks
    private let service: any EncoderService
    private let authenticator: TokenAuthenticator
    private let loop: EventLoop
    private let server: HTTPServer
    private let log: Logger
    private let metrics = MetricCounter()
    private let lastCounts = Mutex(WorkCounts())
    private let began = ContinuousClock.now
    private let calls: Mutex<StallDetector>
    private let isEnding = Atomic(false)
    private let isShuttingDown = Atomic(false)
    private let hasGatewayFinished = Atomic(false)
    private let watch = Mutex<EventLoop.Token?>(nil)
    private let lastTold = Mutex<WriterRecord?>(nil)
    /// By when a writer whose time is over must have ended.
    private let endingDeadline = Mutex<Deadline?>(nil)

    /// Serves until the writer has ended; returns the process's exit code. Call it in a fresh
    /// process with its end of the control socket.
    public static func run(control descriptor: Int32, clientPolicy: ClientPolicy, log: Logger) -> Int32 {
        let gateway = MessageSocket(owning: descriptor)
        guard case .message(let bytes, let shared?) = gateway.receive(waiting: true),
            case .start(let settings)? = ControlMessage(bytes), let marks = try? SharedMarks(owning: shared)
        else {
            // The gateway went before it said anything: nothing was asked for.
            return 0
        }
        var log = log
        log[metadataKey: "writer"] = "\(settings.writer.key)"
        guard Heaps.areApart else {
            log.critical("an encoder can't keep from libav what clients send: its own heap is not in place")
            return 1
        }
        if clientPolicy == .enforced {
            guard Interposition.isInPlace else {
                log.critical("an encoder can't guard what libav opens: its own functions are not in place")
                return 1
            }
            // The sandbox would not let it ask later.
            let addresses = settings.policy.patterns.isEmpty ? [] : NameLookup.ownAddresses
            AddressGate.shared.close(serverPort: settings.serverPort, ownAddresses: addresses)
        }
        do throws(SystemError) {
            let process = try EncoderProcess(settings, clientPolicy, confined(settings, gateway, log), gateway, marks, log)
            try process.serve()
            return 0
        } catch {
            log.error("an encoder can't start", metadata: ["error": "\(error)"])
            return 1
        }
    }

    /// While the process has one thread, and before the first byte of a client.
    private static func confined(
        _ settings: EncoderStart, _ gateway: MessageSocket, _ log: Logger
    ) -> Result<Confinement, SystemError> {
        let confinement = Result { () throws(SystemError) in
            let confinement = try Confinement(settings)
            try confinement.enter(keeping: [gateway.descriptor])
            return confinement
        }
        if case .failure(let error) = confinement {
            log.error("the sandbox can't be put in force; nothing is done without it", metadata: ["error": "\(error)"])
        }
        return confinement
    }

    private init(
        _ settings: EncoderStart, _ clientPolicy: ClientPolicy, _ confinement: Result<Confinement, SystemError>,
        _ gateway: MessageSocket, _ marks: SharedMarks, _ log: Logger
    ) throws(SystemError) {
        self.settings = settings
        self.marks = marks
        self.gateway = gateway
        self.log = log
        line = GatewayLine(gateway, log: log)
        calls = Mutex(StallDetector(settings.limits))
        loop = try EventLoop()
        // None passes before the gateway has told which do.
        authenticator = TokenAuthenticator(settings.asksForTokens ? .empty : nil)
        service = Self.service(settings, clientPolicy, confinement, authenticator, line, ProgressMarks(marks))
        var configuration = HTTPServer.Configuration(
            settings.limits, lingerTime: .milliseconds(250),
            onAnswered: AccessLog.counting(metrics, to: log, enabled: settings.logsRequests))
        // The gateway counts those that it has lent, and bounds them.
        configuration.maxConnections = .max
        configuration.maxConnectionsPerAddress = 0
        server = try HTTPServer(configuration: configuration, loop: loop, handler: service, log: log)
    }

    private static func service(
        _ settings: EncoderStart, _ clientPolicy: ClientPolicy, _ confinement: Result<Confinement, SystemError>,
        _ authenticator: TokenAuthenticator, _ line: GatewayLine, _ progress: ProgressMarks
    ) -> any EncoderService {
        let report: @Sendable (ControlMessage) -> Void = { line.tell($0) }
        let back = ConnectionHandBack(gateway: line)
        guard case .success(let confinement) = confinement else {
            return RefusingService(
                Problem(.internalError, "The encoder's sandbox can't be put in force; the server's log says why."),
                report: report)
        }
        guard let folder = confinement.folder else {
            return CatalogService(
                version: settings.version, policy: OptionPolicy(clientPolicy), asksForTokens: settings.asksForTokens, gateway: back)
        }
        // A later gateway tells by the lock that this folder still has its encoder.
        _ = folder.lock()
        if settings.role == .encode {
            return EncodeService(
                settings: settings, clientPolicy: clientPolicy, folder: folder, authenticator: authenticator,
                gateway: back, report: report)
        }
        let resource = WriterResource(
            settings: settings, clientPolicy: clientPolicy, narrow: { reach throws(SystemError) in try confinement.narrow(to: reach) },
            folder: folder, progress: progress, report: report)
        return WriterService(settings: settings, resource: resource, authenticator: authenticator, gateway: back)
    }

    private func serve() throws(SystemError) {
        let token = try loop.watch(gateway.descriptor) { [self] in receive() }
        watch.withLock { $0 = token }
        loop.everySecond { [self] in
            tellProgress()
            tellMetrics()
            endIfOverdue()
            abandonIfStalled()
        }
        loop.run()
    }

    /// Why the work is to be brought to its end now; nil when it is not.
    private var overdue: EndReason? {
        let limit = settings.limits.maxRunTime
        // Who answers questions about libav is there as long as the server.
        if settings.role != .catalog, limit > 0, ContinuousClock.now - began > .seconds(limit) { return .runTime }
        return service.isIdleTooLong ? .idleTimeout : nil
    }

    private func endIfOverdue() {
        guard let reason = overdue, !isEnding.exchange(true, ordering: .relaxed) else { return }
        inBackground { [self] in
            service.end(because: reason)
            log.info("ended", metadata: ["because": "\(reason.rawValue)"])
        }
        let patience = settings.limits.callTimeout
        if reason == .runTime && patience > 0 { endingDeadline.withLock { $0 = .after(.seconds(patience)) } }
    }

    /// Nothing comes of the writer any more: answers for it and ends the process, whatever its threads do.
    private func abandonIfStalled() {
        let stall = calls.withLock { $0.look(at: service.callsUnderWay) }
        guard let problem = stall ?? endingStall, !service.isConcluded, !service.isAbandoned else { return }
        log.error("given up", metadata: ["because": "\(URLText.redacted(problem.detail))"])
        inBackground { [self] in
            service.failWithoutWaiting(problem)
            answerAll(problem)
            // Otherwise its end is the sign.
            if hasGatewayFinished.load(ordering: .acquiring) { leaveStuckThreads() }
        }
    }

    private func answerAll(_ problem: Problem) {
        server.answerAll(within: Self.answerTime) { requestID in
            var named = problem
            named.extras.append(.init("request_id", .string(requestID)))
            return .problem(named)
        }
    }

    /// A writer at the end of its time whose destination takes no more, or whose client never lets go.
    private var endingStall: Problem? {
        guard let deadline = endingDeadline.withLock({ $0 }), deadline.hasPassed else { return nil }
        return Problem(
            .limitExceeded,
            "The writer's time was over (--max-run-time) and it could not be finalized within \(ServiceLimits.text(settings.limits.callTimeout)) seconds.")
    }

    /// For clients to take an answer that comes in a stuck handler's stead.
    private static let answerTime = Duration.seconds(1)

    private func tellMetrics() {
        var counts = metrics.take()
        let work = WorkCounts(frames: service.workDone, cpuSeconds: ResourceUsage.ownCPUSeconds)
        lastCounts.withLock { last in
            counts.framesTaken = work.frames.taken - last.frames.taken
            counts.framesEncoded = work.frames.encoded - last.frames.encoded
            counts.bytesWritten = work.frames.bytesWritten - last.frames.bytesWritten
            counts.cpuSeconds = work.cpuSeconds - last.cpuSeconds
            last = work
        }
        // A process at rest still uses a little time, of which nobody need hear each second.
        if counts.answers.isEmpty && counts.framesTaken == 0 && counts.cpuSeconds < 0.01 {
            lastCounts.withLock { $0.cpuSeconds -= counts.cpuSeconds }
            return
        }
        line.tell(.metrics(counts))
    }

    private struct WorkCounts {
        var frames = WorkDone()
        var cpuSeconds = 0.0
    }

    private func tellProgress() {
        line.tellUntold()
        guard let record = service.snapshot else { return }
        let isNews = lastTold.withLock { last in
            defer { last = record }
            return last != record
        }
        if isNews { line.tell(.snapshot(record)) }
    }

    private func receive() {
        while true {
            switch gateway.receive(waiting: false) {
            case .nothing: return
            case .message(let bytes, let descriptor): take(ControlMessage(bytes), descriptor)
            case .ended:
                gatewayFinished()
                return
            }
        }
    }

    private func take(_ message: ControlMessage?, _ descriptor: Int32?) {
        switch (message, descriptor) {
        case (.connection(let unread, let passes, let slot), let descriptor?):
            guard slot < marks.slots else { return _ = Descriptor(owning: descriptor) }
            let loan = Loan(marks: marks, slot: Int(slot)) { [line] end in
                line.tellSoon(.released(slot: slot, isBroken: end == .broken))
            }
            server.adopt(Descriptor(owning: descriptor), unread: unread, passes: passes, loan: loan)
        // This process had no room for its descriptor: its client is told by a reset.
        case (.connection(_, _, let slot), nil): line.tellSoon(.released(slot: slot, isBroken: true))
        case (.ping, _): line.tellAtOnce(.ping)
        case (.tokens(let table), _): authenticator.replace(with: table)
        case (.shutDown, _):
            // Told again: now, and not when the uploads are done.
            if isShuttingDown.exchange(true, ordering: .relaxed) {
                service.interruptUploads()
            } else {
                end(because: .shutdown)
            }
        default: break
        }
    }

    /// The gateway sends nothing more: it has our record, or it is gone.
    private func gatewayFinished() {
        // The socket stays readable for ever now.
        if let token = watch.withLock({ $0 }) { loop.unwatch(gateway.descriptor, token) }
        hasGatewayFinished.store(true, ordering: .releasing)
        if service.isAbandoned {
            leaveStuckThreads()
        } else if service.isConcluded {
            leave()
        } else {
            end(because: .gatewayLost)
        }
    }

    /// Ends the process over the heads of threads that don't come back, once the other connections are
    /// answered or handed back.
    private func leaveStuckThreads() {
        inBackground { [self] in
            server.drain()
            _ = server.awaitEmpty(until: .after(Self.answerTime))
            answerAll(Problem(.wrongState, "The writer was deleted while the request was waiting."))
            tellMetrics()
            ChildProcess.exit(1)
        }
    }

    /// Uploads in flight may end, then the work is brought to its end; on a thread of its own,
    /// because that takes time.
    private func end(because reason: EndReason) {
        inBackground { [self] in
            server.drain(closing: true)
            if !server.awaitEmpty(until: .after(.seconds(settings.limits.shutdownGrace))) {
                service.interruptUploads()
            }
            service.end(because: reason)
            log.info("ended", metadata: ["because": "\(reason.rawValue)"])
            if reason == .gatewayLost { leave() }
        }
    }

    /// Ends the process once the last connection is answered or handed back.
    private func leave() {
        inBackground { [self] in
            server.drain()
            _ = server.awaitEmpty(until: .after(.seconds(settings.limits.responseTimeout)))
            tellMetrics()
            loop.stop()
        }
    }

    private func inBackground(_ work: @escaping @Sendable () -> Void) {
        ProcessLimits.openMemoryReserve()
        do throws(SystemError) {
            try SystemThread.start(name: "ending", work)
        } catch {
            log.error("ending without a thread for it", metadata: ["error": "\(error)"])
            loop.stop()
        }
    }
}
