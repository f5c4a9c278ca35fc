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
    }

    private struct State {
        var items: [WriterID: Item] = [:]
        var liveCount = 0
        var keys: [String: WriterID] = [:]
    }

    private let state = Mutex(State())

    /// Takes an Idempotency-Key for a writer that is to be made; gives the writer that has it
    /// instead, if one does.
    package func claim(key: String, for writer: WriterID) -> WriterID? {
        state.withLock { state in
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
    }

    /// Adds a live writer unless its id is taken or `limit` live ones are there.
    package func add(_ link: EncoderLink, createdAt: Timestamp, limit: Int) -> Admission {
        state.withLock { state in
            if let item = state.items[link.writer] { return .alreadyThere(item.entry) }
            if state.liveCount >= limit { return .full }
            state.liveCount += 1
            state.items[link.writer] = Item(writer: link.writer, createdAt: createdAt, entry: .live(link))
            return .added
        }
    }

    /// Adds a writer of an earlier run.
    package func restore(_ writer: WriterID, createdAt: Timestamp, _ entry: Entry) {
        state.withLock { $0.items[writer] = Item(writer: writer, createdAt: createdAt, entry: entry) }
    }

    package func end(_ writer: WriterID, as ended: WriterState) {
        state.withLock { state in
            guard var item = state.items[writer] else { return }
            if case .live = item.entry { state.liveCount -= 1 }
            item.entry = .ended(ended)
            state.items[writer] = item
        }
    }

    package func remove(_ writer: WriterID) {
        state.withLock { state in
            if let key = state.keys.first(where: { $0.value == writer })?.key { state.keys[key] = nil }
            if case .live = state.items.removeValue(forKey: writer)?.entry { state.liveCount -= 1 }
        }
    }

    /// For the metrics.
    var countsByState: [WriterState: Int] {
        state.withLock { Array($0.items.values) }.reduce(into: [:]) { counts, item in
            switch item.entry {
            case .live(let link): counts[link.writerState ?? .configuring, default: 0] += 1
            case .orphaned: counts[.finalizing, default: 0] += 1
            case .ended(let state): counts[state, default: 0] += 1
            }
        }
    }

    /// Newest first; ids break ties.
    package func newestFirst() -> [Item] {
        state.withLock { Array($0.items.values) }.sorted {
            ($0.createdAt, $0.writer.text) > ($1.createdAt, $1.writer.text)
        }
    }
}
