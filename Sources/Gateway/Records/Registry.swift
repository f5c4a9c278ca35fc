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
        /// Of an earlier run, and no more is known of it yet than that it has a folder.
        case unread
    }

    /// How a writer ended, as far as it decides how long it is kept.
    package struct End: Sendable, Equatable {
        package let state: WriterState
        package let at: Timestamp
        /// Of its managed output.
        package let bytes: Int64

        /// A file's length may be whatever an encoder has made it, without a byte in it. So many of them are added up
        /// as there are writers.
        private static let mostBytes: Int64 = 1 << 46

        package init(state: WriterState, at: Timestamp, bytes: Int64) {
            self.state = state
            self.at = at
            self.bytes = min(max(0, bytes), Self.mostBytes)
        }
    }

    package struct Item: Sendable {
        package let writer: WriterID
        package let createdAt: Timestamp
        package var entry: Entry
        /// nil unless it has ended.
        package var end: End?
        /// It is being removed.
        package var isLeaving = false
        /// The index says so, and its own files have not been asked.
        package var isIndexed = false

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
        /// Of all items that are read, the oldest first once it is sorted: many come at once, at a start, in any order.
        var order: [(position: Position, writer: WriterID)] = []
        var isSorted = true
        var live: [WriterID: EncoderLink] = [:]
        var liveByOwner: [String?: Int] = [:]
        var orphans: Set<WriterID> = []
        var ended = EndedTally()
        var keys: [OwnersKey: WriterID] = [:]
        var keyOf: [WriterID: String] = [:]
        /// Those of owners with names, by their ids.
        var named: [String: Set<WriterID>] = [:]

        /// Counts an item, or with `by: -1` counts it no more.
        mutating func count(_ item: Item, by change: Int) {
            let owner = item.writer.owner
            switch item.entry {
            case .live(let link):
                live[item.writer] = change > 0 ? link : nil
                let count = liveByOwner[owner, default: 0] + change
                liveByOwner[owner] = count == 0 ? nil : count
            case .orphaned: if change > 0 { orphans.insert(item.writer) } else { orphans.remove(item.writer) }
            case .ended(let state): ended.count(state, item.end, of: owner, by: change)
            case .unread: break
            }
        }

        mutating func set(_ item: Item) {
            let old = items.updateValue(item, forKey: item.writer)
            if let old { count(old, by: -1) }
            count(item, by: 1)
            if item.writer.owner != nil { named[item.writer.text, default: []].insert(item.writer) }
            if case .unread = item.entry { return }
            if let old, !old.isUnread {
                if old.position == item.position { return }
                removeFromOrder([old])
            }
            isSorted = isSorted && order.last.map { $0.position < item.position } ?? true
            order.append((item.position, item.writer))
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
            state.keyOf[writer] = key.key
            return nil
        }
    }

    /// Its Idempotency-Key is another, or none.
    func releaseKey(of writer: WriterID) {
        state.withLock { state in
            if let key = state.keyOf.removeValue(forKey: writer) { state.keys[OwnersKey(owner: writer.owner, key: key)] = nil }
        }
    }

    package init() {}

    package subscript(writer: WriterID) -> Entry? { state.withLock { $0.items[writer]?.entry } }

    func isIndexed(_ writer: WriterID) -> Bool { state.withLock { $0.items[writer]?.isIndexed == true } }

    /// Its record says what the index did.
    func confirm(_ writer: WriterID) { state.withLock { $0.items[writer]?.isIndexed = false } }

    package var liveCount: Int { state.withLock { $0.live.count } }

    var liveLinks: [EncoderLink] { state.withLock { Array($0.live.values) } }

    /// Writers whose encoders outlived an earlier gateway.
    package var orphans: [WriterID] { state.withLock { Array($0.orphans) } }

    /// How many writers have ended, with how many bytes, and since when at the earliest.
    package var ended: EndedTally { state.withLock { $0.ended } }

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
            if state.live.count >= limit { return .full }
            state.set(Item(writer: link.writer, createdAt: createdAt, entry: .live(link)))
            return .added
        }
    }

    /// Adds a writer of an earlier run. `end`: how it ended, where it has.
    package func restore(_ writer: WriterID, createdAt: Timestamp, _ entry: Entry, end: End? = nil) {
        state.withLock { $0.set(Item(writer: writer, createdAt: createdAt, entry: entry, end: end)) }
    }

    /// Adds many at once.
    package func restore(_ items: [Item]) {
        state.withLock { state in
            state.items.reserveCapacity(state.items.count + items.count)
            state.order.reserveCapacity(state.order.count + items.count)
            for item in items { state.set(item) }
        }
    }

    /// Gives what there is of the writer now; nil where there is none.
    @discardableResult
    package func end(_ writer: WriterID, _ end: End) -> Item? {
        state.withLock { state in
            guard var item = state.items[writer] else { return nil }
            item.entry = .ended(end.state)
            item.end = end
            state.set(item)
            return item
        }
    }

    /// It has ended, and is being removed.
    package func isLeaving(_ writer: WriterID) -> Bool { state.withLock { $0.items[writer]?.isLeaving == true } }

    package func remove(_ writer: WriterID) { remove([writer]) }

    package func remove(_ writers: [WriterID]) {
        state.withLock { state in
            var removed: [Item] = []
            for writer in writers {
                if let key = state.keyOf.removeValue(forKey: writer) { state.keys[OwnersKey(owner: writer.owner, key: key)] = nil }
                guard let item = state.items.removeValue(forKey: writer) else { continue }
                state.count(item, by: -1)
                if !item.isUnread { removed.append(item) }
                state.named[writer.text]?.remove(writer)
                if state.named[writer.text]?.isEmpty == true { state.named[writer.text] = nil }
            }
            state.removeFromOrder(removed)
        }
    }

    /// Gives those of the writers that have ended, which are to be removed now, by the caller alone; `stay` takes it back.
    package func leave(_ writers: [WriterID]) -> [WriterID] {
        state.withLock { state in
            writers.filter { writer in
                guard let item = state.items[writer], case .ended = item.entry, !item.isLeaving else { return false }
                state.items[writer]?.isLeaving = true
                return true
            }
        }
    }

    package func stay(_ writer: WriterID) { state.withLock { $0.items[writer]?.isLeaving = false } }

    /// The writers of owners with names that have this id.
    package func named(_ id: String) -> [WriterID] { state.withLock { Array($0.named[id] ?? []) } }

    /// For the metrics: by owner, "" for none, and state.
    var countsByOwner: [String: [WriterState: Int]] {
        let (ended, live, orphans) = state.withLock { ($0.ended, $0.live, $0.orphans) }
        var counts: [String: [WriterState: Int]] = [:]
        for (owner, share) in ended.byOwner { counts[owner ?? ""] = share.states }
        for (writer, link) in live { counts[writer.owner ?? "", default: [:]][link.writerState ?? .configuring, default: 0] += 1 }
        for writer in orphans { counts[writer.owner ?? "", default: [:]][.finalizing, default: 0] += 1 }
        return counts
    }

    /// A tally's `earliest` is no more than a bound; this is what was found.
    package func noteEarliestEnd(_ earliest: Timestamp?) { state.withLock { $0.ended.earliest = earliest ?? ($0.ended.count == 0 ? nil : $0.ended.earliest) } }

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

    /// In one pass, however many: those that are removed together are mostly the oldest.
    fileprivate mutating func removeFromOrder(_ items: [Registry.Item]) {
        let places = items.map { (place: place(of: $0.position), writer: $0.writer) }
            .filter { order.indices.contains($0.place) && order[$0.place].writer == $0.writer }
            .map(\.place).sorted()
        guard let first = places.first else { return }
        if places.count == 1 {
            order.remove(at: first)
            return
        }
        var next = 0
        var kept = first
        for index in first..<order.count {
            if next < places.count, places[next] == index {
                next += 1
            } else {
                order[kept] = order[index]
                kept += 1
            }
        }
        order.removeSubrange(kept...)
    }
}

extension Registry.Item {
    fileprivate var isUnread: Bool { if case .unread = entry { true } else { false } }
}
