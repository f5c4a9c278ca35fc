import APICore
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// Tells receivers what becomes of writers: the URLs that the operator names, and each writer's own (`callback_url`). What
/// is to be told is in a file before it is sent, and stays there until it has arrived or is given up. One thread does
/// it all; no caller waits for it, and it waits for no receiver.
package final class Webhooks: Sendable {
    enum Letter: Sendable {
        case watch(WriterID, WebhookTarget?, onKept: @Sendable (SystemError?) -> Void)
        /// As the writer is now; where it has ended, as its record on disk says.
        case changed(WriterID, JSONObject)
        /// It has ended, and the record is still to be written.
        case endsUnkept(WriterID)
        case forget(WriterID)
        /// It had ended, and is removed.
        case removed(WriterID)
        case sender(WebhookSenderLink.Report)
    }

    struct Mailbox {
        var letters: [Letter] = []
        var isStopping = false
        var hasStopped = false
    }

    /// For `/metrics`.
    package struct Figures: Sendable, Equatable {
        package enum Result: String, Sendable, CaseIterable {
            case delivered, failed
            case givenUp = "given_up"
            case gone
        }

        package var results: [Result: Int64] = [:]
        package var pending = 0
        package var oldest: ContinuousClock.Instant?

        /// In seconds; 0: nothing is pending.
        package var age: Double { oldest.map { max(0, ($0.duration(to: .now)).inSeconds) } ?? 0 }
    }

    let configuration: CurrentConfiguration
    let registry: Registry
    let records: RecordStore
    let secretFile: WebhookSecretFile?
    let folder: Directory
    let log: Logger
    private let mailbox = Monitor(Mailbox())
    /// The writers whose ends are to be told though the operator names no URL.
    private let watched = Mutex<Set<WriterID>>([])
    let figures = Mutex(Figures())
    private let link = Mutex<WebhookSenderLink?>(nil)

    /// How long the end of the server waits for what is to be written.
    private static let stopTime = Duration.seconds(2)

    /// `secretFile`: nil where there are no secrets, and so no webhooks.
    package init(_ configuration: CurrentConfiguration, _ secretFile: WebhookSecretFile?, registry: Registry, records: RecordStore, log: Logger) {
        self.configuration = configuration
        self.registry = registry
        self.records = records
        self.log = log
        self.secretFile = secretFile
        folder = records.stateFolder
    }

    /// Begins to send, by processes that `fork` gives.
    func start(loop: EventLoop, fork: @escaping WebhookSenderLink.Fork) {
        let sender = WebhookSenderLink(loop: loop, log: log, fork: fork) { [self] in post(.sender($0)) }
        link.withLock { $0 = sender }
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "webhooks") { [self] in
                var work = WebhookWork(self, sender)
                work.run()
                mailbox.change { $0.hasStopped = true }
            }
        } catch {
            log.error("webhooks are not sent", metadata: ["error": "\(error)"])
            mailbox.change { $0.hasStopped = true }
        }
    }

    // MARK: What becomes of writers

    /// A writer is made: its end will be told, even after the server has died. `onKept` is called once that is on disk, or
    /// with why it can't be. Nothing is kept where nobody is to be told.
    func watch(_ writer: WriterID, callback url: String?, by policy: CallbackPolicy?, onKept: @escaping @Sendable (SystemError?) -> Void) {
        let callback = url.map { WebhookTarget(url: $0, patterns: policy?.patterns(naming: $0) ?? []) }
        guard callback != nil || !configuration.webhooks.urls.isEmpty else { return onKept(nil) }
        watched.withLock { _ = $0.insert(writer) }
        post(.watch(writer, callback, onKept: onKept))
    }

    /// Whether anybody is told of the writer.
    func isWatched(_ writer: WriterID) -> Bool { watched.withLock { $0.contains(writer) } || !configuration.webhooks.urls.isEmpty }

    /// The writer is so now.
    func changed(_ writer: WriterID, _ record: WriterRecord?) {
        if let record, isWatched(writer) { post(.changed(writer, record.resource)) }
    }

    /// The writer has ended, by its record on disk or, until there is room, in memory; or has failed, and its output has been
    /// sent after all.
    func ended(_ writer: WriterID) {
        guard isWatched(writer) else { return }
        if records.isUnwritten(writer) { return post(.endsUnkept(writer)) }
        if let record = records.record(of: writer), record.state.isEnded { post(.changed(writer, record.resource)) }
    }

    /// There is no such writer any more, or never was one.
    func forget(_ writer: WriterID) {
        if watched.withLock({ $0.contains(writer) }) { post(.forget(writer)) }
    }

    /// The writer had ended and is removed: nothing more of it will be sent.
    func removed(_ writer: WriterID) {
        if watched.withLock({ $0.contains(writer) }) { post(.removed(writer)) }
    }

    func noteWatched(_ writers: some Sequence<WriterID>) { watched.withLock { $0.formUnion(writers) } }
    func noteTold(_ writer: WriterID) { watched.withLock { _ = $0.remove(writer) } }

    // MARK: The process that sends

    /// False: it is not about that process.
    func hear(_ report: ForkReport) -> Bool {
        let link = link.withLock { $0 }
        switch report {
        case .forked(.webhooks(let serial), let process): link?.forked(serial, process: process)
        case .forkFailed(.webhooks(let serial), let reason):
            log.error("the process that sends webhooks can't be forked", metadata: ["error": "\(reason)"])
            link?.notForked(serial)
        case .unwanted(.webhooks(let serial)): link?.notForked(serial)
        case .ended(let process, let end): return link?.processEnded(process, end) ?? false
        default: return false
        }
        return true
    }

    // MARK: The thread

    /// Without the thread, which the log tells of, writers are made all the same.
    private func post(_ letter: Letter) {
        let isTaken = mailbox.change { mailbox in
            if !mailbox.hasStopped { mailbox.letters.append(letter) }
            return !mailbox.hasStopped
        }
        if !isTaken, case .watch(_, _, let onKept) = letter { onKept(nil) }
    }

    /// What came until then, some at a time; nil: the server ends, and nothing more comes.
    func take(until deadline: Deadline) -> [Letter]? {
        let taken: (letters: [Letter], isStopping: Bool)? = mailbox.wait(until: deadline) { mailbox in
            if mailbox.letters.isEmpty && !mailbox.isStopping { return nil }
            defer { mailbox.letters = [] }
            return (mailbox.letters, mailbox.isStopping)
        }
        guard let taken else { return [] }
        return taken.letters.isEmpty && taken.isStopping ? nil : taken.letters
    }

    /// What is to be told is on disk once this returns. It is sent by the next server.
    package func stop() {
        mailbox.change { $0.isStopping = true }
        link.withLock { $0 }?.stop()
        _ = mailbox.wait(until: .after(Self.stopTime)) { $0.hasStopped ? true : nil }
    }
}
