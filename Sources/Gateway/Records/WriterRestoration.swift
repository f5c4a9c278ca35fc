import APICore
import Logging
import SystemIO
import WriterModel

/// Takes up the writers of an earlier run, by what is left of them on disk. One that neither ended well nor has an
/// encoder any more has failed.
struct WriterRestoration {
    let registry: Registry
    let records: RecordStore
    let tally: EncoderTally
    let log: Logger

    /// Takes up those that the index has. Gives the others, which the registry knows as `.unread`.
    func restoreIndexed() -> [WriterID] {
        var writers: [WriterID] = []
        do throws(SystemError) {
            writers = try records.all()
        } catch {
            log.error("the writers of an earlier run can't be found", metadata: ["error": "\(error)"])
        }
        let index = records.index.load()
        var unread: [WriterID] = []
        let items = writers.map { writer in
            guard let entry = index[writer], records.confirms(entry) else {
                unread.append(writer)
                return Registry.Item(writer: writer, createdAt: Timestamp(milliseconds: 0), entry: .unread)
            }
            if let key = entry.origin?.idempotencyKey { _ = registry.claim(key: key, for: writer) }
            return Registry.Item(writer: writer, createdAt: entry.createdAt, entry: .ended(entry.end.state), end: entry.end, isIndexed: true)
        }
        registry.restore(items)
        if !writers.isEmpty {
            log.info("writers of an earlier run are known", metadata: ["count": "\(writers.count)", "unread": "\(unread.count)"])
        }
        return unread
    }

    func restore(_ writer: WriterID) {
        // In this order: an encoder lets go of the folder only after its last record is there.
        let isHeld = records.isHeld(writer)
        let found = records.findOfEarlierRun(writer)
        if records.origin(of: writer) == nil, found.isAny {
            log.error(
                "what a writer wrote to is not known any more: files of it in the output directory are left alone",
                metadata: ["writer": "\(writer.key)"])
        }
        switch found {
        case .record(let record) where record.state.isEnded:
            // One that outlived its gateway has logged its end by itself.
            if case .orphaned? = registry[writer], let end = WriterEnd(record) { tally.count(end) }
            takeUp(writer, record, .ended(record.state))
        case .record(let record): takeUp(writer, isHeld ? record : failed(writer, record), isHeld ? .orphaned : .ended(.failed))
        // Looked at again by the second.
        case .absent where isHeld, .damaged where isHeld, .unreadable: takeUp(writer, nil, .orphaned)
        case .absent where records.isForeign(writer):
            log.error("what lies among the writers is none, and is left alone", metadata: ["folder": "\(writer.key)"])
            registry.remove(writer)
        case .absent where records.wasNeverMade(writer):
            log.warning("a writer of an earlier run was never made", metadata: ["writer": "\(writer.key)"])
            records.discard(writer, log)
            registry.remove(writer)
        case .absent: takeUpLost(writer, because: "it is missing")
        case .damaged(let reason): takeUpLost(writer, because: reason)
        }
    }

    private func takeUp(_ writer: WriterID, _ record: WriterRecord?, _ entry: Registry.Entry) {
        let createdAt = records.origin(of: writer)?.createdAt ?? record.flatMap { Timestamp($0.createdAt) } ?? .now()
        if let key = record?.idempotencyKey { _ = registry.claim(key: key, for: writer) }
        registry.restore(writer, createdAt: createdAt, entry)
        guard case .ended(let state) = entry else { return }
        records.end(writer, as: state, at: record?.endedAt.flatMap(Timestamp.init) ?? .now(), in: registry)
    }

    private func takeUpLost(_ writer: WriterID, because reason: String) {
        let record = records.takeUpLost(writer, because: reason, log)
        if let end = WriterEnd(record, by: .restart) { tally.count(end) }
        takeUp(writer, record, .ended(.failed))
    }

    private func failed(_ writer: WriterID, _ record: WriterRecord) -> WriterRecord {
        records.clearLeftovers(of: writer, log)
        let problem = Problem(
            .encoderCrashed, "The server and the writer's encoder ended before the writer was finalized.")
        let failed = record.failed(with: problem, at: .now())
        let isKept = (try? records.save(failed, of: writer)) != nil
        if !isKept { records.keep(failed, of: writer) }
        if let end = WriterEnd(failed, by: .restart) {
            tally.count(end)
            EndLog.write(end, of: writer, isKept: isKept, to: log)
        }
        return failed
    }
}
