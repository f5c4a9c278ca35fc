import Bytewise
import HTTP1
import HTTPServer
import Synchronization
import WriterModel

/// `GET /v1/writers`: newest first, by state, in pages; of one node or of all.
package struct WriterList {
    package static let defaultLimit = 100
    package static let maxLimit = 1_000

    /// A page of one node among several ends when it has so many bytes, as another node holds it whole.
    package static let pageBytes = 1 << 20
    /// A longer writer is there without its list of files, which may have megabytes.
    private static let mostWriterBytes = 128 * 1_024

    /// Whose writers are listed.
    package enum Scope: String, CaseIterable, Sendable {
        /// Of all nodes that are known.
        case cluster
        case node
    }

    package let scope: Scope
    package let limit: Int
    private let state: WriterState?
    private let cursor: Cursor?

    /// What a page comes after.
    private struct Cursor {
        let text: String
        let position: Registry.Position
        /// That of the position's writer, where pages are of several nodes.
        let node: NodeName?

        init?(_ text: String) {
            let parts = text.parts(at: "~", most: 3)
            guard parts.count >= 2, let createdAt = Timestamp(parts[0]), WriterID(key: parts[1]) != nil else { return nil }
            node = parts.count == 3 ? NodeName(parts[2]) : nil
            if parts.count == 3 && node == nil { return nil }
            position = Registry.Position(createdAt: createdAt, key: parts[1])
            self.text = text
        }

        /// What a node's own page comes after: a writer of the same time and id is behind those of nodes with a greater name.
        func start(at own: NodeName?) -> Registry.Position {
            guard let node, let own, own < node else { return position }
            return position.inclusive
        }
    }

    /// `scope`: whatever the query says.
    package init(_ target: RequestTarget, scope: Scope? = nil) throws(Problem) {
        let asked = try target.query("scope").map { text throws(Problem) in
            guard let scope = Scope(rawValue: text) else {
                throw Problem(
                    .invalidParameter, "\"\(text)\" is no scope.", parameter: "scope", supported: Scope.allCases.map(\.rawValue))
            }
            return scope
        }
        self.scope = scope ?? asked ?? .cluster
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
            guard let cursor = Cursor(text) else {
                throw Problem(
                    .invalidParameter, "cursor is what a page before gave as next_cursor.", parameter: "cursor")
            }
            return cursor
        }
    }

    /// Whether a node's own page may hold what is at the position: it comes after the cursor.
    func isAfterCursor(_ position: Registry.Position, on node: NodeName) -> Bool {
        cursor.map { position < $0.start(at: node) } ?? true
    }

    /// Whether a node's own page that ends in this cursor has brought the list further.
    func goesOn(at cursor: String, on node: NodeName) -> Bool {
        Cursor(cursor).map { isAfterCursor($0.position, on: node) } ?? false
    }

    /// The same of another node's own writers; `owner` is the query's name.
    package func target(ofNode owner: String?) -> String {
        var items = [QueryItem(name: "scope", value: Scope.node.rawValue), QueryItem(name: "limit", value: String(limit))]
        if let state { items.append(QueryItem(name: "state", value: state.rawValue)) }
        if let cursor { items.append(QueryItem(name: "cursor", value: cursor.text)) }
        if let owner { items.append(QueryItem(name: "name", value: owner)) }
        return "/v1/writers?" + QueryItem.text(of: items)
    }

    /// Whether an item may be on the page by what is known without its record.
    private func mayShow(_ item: Registry.Item) -> Bool {
        guard let state else { return true }
        return switch item.entry {
        case .ended(let ended): ended == state
        // One that is being made has no state yet.
        case .live(let link): link.writerState == state
        case .orphaned, .unread: true
        }
    }

    /// The page, made while it is sent: what its client does not take is not in memory.
    package final class Page: PieceSource {
        private struct State {
            var position: Registry.Position?
            var waiting: [Registry.Item] = []
            var shown = 0
            var bytes = 0
            var last: Registry.Item?
            var hasBegun = false
            var hasEnded = false
        }

        /// Of a piece, about.
        private static let pieceBytes = 32 * 1_024
        /// Looked at together.
        private static let batch = 64

        private let list: WriterList
        /// This node's; nil where it is the only one.
        private let node: NodeName?
        private let registry: Registry
        private let isIncluded: @Sendable (WriterID) -> Bool
        private let resource: @Sendable (Registry.Item) -> JSONObject?
        private let state: Mutex<State>

        /// `resource` gives a writer's own JSON; nil for one that is still being made.
        package init(
            _ list: WriterList, of registry: Registry, at node: NodeName? = nil, where isIncluded: @escaping @Sendable (WriterID) -> Bool,
            _ resource: @escaping @Sendable (Registry.Item) -> JSONObject?
        ) {
            self.list = list
            self.node = node
            self.registry = registry
            self.isIncluded = isIncluded
            self.resource = resource
            state = Mutex(State(position: list.cursor?.start(at: node)))
        }

        /// All of it, from the start.
        package var whole: [UInt8] {
            var text: [UInt8] = []
            while let piece = next() { text += piece }
            return text
        }

        package func next() -> [UInt8]? {
            state.withLock { state in
                if state.hasEnded { return nil }
                var piece = state.hasBegun ? [] : Array("{\"writers\":[".utf8)
                state.hasBegun = true
                while piece.count < Self.pieceBytes {
                    guard let (item, writer) = nextShown(&state) else { return piece + end(&state, hasMore: false) }
                    if state.shown == list.limit || isFull(state) { return piece + end(&state, hasMore: true) }
                    if state.shown > 0 { piece.append(UInt8(ascii: ",")) }
                    let text = text(of: writer)
                    piece += text
                    state.bytes += text.count
                    state.shown += 1
                    state.last = item
                }
                return piece
            }
        }

        /// Gives each writer of the page to `show`; the cursor of the next page, if there is one.
        package func forEach(_ show: (JSONObject) -> Void) -> String? {
            state.withLock { state in
                while let (item, writer) = nextShown(&state) {
                    if state.shown == list.limit { return state.last?.position.cursor }
                    var named = writer
                    named["node"] = node.map { .string($0.text) }
                    show(named)
                    state.shown += 1
                    state.last = item
                }
                return nil
            }
        }

        private var isOfSeveral: Bool { node != nil && list.scope == .node }

        private func isFull(_ state: State) -> Bool { isOfSeveral && state.bytes >= WriterList.pageBytes }

        private func text(of writer: JSONObject) -> [UInt8] {
            guard let node else { return JSONValue.object(writer).encoded }
            var writer = writer
            writer["node"] = .string(node.text)
            let text = JSONValue.object(writer).encoded
            guard isOfSeveral, text.count > WriterList.mostWriterBytes, var result = writer["result"]?.objectValue else { return text }
            result["files"] = nil
            writer["result"] = .object(result)
            return JSONValue.object(writer).encoded
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
            var text = Array("]".utf8)
            if let node, list.scope == .node { text += Array(",\"node\":".utf8) + JSONValue.string(node.text).encoded }
            if hasMore, let last = state.last { text += Array(",\"next_cursor\":".utf8) + JSONValue.string(last.position.cursor).encoded }
            return text + Array("}\n".utf8)
        }
    }
}
