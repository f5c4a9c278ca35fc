import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// Sends again what is kept of outputs that could not be sent: each by a process of its own, which is confined as the
/// output's carrier was and is given the file. One at a time of an output. Any thread.
final class Retries: Sendable {
    private struct Place: Hashable {
        let writer: WriterID
        let output: String
    }

    private struct State {
        var attempts: [Place: RetryAttempt] = [:]
        var bySerial: [UInt64: RetryAttempt] = [:]
        var processes: [Int32: UInt64] = [:]
        var lastSerial: UInt64 = 0
        var isStopped = false
    }

    private let starter: EncoderStarter
    private let registry: Registry
    private let records: RecordStore
    private let webhooks: Webhooks?
    private let loop: EventLoop
    private let log: Logger
    private let state = Mutex(State())

    /// At a time, of all writers.
    private static let most = 64

    init(_ starter: EncoderStarter, registry: Registry, records: RecordStore, webhooks: Webhooks?, loop: EventLoop, log: Logger) {
        (self.starter, self.registry, self.records, self.webhooks, self.loop, self.log) = (starter, registry, records, webhooks, loop, log)
    }

    // MARK: What there is

    /// The writer's resource, with what of it can be sent again.
    func shown(_ record: WriterRecord, of writer: WriterID) -> JSONObject {
        guard record.hasFailure else { return record.resource }
        let kept = records.keptOutputs(of: writer)
        if kept.isEmpty { return record.resource }
        let underWay = state.withLock { state in kept.filter { state.attempts[Place(writer: writer, output: $0)] != nil } }
        return record.offeringRetries(of: kept, underWay: underWay)
    }

    /// The one that is under way.
    func attempt(of output: String, of writer: WriterID) -> RetryAttempt? {
        state.withLock { $0.attempts[Place(writer: writer, output: output)] }
    }

    // MARK: Beginning

    /// Begins; where another request was quicker, gives that one's.
    func start(
        _ output: String, of writer: WriterID, _ order: RetryOrder, _ file: borrowing Descriptor, bounds: TokenLimits, for client: ForkClient
    ) throws(Problem) -> RetryAttempt {
        do throws(SystemError) {
            let (ours, theirs) = try DescriptorPair.messageSockets().split()
            let socket = MessageSocket(owning: ours)
            let theirEnd = Descriptor(owning: theirs)
            let settings = starter.settings(toSend: order, of: writer, bounds: bounds)
            switch socket.send(ControlMessage.start(settings).encoded, passing: file.number, timeout: .zero) {
            case .sent: break
            case .tooLong: throw SystemError("tell a process what to send", number: SystemError.messageTooLong)
            case .timedOut, .peerGone: throw SystemError("tell a process what to send", number: SystemError.tryAgain)
            }
            let (attempt, isNew) = try enter(output, of: writer, socket)
            if isNew { try begin(attempt, theirEnd, for: client) }
            return attempt
        } catch {
            log.error(
                "what is kept of an output can't be sent", metadata: ["writer": "\(writer.key)", "output": "\(output)", "error": "\(error)"])
            if error.number == SystemError.messageTooLong {
                throw Problem(.invalidParameter, "The options are longer than an output's may be.", parameter: "option")
            }
            throw Problem(.overloaded, "A process that would send the output can't be had now. Try again.")
        }
    }

    private func enter(_ output: String, of writer: WriterID, _ socket: MessageSocket) throws(SystemError) -> (RetryAttempt, isNew: Bool) {
        try state.withLock { state throws(SystemError) in
            let place = Place(writer: writer, output: output)
            if let attempt = state.attempts[place] { return (attempt, false) }
            if state.isStopped || state.attempts.count >= Self.most { throw SystemError("send one more output", number: SystemError.tryAgain) }
            state.lastSerial += 1
            let attempt = RetryAttempt(output, of: writer, serial: state.lastSerial, socket)
            state.attempts[place] = attempt
            state.bySerial[attempt.serial] = attempt
            return (attempt, true)
        }
    }

    private func begin(_ attempt: RetryAttempt, _ theirEnd: borrowing Descriptor, for client: ForkClient) throws(SystemError) {
        do throws(SystemError) {
            try attempt.watch(on: loop) { [self] in receive(attempt) }
            guard starter.fork(.retry(attempt.writer, serial: attempt.serial), passing: theirEnd, for: client, isWanted: { attempt.outcome == nil }) else {
                throw SystemError("start a process: the fork server is being restarted", number: SystemError.tryAgain)
            }
        } catch {
            settle(attempt, .failed(.overloaded, detail: "A process that would send the output can't be had now. Try again.", parameter: nil))
            throw error
        }
    }

    // MARK: What comes of it

    private func receive(_ attempt: RetryAttempt) {
        while attempt.outcome == nil {
            switch attempt.socket.receive(waiting: false) {
            case .nothing: return
            case .message(let bytes, let descriptor):
                if let descriptor { _ = Descriptor(owning: descriptor) }
                if let report = RetryReport(bytes) { return settle(attempt, report) }
            case .ended:
                return settle(attempt, .failed(.internalError, detail: "The process that sent what is kept of the output has ended. Try again.", parameter: nil))
            }
        }
    }

    private func settle(_ attempt: RetryAttempt, _ report: RetryReport) {
        let (writer, output) = (attempt.writer, attempt.output)
        let isFirst = state.withLock { state in
            guard state.bySerial.removeValue(forKey: attempt.serial) != nil else { return false }
            return true
        }
        if !isFirst { return }
        var outcome = Result<Void, Problem>.success(())
        do throws(SystemError) {
            switch report {
            case .sent:
                if try records.noteSent(output, of: writer, in: registry) { webhooks?.ended(writer) }
                log.notice("an output that could not be sent has been sent", metadata: ["writer": "\(writer.key)", "output": "\(output)"])
            case .failed(let code, let detail, let parameter):
                let problem = Problem(code, detail, parameter: parameter)
                outcome = .failure(problem)
                log.warning(
                    "what is kept of an output could not be sent", metadata: ["writer": "\(writer.key)", "output": "\(output)", "detail": "\(detail)"])
                // What the request was about says nothing of the output.
                if problem.code.status >= 500, problem.code != .overloaded { try records.noteNotSent(output, of: writer, because: problem) }
            }
        } catch {
            log.error(
                "what has become of an output can't be kept", metadata: ["writer": "\(writer.key)", "output": "\(output)", "error": "\(error)"])
        }
        leave(attempt, outcome)
    }

    /// After the record says what came of it.
    private func leave(_ attempt: RetryAttempt, _ outcome: Result<Void, Problem>) {
        state.withLock { state in
            let place = Place(writer: attempt.writer, output: attempt.output)
            if state.attempts[place] === attempt { state.attempts[place] = nil }
        }
        attempt.end(outcome, on: loop)
    }

    /// The writer is being removed: nothing more of it is sent.
    func cancel(of writer: WriterID) {
        webhooks?.removed(writer)
        cancel(Problem.noWriter(writer.text)) { $0.writer == writer }
    }

    /// The server ends.
    func stop() {
        state.withLock { $0.isStopped = true }
        cancel(Problem(.serverStopped, "The server is ending: what is kept of the output stays, and can be sent again when it is back.")) { _ in true }
    }

    private func cancel(_ problem: Problem, where isMeant: (RetryAttempt) -> Bool) {
        let meant = state.withLock { state in
            let meant = state.bySerial.values.filter(isMeant)
            for attempt in meant { state.bySerial[attempt.serial] = nil }
            return meant
        }
        for attempt in meant { leave(attempt, .failure(problem)) }
    }

    // MARK: What the fork server says

    /// False: it is not about such a process.
    func hear(_ report: ForkReport) -> Bool {
        switch report {
        case .forked(.retry(_, let serial), let process): state.withLock { $0.processes[process] = serial }
        case .forkFailed(.retry(_, let serial), let reason): notForked(serial, reason)
        case .unwanted(.retry(_, let serial)): notForked(serial, "it is not wanted any more")
        case .ended(let process, let end):
            guard state.withLock({ $0.processes.removeValue(forKey: process) }) != nil else { return false }
            if end != .exited(code: 0) {
                log.error("a process that sent an output again has crashed or was killed", metadata: ["pid": "\(process)", "detail": "it \(end)"])
            }
        default: return false
        }
        return true
    }

    private func notForked(_ serial: UInt64, _ reason: String) {
        guard let attempt = state.withLock({ $0.bySerial[serial] }) else { return }
        log.error("a process that would send an output again can't be forked", metadata: ["writer": "\(attempt.writer.key)", "error": "\(reason)"])
        settle(attempt, .failed(.overloaded, detail: "A process that would send the output can't be had now. Try again.", parameter: nil))
    }
}
