import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
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
    private let began = ContinuousClock.now
    private let state: Mutex<State>

    private struct State {
        var shutdown: EncoderShutdown
        var stalls: StallDetector
        var work = ReportedWork()
        var lastRecord: WriterRecord?
        /// Of the control socket.
        var watch: EventLoop.Token?
    }

    /// Serves until the writer has ended; returns the process's exit code. Call it in a fresh
    /// process with its end of the control socket. What it is told first may make it a carrier, or one that sends an output again.
    public static func run(control descriptor: Int32, clientPolicy: ClientPolicy, log: Logger) -> Int32 {
        let gateway = MessageSocket(owning: descriptor)
        guard case .message(let bytes, let shared?) = gateway.receive(waiting: true),
            case .start(let settings)? = ControlMessage(bytes)
        else {
            // The gateway went before it said anything: nothing was asked for.
            return 0
        }
        let log = ProcessGuards.log(log, of: settings)
        if settings.role == .carrier {
            return CarrierProcess.run(settings, gateway: gateway, packets: Descriptor(owning: shared), clientPolicy: clientPolicy, log: log)
        }
        if settings.role == .retry {
            return RetryProcess.run(settings, gateway: gateway, spool: Descriptor(owning: shared), clientPolicy: clientPolicy, log: log)
        }
        guard let marks = try? SharedMarks(owning: shared) else { return 0 }
        guard ProcessGuards.areInPlace(settings, clientPolicy, of: "an encoder", log) else { return 1 }
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
        line = GatewayLine(gateway, of: settings.writer, log: log)
        state = Mutex(
            State(shutdown: EncoderShutdown(settings.role, settings.limits), stalls: StallDetector(callTimeout: settings.limits.callTimeout)))
        loop = try EventLoop()
        // None passes before the gateway has told which do.
        authenticator = TokenAuthenticator(settings.asksForTokens ? .empty : nil)
        service = Self.service(settings, clientPolicy, confinement, authenticator, line, ProgressMarks(marks))
        var configuration = HTTPServer.Configuration(
            settings.limits, lingerTime: .milliseconds(250),
            onResponded: AccessLog.counting(metrics, to: log, isEnabled: { settings.logsRequests }))
        // The gateway counts those that it has lent, and bounds them.
        configuration.maxConnections = .max
        configuration.maxConnectionsPerAddress = 0
        server = try HTTPServer(configuration: configuration, loop: loop, log: log)
        server.start(handler: service)
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
            settings: settings, clientPolicy: clientPolicy, narrow: { reaches throws(SystemError) in try confinement.narrow(to: reaches) },
            folder: folder, progress: progress, report: report,
            carrierLines: CarrierLines(settings.limits) { number, store, end in line.requestCarrier(number, to: store, passing: end) },
            requireKeptClaim: { () throws(Problem) in try line.requireKeptClaim() })
        return WriterService(settings: settings, resource: resource, authenticator: authenticator, gateway: back)
    }

    private func serve() throws(SystemError) {
        let token = try loop.watch(gateway.descriptor) { [self] in receive() }
        state.withLock { $0.watch = token }
        loop.everySecond { [self] in
            tellProgress()
            tellMetrics()
            lookAfterWork()
        }
        loop.run()
    }

    // MARK: What the gateway is told

    private func tellMetrics() {
        var counts = metrics.take()
        let (done, cpuSeconds) = (service.workDone, ResourceUsage.ownCPUSeconds)
        if state.withLock({ $0.work.report(done, cpuSeconds: cpuSeconds, in: &counts) }) { line.tell(.metrics(counts)) }
    }

    private func tellProgress() {
        line.tellUntold()
        guard let record = service.snapshot else { return }
        let isNews = state.withLock { state in
            defer { state.lastRecord = record }
            return state.lastRecord != record
        }
        if isNews { line.tell(.snapshot(record)) }
    }

    // MARK: What the gateway says

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
        case (.claimReceipt(let receipt), _): line.take(receipt)
        case (.shutDown, _): perform(state.withLock { $0.shutdown.toldToEnd() })
        default: break
        }
    }

    private func gatewayFinished() {
        line.noteEnd()
        let work = work(stall: nil)
        let (token, action) = state.withLock { ($0.watch, $0.shutdown.gatewayIsGone(work)) }
        // The socket stays readable for ever now.
        if let token { loop.unwatch(gateway.descriptor, token) }
        perform(action)
    }

    // MARK: The end

    private func lookAfterWork() {
        let calls = service.callsUnderWay
        let stall = state.withLock { $0.stalls.look(at: calls) }
        let work = work(stall: stall)
        let age = ContinuousClock.now - began
        for action in state.withLock({ $0.shutdown.secondHasPassed(age: age, work) }) { perform(action) }
    }

    private func work(stall: Problem?) -> EncoderShutdown.Work {
        EncoderShutdown.Work(
            isConcluded: service.isConcluded, isAbandoned: service.isAbandoned, isIdleTooLong: service.isIdleTooLong,
            failure: service.unnoticedFailure, stall: stall)
    }

    /// What takes time has a thread of its own.
    private func perform(_ action: EncoderShutdown.Action?) {
        switch action {
        case .endAfterUploads(let reason): inBackground { [self] in end(because: reason, afterUploads: true) }
        case .endNow(let reason): inBackground { [self] in end(because: reason, afterUploads: false) }
        case .interruptUploads: service.interruptUploads()
        case .fail(let problem): inBackground { [self] in service.fail(problem) }
        case .failWithoutWaiting(let problem): inBackground { [self] in fail(problem) }
        case .leave: inBackground { [self] in leave() }
        case .leaveStuckThreads: inBackground { [self] in leaveStuckThreads() }
        case nil: break
        }
    }

    private func end(because reason: EndReason, afterUploads: Bool) {
        if afterUploads {
            server.drain(closing: true)
            if !server.awaitEmpty(until: .after(.seconds(settings.limits.shutdownGrace))) { service.interruptUploads() }
        }
        service.end(because: reason)
        log.debug("an encoder has ended its work", metadata: ["ended_by": "\(reason.rawValue)"])
        perform(state.withLock { $0.shutdown.workHasEnded(because: reason) })
    }

    private func fail(_ problem: Problem) {
        if settings.role == .encode {
            // Of a writer its end says it.
            metrics.countFailure(problem.code)
            log.error("an encoding failed", metadata: ["code": "\(problem.code.rawValue)", "detail": "\(URLText.redacted(problem.detail))"])
        }
        service.failWithoutWaiting(problem)
        respondToAll(problem)
        perform(state.withLock { $0.shutdown.failureIsAnswered() })
    }

    /// For clients to take an answer that comes in a stuck handler's stead.
    private static let answerTime = Duration.seconds(1)

    private func respondToAll(_ problem: Problem) {
        server.respondToAll(within: Self.answerTime) { requestID in
            var named = problem
            named.extras.append(.init("request_id", .string(requestID)))
            return .problem(named)
        }
    }

    private func leave() {
        server.drain()
        _ = server.awaitEmpty(until: .after(.seconds(settings.limits.responseTimeout)))
        tellMetrics()
        loop.stop()
    }

    private func leaveStuckThreads() {
        server.drain()
        _ = server.awaitEmpty(until: .after(Self.answerTime))
        respondToAll(Problem(.wrongState, "The writer was deleted while the request was waiting."))
        tellMetrics()
        ChildProcess.exit(1)
    }

    private func inBackground(_ work: @escaping @Sendable () -> Void) {
        ProcessLimits.openMemoryReserve()
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "ending", work)
        } catch {
            log.error("ending without a thread for it", metadata: ["error": "\(error)"])
            loop.stop()
        }
    }
}
