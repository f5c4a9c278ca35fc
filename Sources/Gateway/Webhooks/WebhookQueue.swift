import WriterModel

/// The events that are to be sent, each to one target, and when: as a value, which is told what time it is.
///
/// Of one writer a target gets the events in their order, unless one has failed several times.
package struct WebhookQueue: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package struct Delivery: Sendable {
        package let number: UInt64
        package let event: WebhookEvent
        package let target: WebhookTarget
        /// Among the event's targets.
        package let place: Int
        /// When the event happened.
        package let since: Instant
        package fileprivate(set) var attempts = 0
        /// Why it is not delivered yet.
        package fileprivate(set) var reason = ""
        fileprivate var notBefore: Instant
        fileprivate var isUnderWay = false
        /// The receiver was not there, or could not take it then.
        fileprivate var metNoReceiver = false

        fileprivate var bytes: Int { event.body.utf8.count + target.url.utf8.count }
        fileprivate var lane: Lane { Lane(writer: event.writer, target: target) }

        fileprivate var receiver: WebhookReceivers.ID { .init(of: target, for: event.writer) }
    }

    package struct Limits: Sendable {
        package var deliveries = 10_000
        package var bytes = 16 * 1_024 * 1_024
        /// Requests at a time: in all, those to receivers that have failed, those of one owner's callbacks, and those to one
        /// receiver.
        package var underWay = 32
        package var toFailing = 16
        package var ofOwner = 16
        package var toOne = 4
        /// From so many failures of an event on, those behind it do not wait for it.
        package var failuresInOrder = 3

        package init() {}
    }

    package enum End: Sendable {
        case delivered(Delivery)
        case again(Delivery)
        case givenUp(Delivery)
        /// The receiver wants nothing more: these were to be sent there.
        case gone([Delivery])
        /// It was ended otherwise before.
        case unknown
    }

    fileprivate struct Lane: Hashable {
        let writer: WriterID
        let target: WebhookTarget
    }

    private let limits: Limits
    private var deliveries: [UInt64: Delivery] = [:]
    private var receivers: WebhookReceivers
    private var lanes: [Lane: [UInt64]] = [:]
    private var lastNumber: UInt64 = 0
    private var bytes = 0

    package init(limits: Limits = Limits()) {
        self.limits = limits
        receivers = WebhookReceivers(limits)
    }

    package var count: Int { deliveries.count }
    package var isEmpty: Bool { deliveries.isEmpty }
    package var countUnderWay: Int { receivers.underWay }

    /// When the oldest that is left happened.
    package var oldest: Instant? { receivers.firsts.compactMap { deliveries[$0]?.since }.min() }

    /// All there are, the oldest first.
    package var all: [Delivery] { deliveries.values.sorted { $0.number < $1.number } }

    package mutating func add(_ event: WebhookEvent, to targets: [(place: Int, target: WebhookTarget)], since: Instant) {
        for (place, target) in targets {
            lastNumber += 1
            let delivery = Delivery(number: lastNumber, event: event, target: target, place: place, since: since, notBefore: since)
            deliveries[lastNumber] = delivery
            bytes += delivery.bytes
            lanes[delivery.lane, default: []].append(lastNumber)
            receivers.add(lastNumber, to: delivery.receiver)
        }
    }

    // MARK: What is next

    /// One whose time has come, which is under way from here on; nil: there is none now.
    package mutating func next(at now: Instant) -> Delivery? {
        guard let number = due(at: now), let delivery = deliveries[number] else { return nil }
        receivers.begin(delivery.receiver)
        deliveries[number]?.isUnderWay = true
        return deliveries[number]
    }

    /// Whether `next` would give one.
    package func nextIsDue(at now: Instant) -> Bool { due(at: now) != nil }

    private func due(at now: Instant) -> UInt64? { receivers.next(at: now) { isDue($0, at: now) } }

    private func isDue(_ number: UInt64, at now: Instant) -> Bool {
        guard let delivery = deliveries[number], !delivery.isUnderWay, delivery.notBefore <= now else { return false }
        return isFirst(delivery)
    }

    /// Of its writer's, for its target; or those before it have failed too often to be waited for.
    private func isFirst(_ delivery: Delivery) -> Bool {
        for earlier in lanes[delivery.lane] ?? [] {
            if earlier == delivery.number { return true }
            if deliveries[earlier].map({ $0.isUnderWay || $0.attempts < limits.failuresInOrder }) ?? false { return false }
        }
        return true
    }

    /// When `next` may give one that it does not give now; nil: not before something else happens.
    package func nextTime(after now: Instant) -> Instant? {
        receivers.nextTime(after: now) { waiting in
            waiting.lazy.compactMap { deliveries[$0] }.filter { !$0.isUnderWay && isFirst($0) }.map(\.notBefore).min()
        }
    }

    // MARK: What came of it

    /// Nothing is known of those under way: what sent them has ended.
    package mutating func senderEnded() {
        for number in deliveries.keys { deliveries[number]?.isUnderWay = false }
        receivers.settleAll()
    }

    /// It was not sent after all, for no fault of the receiver's.
    package mutating func takeBack(_ number: UInt64) { _ = settle(number) }

    package mutating func end(_ number: UInt64, _ result: WebhookResult, at now: Instant, retryTime: Duration) -> End {
        guard let delivery = settle(number) else { return .unknown }
        switch result {
        case .answered(200...299, _):
            responded(delivery.receiver, at: now)
            remove(delivery)
            return .delivered(delivery)
        case .answered(410, _): return .gone(removeAll(to: delivery.target))
        case .answered(let status, let retryAfter):
            let retryAfter = retryAfter.map { min(WebhookSchedule.longestRest, .seconds(max(0, $0))) }
            let isPassing = [408, 425, 429].contains(status) || status >= 500
            return failed(delivery, "the receiver answered \(status)", isThere: !isPassing, retryAfter, at: now, retryTime)
        case .failed(let reason): return failed(delivery, reason, isThere: false, nil, at: now, retryTime)
        }
    }

    /// It is not under way any more; nil: it was not.
    private mutating func settle(_ number: UInt64) -> Delivery? {
        guard let delivery = deliveries[number], delivery.isUnderWay else { return nil }
        receivers.settle(delivery.receiver)
        deliveries[number]?.isUnderWay = false
        return deliveries[number]
    }

    private mutating func failed(
        _ delivery: Delivery, _ reason: String, isThere: Bool, _ retryAfter: Duration?, at now: Instant, _ retryTime: Duration
    ) -> End {
        var delivery = delivery
        delivery.attempts += 1
        delivery.reason = reason
        delivery.metNoReceiver = !isThere
        if isThere { responded(delivery.receiver, at: now) } else { receivers.failed(delivery.receiver, retryAfter, at: now) }
        let deadline = delivery.since + retryTime
        if now >= deadline {
            remove(delivery)
            return .givenUp(delivery)
        }
        // The last attempt is made when the time is over.
        delivery.notBefore = min(deadline, now + (retryAfter ?? WebhookSchedule.pause(afterFailures: delivery.attempts)))
        deliveries[delivery.number] = delivery
        return .again(delivery)
    }

    /// What it was not there for goes now.
    private mutating func responded(_ id: WebhookReceivers.ID, at now: Instant) {
        guard receivers.responded(id) else { return }
        for number in receivers.waiting(for: id) where deliveries[number]?.metNoReceiver == true {
            deliveries[number]?.metNoReceiver = false
            deliveries[number]?.notBefore = now
        }
    }

    // MARK: What goes

    private mutating func remove(_ delivery: Delivery) {
        guard let known = deliveries[delivery.number] else { return }
        if known.isUnderWay { _ = settle(delivery.number) }
        deliveries[delivery.number] = nil
        bytes -= known.bytes
        lanes[known.lane]?.removeAll { $0 == known.number }
        if lanes[known.lane]?.isEmpty == true { lanes[known.lane] = nil }
        receivers.remove(known.number, from: known.receiver)
    }

    /// What is not to be sent there any more.
    package mutating func removeAll(to target: WebhookTarget) -> [Delivery] {
        let removed = all.filter { $0.target == target }
        for delivery in removed { remove(delivery) }
        return removed
    }

    /// Takes out what is too much: the oldest of the receiver that the most wait for.
    package mutating func removeExcess() -> [Delivery] {
        var removed: [Delivery] = []
        while deliveries.count > limits.deliveries || bytes > limits.bytes {
            let waiting = receivers.mostWaiting
            guard let number = waiting.first(where: { deliveries[$0]?.isUnderWay == false }) ?? waiting.first, let delivery = deliveries[number] else { break }
            remove(delivery)
            removed.append(delivery)
        }
        return removed
    }
}
