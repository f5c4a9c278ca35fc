import WriterModel

/// A page of one node's writers: their texts as they came, and each one's place among all nodes'.
package struct WriterPage: Sendable {
    /// In the order of lists, which is that of time; the node breaks ties, as one id may be on two nodes.
    struct Position: Comparable {
        let ofNode: Registry.Position
        let node: NodeName

        static func < (one: Position, other: Position) -> Bool {
            one.ofNode == other.ofNode ? one.node < other.node : one.ofNode < other.ofNode
        }

        var cursor: String { "\(ofNode.cursor)~\(node)" }
    }

    package struct Entry: Sendable {
        package let position: Registry.Position
        package let text: ArraySlice<UInt8>
    }

    /// It is no page of writers, or not in their order, or another than was asked for.
    package struct Unusable: Error {}

    package let node: NodeName
    /// The newest first.
    package let entries: [Entry]
    package let hasMore: Bool
    /// What its memory counts for.
    let share: PeerBudget.Share?

    /// `body` is the response to `GET /v1/writers?scope=node` for `caller`, to what `list` asks.
    package init(_ body: [UInt8], of list: WriterList, for caller: Principal, share: PeerBudget.Share? = nil) throws(Unusable) {
        guard let members = JSONOutline.members(of: body[...], most: Self.mostMembers),
            let node = members.first(where: { $0.name.isSame(as: "node") }).flatMap({ Self.string($0.value) }).flatMap(NodeName.init),
            let writers = members.first(where: { $0.name.isSame(as: "writers") }).flatMap({ JSONOutline.elements(of: $0.value, most: list.limit) })
        else { throw Unusable() }
        self.node = node
        self.share = share
        let cursor = members.first { $0.name.isSame(as: "next_cursor") }?.value
        hasMore = cursor != nil
        var entries: [Entry] = []
        for text in writers {
            guard let position = Self.position(of: text, on: node, for: caller), list.isAfterCursor(position, on: node),
                entries.last.map({ position < $0.position }) ?? true
            else { throw Unusable() }
            entries.append(Entry(position: position, text: text))
        }
        // A list that goes on from nothing would go on for ever.
        if let cursor, entries.isEmpty || Self.string(cursor).map({ list.goesOn(at: $0, on: node) }) != true { throw Unusable() }
        self.entries = entries
    }

    private static func string(_ text: ArraySlice<UInt8>) -> String? { (try? JSONParser.parse(Array(text), mostValues: 1))?.stringValue }

    private static func position(of text: ArraySlice<UInt8>, on node: NodeName, for caller: Principal) -> Registry.Position? {
        guard let writer = (try? JSONParser.parse(Array(text), mostValues: mostValues))?.objectValue,
            let id = writer["id"]?.stringValue.flatMap({ WriterID($0) }), let createdAt = writer["created_at"]?.stringValue.flatMap(Timestamp.init),
            writer["node"]?.stringValue.map(node.text.isSame(as:)) == true
        else { return nil }
        let owner = caller.seesAll ? writer["name"]?.stringValue : caller.name
        guard owner.map(WriterID.isName) ?? true else { return nil }
        return Registry.Position(createdAt: createdAt, key: id.owned(by: owner).key)
    }

    /// Of a page; there are three, and later nodes may have more.
    private static let mostMembers = 32
    /// Of one writer: what a record may hold without its files.
    private static let mostValues = 50_000
}
