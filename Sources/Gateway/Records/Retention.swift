import Bytewise
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// Removes ended writers, with their managed outputs, that are too old, too many or too large together. What a client
/// named with `dst` stays. In a thread of its own, a few at a time. A download that is under way ends whole: it has
/// the file open.
package final class Retention: Sendable {
    private let registry: Registry
    private let records: RecordStore
    private let earlier: EarlierWriters
    private let configuration: CurrentConfiguration
    private let folder: Directory
    private let log: Logger

    private struct State {
        var retired: [RetentionPlan.Reason: Int64] = [:]
        /// The last ones, to say what became of them: as many as `mostRemembered`.
        var recent: [WriterID: RetentionPlan.Reason] = [:]
        var recentOrder: [WriterID] = []
        /// Could not be removed, or are in use: not to be tried again before.
        var failed: [WriterID: Deadline] = [:]
        /// Of the index.
        var nextRewrite = Deadline.past
    }

    private let state = Mutex(State())
    private let isStopped = Monitor(false)

    private static let interval = Duration.seconds(1)
    private static let pause = Duration.milliseconds(5)
    private static let step = 32
    private static let mostAtOnce = 4_096
    private static let mostRemembered = 1_000
    private static let retryTime = Duration.seconds(60)
    /// Of the state directory: a `RetentionClock.Note`.
    package static let clockFile = "clock"
    private static let clockTime = Duration.seconds(60)

    init(
        registry: Registry, records: RecordStore, earlier: EarlierWriters, configuration: CurrentConfiguration, log: Logger
    ) throws(SystemError) {
        self.registry = registry
        self.records = records
        self.earlier = earlier
        self.configuration = configuration
        self.log = log
        folder = try Directory(path: configuration.stateDirectory)
        // A new state directory: what ends in it from here on was never kept for ever.
        if !folder.contains(Self.clockFile), try records.all().isEmpty { write(RetentionClock.Note(believed: .now())) }
    }

    func start() {
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "retention") { [self] in run() }
        } catch {
            log.error("ended writers are kept for ever", metadata: ["error": "\(error)"])
        }
    }

    func stop() { isStopped.change { $0 = true } }

    /// How many are removed, by why.
    var counts: [RetentionPlan.Reason: Int64] { state.withLock { $0.retired } }

    /// Why a writer is not there any more; nil where it was not removed here, or long ago.
    func reason(for writer: WriterID) -> RetentionPlan.Reason? { state.withLock { $0.recent[writer] } }

    private func run() {
        while !earlier.areRead { if waitOrStop(Self.interval) { return } }
        let began = ContinuousClock.now
        var clock = RetentionClock(note, hasWriters: registry.ended.count > 0, uptime: .zero)
        var nextNote = Duration.zero
        var wasHeld = false
        repeat {
            let uptime = ContinuousClock.now - began
            let wall = Timestamp.now()
            let now = clock.now(wall: wall, uptime: uptime)
            let note = clock.note(uptime: uptime)
            if clock.isHeld && !wasHeld { tell(of: note, at: wall) }
            if uptime >= nextNote || clock.isHeld != wasHeld {
                write(note)
                nextNote = uptime + Self.clockTime
            }
            wasHeld = clock.isHeld
            removeExcess(at: now)
            compact()
        } while !waitOrStop(Self.interval)
        write(clock.note(uptime: ContinuousClock.now - began))
    }

    private func tell(of note: RetentionClock.Note, at wall: Timestamp) {
        guard configuration.limits.retainEnded > 0, let hold = note.hold else { return }
        log.warning(
            "no ended writer is removed for its age for a day of running: the clock, or the version, is another than before",
            metadata: [
                "time": "\(wall)", "last": "\(note.believed?.description ?? "none")", "seconds_left": "\(hold.components.seconds)",
            ])
    }

    private func waitOrStop(_ time: Duration) -> Bool { isStopped.wait(until: .after(time)) { $0 ? true : nil } == true }

    private var note: RetentionClock.Note? {
        (try? folder.readFile(Self.clockFile, most: 64)).flatMap { RetentionClock.Note(String(decoding: $0, as: UTF8.self)) }
    }

    private func write(_ note: RetentionClock.Note) { try? folder.writeAtomically(Self.clockFile, Array(note.text.utf8)) }

    private func removeExcess(at now: Timestamp?) {
        let limits = RetentionPlan.Limits(configuration.limits)
        guard limits.areExceeded(by: registry.ended, at: now) else { return }
        var candidates: [RetentionPlan.Candidate] = []
        var earliest: Timestamp?
        let failed = state.withLock { state in
            state.failed = state.failed.filter { !$0.value.hasPassed }
            return state.failed
        }
        registry.forEachEnded { writer, end in
            earliest = min(earliest ?? end.at, end.at)
            if failed[writer] == nil { candidates.append(.init(writer: writer, at: end.at, bytes: end.bytes)) }
        }
        registry.noteEarliestEnd(earliest)
        var removals = RetentionPlan.removals(among: candidates, by: limits, at: now, most: Self.mostAtOnce)[...]
        while !removals.isEmpty {
            remove(Array(removals.prefix(Self.step)))
            removals = removals.dropFirst(Self.step)
            if waitOrStop(Self.pause) { return }
        }
    }

    private func remove(_ removals: [RetentionPlan.Removal]) {
        let reasons = Dictionary(removals.map { ($0.writer, $0.reason) }) { first, _ in first }
        // Of one whose encoder has not let go of its folder yet, later; of one that is not what the index says, by what it is.
        let leaving = registry.leave(removals.map(\.writer).filter { earlier.confirm($0) && !isInUse($0) })
        records.index.forget(leaving)
        var removed: [WriterID] = []
        for writer in leaving {
            do throws(SystemError) {
                try records.removeFolder(writer)
                removed.append(writer)
            } catch {
                registry.stay(writer)
                postpone(writer)
                log.error("an ended writer can't be removed", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
            }
        }
        registry.remove(removed)
        for writer in removed { note(writer, reasons[writer] ?? .age) }
    }

    private func isInUse(_ writer: WriterID) -> Bool {
        guard records.isHeld(writer) else { return false }
        postpone(writer)
        return true
    }

    private func postpone(_ writer: WriterID) { state.withLock { $0.failed[writer] = .after(Self.retryTime) } }

    private func note(_ writer: WriterID, _ reason: RetentionPlan.Reason) {
        state.withLock { state in
            state.retired[reason, default: 0] += 1
            if state.recent.updateValue(reason, forKey: writer) == nil { state.recentOrder.append(writer) }
            if state.recentOrder.count > Self.mostRemembered { state.recent[state.recentOrder.removeFirst()] = nil }
        }
        log.info("an ended writer is kept no longer", metadata: ["writer": "\(writer.key)", "reason": "\(reason.rawValue)"])
    }

    private func compact() {
        let (index, origins) = (records.index.isLong(for: registry.ended.count), records.origins.isLong)
        guard index || origins, state.withLock({ $0.nextRewrite.hasPassed }) else { return }
        state.withLock { $0.nextRewrite = .after(Self.retryTime) }
        if index { records.index.rewrite { registry.indexEntries(records) } }
        if origins { try? records.origins.rewrite() }
    }
}

extension Registry {
    /// In the order of their creation, a few under the lock at a time.
    fileprivate func forEachEnded(_ body: (WriterID, End) -> Void) {
        var position: Position?
        repeat {
            let (items, last) = newestFirst(after: position, count: 1_024) { _ in true }
            for item in items { if let end = item.end, !item.isLeaving { body(item.writer, end) } }
            position = last
        } while position != nil
    }

    /// Without those whose record is in memory alone.
    fileprivate func indexEntries(_ records: RecordStore) -> [EndedIndex.Entry] {
        var position: Position?
        var entries: [EndedIndex.Entry] = []
        repeat {
            let (items, last) = newestFirst(after: position, count: 1_024) { _ in true }
            for item in items where !item.isLeaving {
                guard let end = item.end, !records.isUnwritten(item.writer) else { continue }
                entries.append(EndedIndex.Entry(writer: item.writer, createdAt: item.createdAt, end: end, origin: records.origin(of: item.writer)))
            }
            position = last
        } while position != nil
        return entries
    }
}
