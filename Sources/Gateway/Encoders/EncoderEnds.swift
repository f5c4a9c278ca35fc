import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// Carries out how encoders end, as each one's `EncoderEnd` has it: in the records, in the registry, and for the
/// clients whose connections they leave.
final class EncoderEnds: Sendable {
    private let registry: Registry
    private let records: RecordStore
    private let connections: ConnectionKeeper
    private let loop: EventLoop
    private let encoderTimeout: Double
    private let tally: EncoderTally
    private let webhooks: Webhooks?
    private let log: Logger

    private struct State {
        /// Encoders whose socket has ended and whose way of ending is not known yet.
        var awaited: [WriterID: (link: EncoderLink, until: Deadline)] = [:]
        var byProcess: [Int32: EncoderLink] = [:]
    }

    private let state = Mutex(State())

    /// How soon it is told how a process ended whose socket has.
    private static let processTime = Duration.seconds(3)

    init(
        registry: Registry, records: RecordStore, connections: ConnectionKeeper, loop: EventLoop, encoderTimeout: Double,
        tally: EncoderTally, webhooks: Webhooks? = nil, log: Logger
    ) {
        self.registry = registry
        self.records = records
        self.connections = connections
        self.loop = loop
        self.encoderTimeout = encoderTimeout
        self.tally = tally
        self.webhooks = webhooks
        self.log = log
    }

    func take(_ event: EncoderEnd.Event, of link: EncoderLink) {
        for action in link.take(event) { perform(action, link) }
    }

    /// False: it has no process, or none that is known yet.
    @discardableResult
    func kill(_ link: EncoderLink, for reason: EncoderEnd.KillReason) -> Bool {
        let actions = link.take(.condemned(reason))
        for action in actions { perform(action, link) }
        return !actions.isEmpty
    }

    /// Of an encoder that is started.
    func forked(_ link: EncoderLink, process: Int32) {
        state.withLock { $0.byProcess[process] = link }
        take(.forked(process: process), of: link)
    }

    func processEnded(_ process: Int32, _ end: ProcessEnd) {
        guard let link = state.withLock({ $0.byProcess.removeValue(forKey: process) }) else { return }
        take(.processEnded(end), of: link)
    }

    /// By the second.
    func endOverdue() {
        let overdue = state.withLock { state in state.awaited.values.filter { $0.until.hasPassed }.map(\.link) }
        for link in overdue { take(.timedOut, of: link) }
    }

    /// Of a writer that could not be started, or is not to be.
    func forget(_ link: EncoderLink) {
        link.unwatch(on: loop)
        webhooks?.forget(link.writer)
        removeFolder(of: link.writer)
        registry.remove(link.writer)
    }

    private func perform(_ action: EncoderEnd.Action, _ link: EncoderLink) {
        switch action {
        case .kill(let process): Signal.send(Signal.kill, to: process)
        case .awaitProcess: state.withLock { $0.awaited[link.writer] = (link, .after(Self.processTime)) }
        case .record(let outcome): record(outcome, of: link)
        case .fail(let cause):
            drop(link)
            fail(link, cause)
        case .release:
            drop(link)
            settleConnections(of: link, .justEnding(link.writer))
        case .forget:
            drop(link)
            forgetUnwanted(link)
        }
    }

    /// Before the registry lets its id go.
    private func drop(_ link: EncoderLink) {
        state.withLock { state in
            state.awaited[link.writer] = nil
            if let process = link.process { state.byProcess[process] = nil }
        }
    }

    private func record(_ outcome: EncoderEnd.Outcome, of link: EncoderLink) {
        switch outcome {
        case .concluded(let state):
            if link.hasSeveralOutputs, let record = records.record(of: link.writer) { tellOfOutputs(of: link, record) }
            records.end(link.writer, as: state, in: registry)
            webhooks?.ended(link.writer)
            let ended: WriterEnd.State = state == .closed ? .closed : .failed
            note(told(by: link, as: ended) ?? WriterEnd(ended, by: .unknown), of: link)
        case .unkeptRecord(let record):
            tellOfOutputs(of: link, record)
            records.keep(records.withFiles(record, of: link.writer), of: link.writer)
            records.end(link.writer, as: record.state, in: registry)
            webhooks?.ended(link.writer)
            if let end = WriterEnd(record) { note(end, of: link, isKept: false) }
        case .discarded:
            webhooks?.forget(link.writer)
            removeFolder(of: link.writer)
            registry.remove(link.writer)
            // One that was still being made has told of itself, too, where that took its time.
            if let end = told(by: link, as: .unmade) {
                note(end, of: link)
            } else if link.writerState != nil {
                note(told(by: link, as: .deleted) ?? WriterEnd(.deleted, by: .unknown), of: link)
            }
        }
        link.noteSettled()
    }

    /// What has become of the writer's outputs, each thing once.
    func tellOfOutputs(of link: EncoderLink, _ record: WriterRecord) {
        for event in link.outputEvents(in: record.resource) {
            tally.count(event)
            OutputLog.write(event, of: link.writer, to: log)
        }
    }

    /// What the encoder has said of the end, where that is how the writer ended.
    private func told(by link: EncoderLink, as state: WriterEnd.State) -> WriterEnd? {
        link.writerEnd.flatMap { $0.state == state ? $0 : nil }
    }

    /// Once for each writer.
    private func note(_ end: WriterEnd, of link: EncoderLink, isKept: Bool = true) {
        tally.count(end)
        EndLog.write(end, of: link.writer, isKept: isKept, to: log)
    }

    /// A writer whose clients have all left before anything of it was made.
    private func forgetUnwanted(_ link: EncoderLink) {
        if link.role == .writer {
            note(WriterEnd(.unmade, by: .clientLeft, .leftBeforeStart), of: link)
        } else {
            log.info("an encoding is not made: its client has left", metadata: ["writer": "\(link.writer.key)"])
        }
        // Before what it was passed is taken: nothing more is.
        link.finish()
        forget(link)
        link.noteSettled()
        settleConnections(of: link, .notStarted)
    }

    private func fail(_ link: EncoderLink, _ cause: EncoderEnd.Cause) {
        let problem = Problem(cause, role: link.role, timeout: encoderTimeout)
        if link.role == .catalog { return settleConnections(of: link, problem) }
        settleWriter(of: link, problem, isStarted: cause != .notStarted)
        link.noteSettled()
        settleConnections(of: link, problem.withOffsets(of: link.snapshot), countsBroken: link.role == .encode)
    }

    /// An encoder ended without a word: its writer has failed, or was never made. Unless it had put its record on
    /// disk and died on the way to telling.
    private func settleWriter(of link: EncoderLink, _ problem: Problem, isStarted: Bool) {
        if let record = records.record(of: link.writer), record.state.isEnded {
            records.end(link.writer, as: record.state, in: registry)
            webhooks?.ended(link.writer)
            if let end = WriterEnd(record) { note(end, of: link) }
            return
        }
        guard let snapshot = link.snapshot ?? records.record(of: link.writer) else {
            // A writer is made when its first record is kept: there is none, and so nothing that it wrote.
            records.discard(link.writer, log)
            registry.remove(link.writer)
            webhooks?.forget(link.writer)
            // Why none could be started is logged.
            if isStarted { noteNothingMade(of: link, problem) }
            return
        }
        records.clearLeftovers(of: link.writer, log)
        let record = records.withFiles(snapshot, of: link.writer).failed(with: problem, at: .now())
        let isKept = (try? records.save(record, of: link.writer)) != nil
        if !isKept { records.keep(record, of: link.writer) }
        records.end(link.writer, as: .failed, in: registry)
        webhooks?.ended(link.writer)
        if let end = WriterEnd(record) { note(end, of: link, isKept: isKept) }
    }

    private func noteNothingMade(of link: EncoderLink, _ problem: Problem) {
        if link.role == .writer { return note(.unmade(problem), of: link) }
        tally.countFailedEncoding(problem.code)
        log.error(
            "an encoding failed",
            metadata: ["writer": "\(link.writer.key)", "code": "\(problem.code.rawValue)", "detail": "\(problem.detail)"])
    }

    /// Its clients get a response, once the gateway responds for its writer. `countsBroken`: what it was responding to
    /// was an encoding, which it had not reported.
    private func settleConnections(of link: EncoderLink, _ problem: Problem, countsBroken: Bool = false) {
        for (connection, state) in link.takeLeft() {
            if countsBroken && state == .answering { tally.countBrokenResponse(to: Operation.encode.id) }
            connections.settle(connection, state, problem)
        }
    }

    /// Before the registry lets its id go.
    private func removeFolder(of writer: WriterID) {
        do throws(SystemError) {
            try records.removeFolder(writer)
        } catch {
            log.error("a writer's folder can't be removed", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
        }
    }
}
