import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The writers of an earlier run whose records are still to be read, as there is no index of them: the server is
/// ready before. A request about one of them has it read first; one that needs all of them waits. Any thread.
package final class EarlierWriters: Sendable {
    private let registry: Registry
    /// One thread restores at a time: what it does to a lost record, it does once.
    private let turn = Semaphore(1)
    private let isReading = Monitor(false)
    private let restoration = Mutex<WriterRestoration?>(nil)

    /// How long a request waits for all of them.
    private static let patience = Duration.seconds(20)
    /// What is read before the server is ready.
    private static let startTime = Duration.milliseconds(500)

    package init(_ registry: Registry) { self.registry = registry }

    /// Takes up all of them: what takes longer goes on in another thread.
    func takeUp(by restoration: WriterRestoration) {
        self.restoration.withLock { $0 = restoration }
        var unread = restoration.restoreIndexed()[...]
        let deadline = Deadline.after(Self.startTime)
        while let writer = unread.first, !deadline.hasPassed {
            takeUp(writer)
            unread.removeFirst()
        }
        let rest = unread
        isReading.change { $0 = !rest.isEmpty }
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "restoring") { [self] in finish(rest, restoration) }
        } catch {
            finish(rest, restoration)
        }
    }

    private func finish(_ rest: ArraySlice<WriterID>, _ restoration: WriterRestoration) {
        for writer in rest { takeUp(writer) }
        isReading.change { $0 = false }
        if !rest.isEmpty { restoration.log.info("the records of an earlier run are read", metadata: ["count": "\(rest.count)"]) }
        do throws(SystemError) {
            try restoration.records.removeGone()
        } catch {
            restoration.log.error("what is left of removed writers can't be removed", metadata: ["error": "\(error)"])
        }
    }

    /// Has the writer's record read, if it has not been.
    func takeUp(_ writer: WriterID) {
        guard case .unread? = registry[writer], let restoration = restoration.withLock({ $0 }) else { return }
        turn.passing {
            if case .unread? = registry[writer] { restoration.restore(writer) }
        }
    }

    /// The record of a writer that has ended, which is taken up anew where the index says otherwise: nil then, too, if
    /// it is not there any more, and where that can't be told now.
    func record(of writer: WriterID, in records: RecordStore) -> WriterRecord? {
        if !confirm(writer), registry.isIndexed(writer) { return nil }
        return records.record(of: writer)
    }

    /// Holds what the index says of the writer against the writer's own files, once. False: it was taken up anew, as
    /// they say otherwise, or it can't be told now.
    func confirm(_ writer: WriterID) -> Bool {
        guard registry.isIndexed(writer), let restoration = restoration.withLock({ $0 }) else { return true }
        return turn.passing {
            guard registry.isIndexed(writer), !registry.isLeaving(writer), case .ended(let state)? = registry[writer] else { return true }
            guard let agrees = restoration.records.agrees(writer, that: state) else { return false }
            if agrees {
                registry.confirm(writer)
            } else {
                registry.releaseKey(of: writer)
                restoration.restore(writer)
            }
            return agrees
        }
    }

    var areRead: Bool { isReading.withLock { !$0 } }

    /// Waits until all are read.
    func awaitAll(_ exchange: Exchange) throws(Problem) {
        if areRead { return }
        let areRead: Bool? = exchange.blocking { isReading.wait(until: .after(Self.patience)) { $0 ? nil : true } }
        if areRead == nil {
            var problem = Problem(.overloaded, "The server has just started, and reads the records of the writers of an earlier run. Try again later.")
            problem.retryAfter = 5
            throw problem
        }
    }
}
