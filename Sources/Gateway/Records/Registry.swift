import Synchronization
import WriterModel

/// Every writer the gateway knows, live or ended.
package final class Registry: Sendable {
    package enum Entry: Sendable {
        /// Its encoder runs, or is being started.
        case live(EncoderLink)
        /// Its encoder outlived an earlier gateway and is finalizing.
        case orphaned
        /// The record on disk says how it ended.
        case ended(WriterState)
    }

    package struct Item: Sendable {
        package let writer: WriterID
        package let createdAt: Timestamp
        package var entry: Entry

        package var position: Position { Position(createdAt: createdAt, key: writer.key) }
    }

    /// A place in the list of all writers; keys break ties.
    package struct Position: Sendable, Comparable {
        package let createdAt: Timestamp
        package let key: String

        package init(createdAt: Timestamp, key: String) {
            self.createdAt = createdAt
            self.key = key
        }

        /// As pages name it: what comes after it.
        package var cursor: String { "\(createdAt)~\(key)" }

        /// Before it in time, and behind all that come before it: what comes after this one begins with it.
        package var inclusive: Position { Position(createdAt: createdAt, key: key + "!") }

        package static func < (one: Position, other: Position) -> Bool {
            (one.createdAt, one.key) < (other.createdAt, other.key)
        }
    }

    fileprivate struct State {
        var items: [WriterID: Item] = [:]
        /// Of all items, the oldest first once it is sorted: many come at once, at a start, in any order.
        var order: [(position: Position, writer: WriterID)] = []
        var isSorted = true
        var liveCount = 0
        var liveByOwner: [String?: Int] = [:]
        var keys: [OwnersKey: WriterID] = [:]
        /// Those of owners with names, by their ids.
        var named: [String: Set<WriterID>] = [:]

        mutating func countLive(_ owner: String?, _ change: Int) {
            liveCount += change
            let count = liveByOwner[owner, default: 0] + change
            liveByOwner[owner] = count == 0 ? nil : count
        }

        mutating func set(_ item: Item) {
            let old = items.updateValue(item, forKey: item.writer)
            if old?.position != item.position {
                if let old { removeFromOrder(old) }
                isSorted = isSorted && order.last.map { $0.position < item.position } ?? true
                order.append((item.position, item.writer))
            }
            if item.writer.owner != nil { named[item.writer.text, default: []].insert(item.writer) }
        }
    }

    /// Every owner has Idempotency-Keys of its own.
    fileprivate struct OwnersKey: Hashable {
        let owner: String?
        let key: String
    }

    private let state = Mutex(State())

    /// Takes an Idempotency-Key for a writer that is to be made; gives the writer that has it
    /// instead, if one does.
    package func claim(key: String, for writer: WriterID) -> WriterID? {
        state.withLock { state in
            let key = OwnersKey(owner: writer.owner, key: key)
            if let holder = state.keys[key] { return holder }
            state.keys[key] = writer
            return nil
        }
    }

    package init() {}

    package subscript(writer: WriterID) -> Entry? { state.withLock { $0.items[writer]?.entry } }

    package var liveCount: Int { state.withLock { $0.liveCount } }

    var liveLinks: [EncoderLink] {
        state.withLock { state in
            state.items.values.compactMap { if case .live(let link) = $0.entry { link } else { nil } }
        }
    }

    /// Writers whose encoders outlived an earlier gateway.
    package var orphans: [WriterID] {
        state.withLock { state in
            state.items.values.compactMap { if case .orphaned = $0.entry { $0.writer } else { nil } }
        }
    }

    package enum Admission: Sendable {
        case added, alreadyThere(Entry), full
        /// Of its owner's.
        case ownerFull(limit: Int)
    }

    /// Adds a live writer unless its id is taken, or `limit` live ones are there, or `ofOwner` of its owner's.
    package func add(_ link: EncoderLink, createdAt: Timestamp, limit: Int, ofOwner: Int? = nil) -> Admission {
        state.withLock { state in
            if let item = state.items[link.writer] { return .alreadyThere(item.entry) }
            let owner = link.writer.owner
            if let ofOwner, state.liveByOwner[owner, default: 0] >= ofOwner { return .ownerFull(limit: ofOwner) }
            if state.liveCount >= limit { return .full }
            state.countLive(owner, 1)
            state.set(Item(writer: link.writer, createdAt: createdAt, entry: .live(link)))
            return .added
        }
    }

    /// Adds a writer of an earlier run.
    package func restore(_ writer: WriterID, createdAt: Timestamp, _ entry: Entry) {
        state.withLock { $0.set(Item(writer: writer, createdAt: createdAt, entry: entry)) }
    }

    package func end(_ writer: WriterID, as ended: WriterState) {
        state.withLock { state in
            guard var item = state.items[writer] else { return }
            if case .live = item.entry { state.countLive(writer.owner, -1) }
            item.entry = .ended(ended)
            state.items[writer] = item
        }
    }

    package func remove(_ writer: WriterID) {
        state.withLock { state in
            if let key = state.keys.first(where: { $0.value == writer })?.key { state.keys[key] = nil }
            guard let item = state.items.removeValue(forKey: writer) else { return }
            if case .live = item.entry { state.countLive(writer.owner, -1) }
            state.removeFromOrder(item)
            state.named[writer.text]?.remove(writer)
            if state.named[writer.text]?.isEmpty == true { state.named[writer.text] = nil }
        }
    }

    /// The writers of owners with names that have this id.
    package func named(_ id: String) -> [WriterID] { state.withLock { Array($0.named[id] ?? []) } }

    /// For the metrics: by owner, "" for none, and state.
    var countsByOwner: [String: [WriterState: Int]] {
        state.withLock { Array($0.items.values) }.reduce(into: [:]) { counts, item in
            let state: WriterState = switch item.entry {
            case .live(let link): link.writerState ?? .configuring
            case .orphaned: .finalizing
            case .ended(let state): state
            }
            counts[item.writer.owner ?? "", default: [:]][state, default: 0] += 1
        }
    }

    /// The newest first, from behind `position` on: up to `count` of those that are looked at, and whether there
    /// are more.
    package func newestFirst(
        after position: Position?, count: Int, where isIncluded: (WriterID) -> Bool
    ) -> (items: [Item], last: Position?) {
        state.withLock { state in
            state.sort()
            let end = position.map { state.place(of: $0) } ?? state.order.count
            let looked = state.order[max(0, end - count)..<end].reversed()
            return (looked.filter { isIncluded($0.writer) }.compactMap { state.items[$0.writer] }, looked.last?.position)
        }
    }
}

extension Registry.State {
    /// Where it is in the order, or would be.
    fileprivate mutating func place(of position: Registry.Position) -> Int {
        sort()
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate mutating func sort() {
        if isSorted { return }
        order.sort { $0.position < $1.position }
        isSorted = true
    }

    fileprivate mutating func removeFromOrder(_ item: Registry.Item) {
        let place = place(of: item.position)
        if order.indices.contains(place), order[place].writer == item.writer { order.remove(at: place) }
    }
}
