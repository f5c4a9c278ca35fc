import Bytewise
import HTTP1
import WriterModel

/// `GET /v1/writers`: newest first, by state, in pages.
package struct WriterList {
    package static let defaultLimit = 100
    package static let maxLimit = 1_000

    private let state: WriterState?
    private let limit: Int
    private let cursor: (createdAt: String, writer: String)?

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
            guard parts.count == 2, Timestamp(parts[0]) != nil, WriterID(key: parts[1]) != nil else {
                throw Problem(
                    .invalidParameter, "cursor is what a page before gave as next_cursor.", parameter: "cursor")
            }
            return (parts[0], parts[1])
        }
    }

    /// `resource` gives a writer's own JSON; nil for one that is still being made.
    package func page(of items: [Registry.Item], _ resource: (Registry.Item) -> JSONObject?) -> JSONValue {
        var page: [JSONValue] = []
        var last: Registry.Item?
        var hasMore = false
        for item in items {
            if let cursor, (item.createdAt.description, item.writer.key) >= cursor { continue }
            if let state, case .ended(let ended) = item.entry, ended != state { continue }
            // Before a whole snapshot is read; one that is being made has no state yet.
            if let state, case .live(let link) = item.entry, link.writerState != state { continue }
            guard let writer = resource(item) else { continue }
            if let state, writer["state"]?.stringValue != state.rawValue { continue }
            if page.count == limit {
                hasMore = true
                break
            }
            page.append(.object(writer))
            last = item
        }
        var object: JSONObject = ["writers": .array(page)]
        if hasMore, let last { object["next_cursor"] = .string("\(last.createdAt)~\(last.writer.key)") }
        return .object(object)
    }
}
