import SystemIO
import WriterModel

/// How an encoder's end becomes known, as a value: events in, in whatever order they come, actions out. An encoder
/// ends by its own word; without one its writer fails, once nothing more can be heard of it, by the way that its
/// process ended. Either happens once.
package struct EncoderEnd: Sendable {
    package enum Event: Sendable {
        case forked(process: Int32)
        /// It was not forked, or its fork server is gone without a word of it.
        case notForked
        /// All its clients left before it was forked.
        case unwanted
        /// It has told of its writer, which is made.
        case madeWriter
        /// It has told how the writer ended.
        case concluded(Outcome)
        /// Nothing more is heard of it: it has closed its socket, or is not listened to any more.
        case socketEnded
        case processEnded(ProcessEnd)
        /// It is to be killed.
        case condemned(KillReason)
        /// Its process's end has been waited for long enough.
        case timedOut
    }

    package enum Action: Sendable, Equatable {
        case kill(process: Int32)
        /// `.timedOut` is due some time from now.
        case awaitProcess
        /// The writer ended so.
        case record(Outcome)
        /// The writer failed, or was never made.
        case fail(Cause)
        /// The connections that an encoder left whose writer's end is recorded are free.
        case release
        /// The writer is not made.
        case forget
    }

    /// How the writer ended, by its encoder's own word.
    package enum Outcome: Sendable, Equatable {
        /// The record is on disk.
        case concluded(WriterState)
        /// The record is not on disk.
        case unkeptRecord(WriterRecord)
        case discarded
    }

    /// Why its process is killed.
    package enum KillReason: Sendable, Equatable {
        /// It did not respond.
        case unresponsive
        /// It said what no encoder of ours says, or did not end with its socket.
        case improper
    }

    /// Why a writer failed of which no outcome was told.
    package enum Cause: Sendable, Equatable {
        case notStarted
        case unresponsive
        /// nil: nothing told how.
        case died(ProcessEnd?)
    }

    private enum Phase {
        case running
        /// It told how its writer ended.
        case concluded
        /// Its socket has ended, without an outcome.
        case awaitingProcess
        /// Nothing is to be done any more.
        case settled
    }

    private let awaitsProcess: Bool
    private var phase = Phase.running
    package private(set) var process: Int32?
    package private(set) var processEnd: ProcessEnd?
    package private(set) var killReason: KillReason?
    private var isUnforked = false
    private var hasMadeWriter = false

    /// `awaitsProcess`: how its process ended matters to its clients.
    package init(awaitsProcess: Bool = true) { self.awaitsProcess = awaitsProcess }

    package mutating func take(_ event: Event) -> [Action] {
        switch event {
        case .forked(let process): return forked(process)
        case .notForked:
            guard process == nil else { return [] }
            isUnforked = true
            return phase == .awaitingProcess ? fail(nil) : []
        case .unwanted:
            guard process == nil, phase == .running || phase == .awaitingProcess else { return [] }
            phase = .settled
            return [.forget]
        case .madeWriter:
            hasMadeWriter = true
            return []
        case .concluded(let outcome):
            guard phase == .running else { return [] }
            phase = .concluded
            return [.record(outcome)]
        case .socketEnded: return socketEnded()
        case .processEnded(let end):
            processEnd = processEnd ?? end
            return phase == .awaitingProcess ? fail(processEnd) : []
        case .condemned(let reason): return condemn(for: reason)
        case .timedOut:
            guard phase == .awaitingProcess else { return [] }
            // It has no peer any more, and holds on to what it has.
            return condemn(for: .improper) + fail(nil)
        }
    }

    /// Once: a writer has one process.
    private mutating func forked(_ process: Int32) -> [Action] {
        guard self.process == nil, processEnd == nil else { return [] }
        self.process = process
        return killReason == nil ? [] : [.kill(process: process)]
    }

    /// The first reason counts.
    private mutating func condemn(for reason: KillReason) -> [Action] {
        killReason = killReason ?? reason
        guard let process, processEnd == nil else { return [] }
        return [.kill(process: process)]
    }

    private mutating func socketEnded() -> [Action] {
        switch phase {
        case .running where processEnd != nil || !awaitsProcess || isUnforked && process == nil: return fail(processEnd)
        case .running:
            phase = .awaitingProcess
            return [.awaitProcess]
        case .concluded:
            phase = .settled
            return [.release]
        case .awaitingProcess, .settled: return []
        }
    }

    private mutating func fail(_ end: ProcessEnd?) -> [Action] {
        phase = .settled
        if killReason == .unresponsive { return [.fail(.unresponsive)] }
        if process == nil && end == nil && !hasMadeWriter { return [.fail(.notStarted)] }
        return [.fail(.died(end))]
    }
}
