import Bytewise
import HTTP1
import HTTPServer
import Synchronization
import WriterModel

/// `GET /v1/writers`: newest first, by state, in pages.
package struct WriterList {
    package static let defaultLimit = 100
    package static let maxLimit = 1_000

    private let state: WriterState?
    private let limit: Int
    /// What the page comes after.
    private let cursor: Registry.Position?

    package init(_ target: RequestTarget) throws(Problem) {
        state = try target.query("state").map { text throws(Problem) in
            guard let state = WriterState(rawValue: text) else {
                throw Problem(
                    .invalidParameter, "\"\(text)\" is no state.", parameter: "state",
                    supported: WriterState.allCases.map(\.rawValue))
            }
            return state
        }
        let limitText = target.query("limit") ?? String(Self.defaultLimit)
        let isDigits = limitText.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isDigits, let limit = Int(limitText), (1...Self.maxLimit).contains(limit) else {
            throw Problem(.invalidParameter, "limit is a number from 1 to \(Self.maxLimit).", parameter: "limit")
        }
        self.limit = limit
        cursor = try target.query("cursor").map { text throws(Problem) in
            let parts = text.parts(at: "~", most: 2)
            guard parts.count == 2, let createdAt = Timestamp(parts[0]), WriterID(key: parts[1]) != nil else {
                throw Problem(
                    .invalidParameter, "cursor is what a page before gave as next_cursor.", parameter: "cursor")
            }
            return Registry.Position(createdAt: createdAt, key: parts[1])
        }
    }

    /// Whether an item may be on the page by what is known without its record.
    private func mayShow(_ item: Registry.Item) -> Bool {
        guard let state else { return true }
        return switch item.entry {
        case .ended(let ended): ended == state
        // One that is being made has no state yet.
        case .live(let link): link.writerState == state
        case .orphaned: true
        }
    }

    /// The page, made while it is sent: what its client does not take is not in memory.
    package final class Page: PieceSource {
        private struct State {
            var position: Registry.Position?
            var waiting: [Registry.Item] = []
            var shown = 0
            var last: Registry.Item?
            var hasBegun = false
            var hasEnded = false
        }

        /// Of a piece, about.
        private static let pieceBytes = 32 * 1_024
        /// Looked at together.
        private static let batch = 64

        private let list: WriterList
        private let registry: Registry
        private let isIncluded: @Sendable (WriterID) -> Bool
        private let resource: @Sendable (Registry.Item) -> JSONObject?
        private let state: Mutex<State>

        /// `resource` gives a writer's own JSON; nil for one that is still being made.
        package init(
            _ list: WriterList, of registry: Registry, where isIncluded: @escaping @Sendable (WriterID) -> Bool,
            _ resource: @escaping @Sendable (Registry.Item) -> JSONObject?
        ) {
            self.list = list
            self.registry = registry
            self.isIncluded = isIncluded
            self.resource = resource
            state = Mutex(State(position: list.cursor))
        }

        package func next() -> [UInt8]? {
            state.withLock { state in
                if state.hasEnded { return nil }
                var piece = state.hasBegun ? [] : Array("{\"writers\":[".utf8)
                state.hasBegun = true
                while piece.count < Self.pieceBytes {
                    guard let (item, writer) = nextShown(&state) else { return piece + end(&state, hasMore: false) }
                    if state.shown == list.limit { return piece + end(&state, hasMore: true) }
                    if state.shown > 0 { piece.append(UInt8(ascii: ",")) }
                    piece += JSONValue.object(writer).encoded
                    state.shown += 1
                    state.last = item
                }
                return piece
            }
        }

        private func nextShown(_ state: inout State) -> (Registry.Item, JSONObject)? {
            while true {
                while let item = state.waiting.popLast() {
                    guard list.mayShow(item), let writer = resource(item) else { continue }
                    if let wanted = list.state, writer["state"]?.stringValue != wanted.rawValue { continue }
                    return (item, writer)
                }
                let (items, last) = registry.newestFirst(after: state.position, count: Self.batch, where: isIncluded)
                guard let last else { return nil }
                state.position = last
                state.waiting = items.reversed()
            }
        }

        private func end(_ state: inout State, hasMore: Bool) -> [UInt8] {
            state.hasEnded = true
            guard hasMore, let last = state.last else { return Array("]}".utf8) }
            let cursor = JSONValue.string("\(last.createdAt)~\(last.writer.key)")
            return Array("],\"next_cursor\":".utf8) + cursor.encoded + Array("}".utf8)
        }
    }
}
