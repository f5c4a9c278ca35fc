import Logging
import SystemIO
import Threading
import WriterModel

/// What the thread of webhooks does: enters what is to be told, gives it to the process that sends, and crosses out what
/// has arrived.
struct WebhookWork {
    private typealias Instant = ContinuousClock.Instant

    private let webhooks: Webhooks
    private let sender: WebhookSenderLink
    private var book: WebhookBook
    private var queue = WebhookQueue()
    /// Writers whose ends are to be found: of an earlier run, or without a record on disk.
    private var awaited: Set<WriterID> = []
    private var underWay: [UInt64: Instant] = [:]
    /// Of the operator's URLs, those whose receivers want nothing more.
    private var gone: Set<WebhookTarget> = []
    /// The operator's URLs as they were when one went.
    private var urlsThen: [String] = []
    private var excess = 0

    /// A request takes less than this: one that takes longer is one of a process that hangs.
    private static let requestTime = Duration.seconds(90)
    private static let tick = Duration.seconds(1)

    init(_ webhooks: Webhooks, _ sender: WebhookSenderLink) {
        (self.webhooks, self.sender) = (webhooks, sender)
        book = WebhookBook(in: webhooks.folder)
    }

    private var configuration: WebhookConfiguration { webhooks.configuration.webhooks }
    private var log: Logger { webhooks.log }

    mutating func run() {
        load()
        var nextTick = Deadline.past
        while true {
            guard let letters = webhooks.take(until: nextWake(nextTick)) else { break }
            var onKept: [@Sendable (SystemError?) -> Void] = []
            for letter in letters { take(letter, &onKept) }
            if nextTick.hasPassed {
                everySecond()
                nextTick = .after(Self.tick)
            }
            let failure = written { (book) throws(SystemError) in try book.write() }
            for call in onKept { call(failure) }
            send()
            show()
        }
        _ = written { (book) throws(SystemError) in try book.conclude() }
    }

    /// By the second while there is something to look after; else only when something comes.
    private func nextWake(_ tick: Deadline) -> Deadline {
        if queue.isEmpty && awaited.isEmpty && excess == 0 && !book.isBehind { return .never }
        let now = ContinuousClock.now
        let next = queue.nextIsDue(at: now) ? sender.nextStart : queue.nextTime(after: now)
        return min(tick, next.map { .after(max(.zero, $0 - now)) } ?? .never)
    }

    private mutating func load() {
        let contents = book.load()
        if contents.damaged > 0 { log.warning("lines of the file of webhooks are damaged, and passed over", metadata: ["count": "\(contents.damaged)"]) }
        awaited = Set(contents.watches.keys)
        webhooks.noteWatched(awaited)
        let now = ContinuousClock.now, time = Timestamp.now()
        for pending in contents.pending {
            let age = Duration.milliseconds(max(0, time.milliseconds - pending.event.createdAt.milliseconds))
            queue.add(pending.event, to: pending.left.map { ($0, pending.targets[$0]) }, since: now - age)
        }
        if !queue.isEmpty { log.info("webhooks of an earlier run are sent", metadata: ["count": "\(queue.count)"]) }
        if contents.isAny { _ = written { (book) throws(SystemError) in try book.rewrite() } }
    }

    /// nil: all that is to be kept is on disk.
    private mutating func written(_ write: (inout WebhookBook) throws(SystemError) -> Void) -> SystemError? {
        do throws(SystemError) {
            try write(&book)
            return nil
        } catch {
            log.error("what webhooks are to tell can't be written", metadata: ["error": "\(error)"])
            return error
        }
    }

    // MARK: What comes

    private mutating func take(_ letter: Webhooks.Letter, _ onKept: inout [@Sendable (SystemError?) -> Void]) {
        switch letter {
        case .watch(let writer, let callback, let call):
            book.watch(writer, WebhookWatch(callback: callback))
            onKept.append(call)
        case .changed(let writer, let resource): tell(of: writer, resource)
        case .endsUnkept(let writer): awaited.insert(writer)
        case .forget(let writer): forget(writer)
        // Of one whose end is yet to be told, that is told first.
        case .removed(let writer): if book.watches[writer]?.told.hasFailed == true { forget(writer) }
        case .sender(.result(let number, let result)): take(result, of: number)
        case .sender(.ended):
            underWay = [:]
            queue.senderEnded()
        }
    }

    private mutating func forget(_ writer: WriterID) {
        awaited.remove(writer)
        webhooks.noteTold(writer)
        book.forget(writer)
    }

    private mutating func tell(of writer: WriterID, _ resource: JSONObject) {
        var watch = book.watches[writer] ?? WebhookWatch()
        let receivers = operators + (watch.callback.map { [$0] } ?? [])
        for news in watch.told.take(resource) {
            if !receivers.isEmpty {
                let event = WebhookEvent(news.kind, of: writer, resource, output: news.output)
                book.enter(event, for: receivers, told: watch.told)
                queue.add(event, to: receivers.enumerated().map { ($0, $1) }, since: .now)
            }
            if news.kind.isEnd { return conclude(writer, watch, after: news.kind) }
        }
        // What may come yet is the news of a request: nothing is to be looked for.
        if watch.told.hasFailed { awaited.remove(writer) }
        if !book.note(watch, of: writer) { webhooks.noteWatched([writer]) }
    }

    /// Its end has been told. One that failed may be sent after all, where something is kept of it.
    private mutating func conclude(_ writer: WriterID, _ watch: WebhookWatch, after end: WebhookEvent.Kind) {
        guard end == .failed, !webhooks.records.keptOutputs(of: writer).isEmpty else { return forget(writer) }
        awaited.remove(writer)
        webhooks.noteWatched([writer])
        book.watch(writer, watch)
    }

    /// The operator's URLs, without those whose receivers are gone since they were last changed.
    private var operators: [WebhookTarget] {
        let urls = configuration.urls
        return urls.map { WebhookTarget(url: $0) }.filter { urls != urlsThen || !gone.contains($0) }
    }

    // MARK: By the second

    private mutating func everySecond() {
        for writer in awaited { look(for: writer) }
        let now = ContinuousClock.now
        if underWay.values.contains(where: { now - $0 > Self.requestTime }) { sender.kill() }
        if excess > 0 {
            log.warning("webhooks are given up: more wait than are kept", metadata: ["count": "\(excess)"])
            excess = 0
        }
    }

    /// Tells of one that has ended meanwhile.
    private mutating func look(for writer: WriterID) {
        switch webhooks.registry[writer] {
        case nil: forget(writer)
        case .ended:
            if webhooks.records.isUnwritten(writer) { return }
            guard let record = webhooks.records.record(of: writer) else { return forget(writer) }
            if record.state.isEnded { tell(of: writer, record.resource) }
        // The id is another writer's now.
        case .live: awaited.remove(writer)
        case .orphaned, .unread: break
        }
    }

    // MARK: Sending

    private mutating func send() {
        for delivery in queue.removeExcess() {
            excess += 1
            count(.givenUp)
            book.crossOut(delivery.event, for: delivery.place)
        }
        guard !queue.isEmpty, let secrets = currentSecrets else { return }
        if sender.nextStart != nil {
            guard queue.countUnderWay == 0, queue.nextIsDue(at: .now) else { return }
            let current = webhooks.configuration.value
            sender.start(.init(serverPorts: current.serverPorts, requiresSandbox: current.requiresSandbox, logLevel: current.logLevel.rawValue, caFile: current.caFile))
        }
        while sender.nextStart == nil, let delivery = queue.next(at: .now) {
            guard sender.send(request(for: delivery, secrets)) else { return queue.takeBack(delivery.number) }
            underWay[delivery.number] = .now
        }
    }

    private var currentSecrets: WebhookSecrets? {
        webhooks.secretFile?.current(
            onFlaw: { log.error("the old webhook secrets stay in force", metadata: ["error": "\($0)"]) },
            onChange: { log.info("webhook secrets were read again") })
    }

    private func request(for delivery: WebhookQueue.Delivery, _ secrets: WebhookSecrets) -> WebhookRequest {
        let event = delivery.event, target = delivery.target
        let timestamp = Timestamp.now().milliseconds / 1_000
        let owner = target.patterns == nil ? nil : event.writer.owner
        let signature = secrets.signature(for: owner, id: event.id, timestamp: timestamp, body: event.body)
        return WebhookRequest(
            number: delivery.number, url: target.url, patterns: target.patterns,
            headers: [
                .init("Content-Type", "application/json"), .init("webhook-id", event.id), .init("webhook-timestamp", String(timestamp)),
                .init("webhook-signature", signature),
            ], body: event.body)
    }

    private mutating func take(_ result: WebhookResult, of number: UInt64) {
        underWay[number] = nil
        switch queue.end(number, result, at: .now, retryTime: configuration.retryTime) {
        case .unknown: break
        case .delivered(let delivery):
            count(.delivered)
            book.crossOut(delivery.event, for: delivery.place)
        case .again(let delivery):
            count(.failed)
            log.debug("a webhook was not delivered", metadata: fields(of: delivery))
        case .givenUp(let delivery):
            count(.failed)
            count(.givenUp)
            log.warning("a webhook is given up", metadata: fields(of: delivery))
            book.crossOut(delivery.event, for: delivery.place)
        case .gone(let deliveries): takeGone(deliveries)
        }
    }

    /// Its receiver wants nothing more: of a writer's URL that is kept, of the operator's it holds until the server starts
    /// again, or gets other URLs.
    private mutating func takeGone(_ deliveries: [WebhookQueue.Delivery]) {
        guard let target = deliveries.first?.target else { return }
        log.warning("a webhook's receiver is gone (410): nothing more is sent there", metadata: ["url": "\(target.shown)", "count": "\(deliveries.count)"])
        for delivery in deliveries {
            count(.gone)
            book.crossOut(delivery.event, for: delivery.place)
        }
        if target.patterns == nil {
            if urlsThen != configuration.urls { (gone, urlsThen) = ([], configuration.urls) }
            gone.insert(target)
            return
        }
        book.dropCallback(target)
    }

    private func fields(of delivery: WebhookQueue.Delivery) -> Logger.Metadata {
        let fields: Logger.Metadata = [
            "writer": "\(delivery.event.writer.key)", "event": "\(delivery.event.kind.rawValue)", "webhook_id": "\(delivery.event.id)",
            "url": "\(delivery.target.shown)", "attempts": "\(delivery.attempts)", "error": "\(URLText.redacted(delivery.reason))",
        ]
        return fields
    }

    // MARK: Figures

    private func count(_ result: Webhooks.Figures.Result) { webhooks.figures.withLock { $0.results[result, default: 0] += 1 } }

    private func show() {
        webhooks.figures.withLock { [queue] figures in (figures.pending, figures.oldest) = (queue.count, queue.oldest) }
    }
}
