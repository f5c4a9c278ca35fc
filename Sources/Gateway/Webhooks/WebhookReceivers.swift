import WriterModel

/// Who is sent to, and how many requests may be under way: to a receiver that does not respond one at a time, after pauses,
/// and the others do not wait for it. As a value, which is told what time it is.
struct WebhookReceivers: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Clients may have a URL for each writer: what is known of one of them holds for the whole host, but for no other
    /// owner's.
    struct ID: Hashable, Sendable {
        let place: String
        let owner: String?
        let isOperators: Bool

        init(of target: WebhookTarget, for writer: WriterID) {
            isOperators = target.patterns == nil
            owner = isOperators ? nil : writer.owner
            let host = isOperators ? nil : URLParts(target.url).map { "\($0.scheme)://\($0.authorityWithoutUser)" }
            place = host ?? target.url
        }
    }

    private struct Receiver {
        /// The oldest first.
        var waiting: [UInt64] = []
        var underWay = 0
        /// In a row.
        var failures = 0
        var restsUntil: Instant?
    }

    private let limits: WebhookQueue.Limits
    private var receivers: [ID: Receiver] = [:]
    /// In which they have their turns.
    private var turns: [ID] = []
    private(set) var underWay = 0
    private var underWayToFailing = 0
    /// By owners, of their callbacks.
    private var underWayOf: [String?: Int] = [:]

    init(_ limits: WebhookQueue.Limits) { self.limits = limits }

    mutating func add(_ number: UInt64, to id: ID) {
        if receivers[id] == nil { turns.append(id) }
        receivers[id, default: Receiver()].waiting.append(number)
    }

    /// It is not under way any more.
    mutating func remove(_ number: UInt64, from id: ID) {
        receivers[id]?.waiting.removeAll { $0 == number }
        if receivers[id]?.waiting.isEmpty != true { return }
        receivers[id] = nil
        turns.removeAll { $0 == id }
    }

    /// Of each receiver the first that waits.
    var firsts: [UInt64] { receivers.values.compactMap(\.waiting.first) }

    /// What waits for the receiver that the most do.
    var mostWaiting: [UInt64] { receivers.values.max { $0.waiting.count < $1.waiting.count }?.waiting ?? [] }

    func waiting(for id: ID) -> [UInt64] { receivers[id]?.waiting ?? [] }

    // MARK: Turns

    /// The first that is due, of the receiver whose turn it is, among those that have room.
    func next(at now: Instant, where isDue: (UInt64) -> Bool) -> UInt64? {
        guard underWay < limits.underWay else { return nil }
        for id in turns {
            guard let receiver = receivers[id], hasRoom(id, receiver, at: now) else { continue }
            if let number = receiver.waiting.first(where: isDue) { return number }
        }
        return nil
    }

    private func hasRoom(_ id: ID, _ receiver: Receiver, at now: Instant) -> Bool {
        if !id.isOperators, underWayOf[id.owner, default: 0] >= limits.ofOwner { return false }
        if let rest = receiver.restsUntil, rest > now { return false }
        if receiver.failures == 0 { return receiver.underWay < limits.toOne }
        return receiver.underWay == 0 && underWayToFailing < limits.toFailing
    }

    /// When there may be a next one, by when one of those that wait for a receiver is due; nil: not before something else happens.
    func nextTime(after now: Instant, due: ([UInt64]) -> Instant?) -> Instant? {
        if underWay >= limits.underWay { return nil }
        return receivers.values.compactMap { receiver in
            if receiver.underWay >= (receiver.failures == 0 ? limits.toOne : 1) { return nil }
            if let rest = receiver.restsUntil, rest > now { return rest }
            return due(receiver.waiting)
        }.filter { $0 > now }.min()
    }

    mutating func begin(_ id: ID) {
        turns.removeAll { $0 == id }
        turns.append(id)
        underWay += 1
        if !id.isOperators { underWayOf[id.owner, default: 0] += 1 }
        if receivers[id]?.failures != 0 { underWayToFailing += 1 }
        receivers[id]?.underWay += 1
    }

    mutating func settle(_ id: ID) {
        underWay -= 1
        if !id.isOperators, let count = underWayOf[id.owner] { underWayOf[id.owner] = count > 1 ? count - 1 : nil }
        if receivers[id]?.failures != 0 { underWayToFailing = max(0, underWayToFailing - 1) }
        receivers[id]?.underWay -= 1
    }

    /// Nothing is under way.
    mutating func settleAll() {
        for id in receivers.keys { receivers[id]?.underWay = 0 }
        (underWay, underWayToFailing, underWayOf) = (0, 0, [:])
    }

    // MARK: Failures

    /// It was not there, or can't take anything now.
    mutating func failed(_ id: ID, _ retryAfter: Duration?, at now: Instant) {
        guard var receiver = receivers[id] else { return }
        if receiver.failures == 0 { underWayToFailing += receiver.underWay }
        receiver.failures += 1
        let rest = now + (retryAfter ?? WebhookSchedule.rest(afterFailures: receiver.failures))
        receiver.restsUntil = max(rest, receiver.restsUntil ?? rest)
        receivers[id] = receiver
    }

    /// It responds. True: it did not before.
    mutating func responded(_ id: ID) -> Bool {
        guard let receiver = receivers[id], receiver.failures > 0 else { return false }
        underWayToFailing = max(0, underWayToFailing - receiver.underWay)
        receivers[id]?.failures = 0
        receivers[id]?.restsUntil = nil
        return true
    }
}
