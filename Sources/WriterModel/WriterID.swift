import Bytewise

/// A writer's name in paths, 1 to 64 of `A-Z a-z 0-9 _ -`, and the writer's owner: every owner
/// has ids of its own.
public struct WriterID: Sendable, Hashable, CustomStringConvertible {
    public static let maxLength = 64
    public let text: String
    /// The `name` of the token that makes it; nil where the token has none.
    public let owner: String?

    public init?(_ text: String) {
        guard Self.isName(text) else { return nil }
        self.init(text, owner: nil)
    }

    /// Of the process that answers questions about libav: no client can ask for it, as "+" is in no id.
    public static let catalog = WriterID("+catalog", owner: nil)

    private init(_ text: String, owner: String?) {
        self.text = text
        self.owner = owner
    }

    /// Reads what `key` gave.
    public init?(key: String) {
        if key.isSame(as: Self.catalog.text) {
            self = .catalog
            return
        }
        let parts = key.parts(at: ".")
        guard (1...2).contains(parts.count), parts.allSatisfy(Self.isName) else { return nil }
        self.init(parts[parts.count - 1], owner: parts.count == 2 ? parts[0] : nil)
    }

    /// Tells it from every other writer of the server: in folders' names, messages and logs.
    public var key: String { owner.map { "\($0).\(text)" } ?? text }

    /// The writer that this owner knows by the same text.
    public func owned(by owner: String?) -> WriterID { WriterID(text, owner: owner) }

    /// A new id that can't be guessed (124 random bits); a node's begins with its name, so that a proxy finds
    /// the node in the path: `NAME-w_…`. What follows the name has no hyphen.
    public static func random(of node: NodeName? = nil) -> WriterID {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        let tail = (0..<randomLength).map { _ in alphabet.randomElement(using: &generator)! }
        return WriterID((node.map { $0.text + "-" } ?? "") + "w_" + String(tail))!
    }

    /// The node that made it, by its text; nil where it names none. A client may choose an id that looks the same.
    public var node: NodeName? {
        guard let (name, random) = text.cutAtLast("-"), let tail = random.without(prefix: "w_"), tail.utf8.count == Self.randomLength,
            tail.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { return nil }
        return NodeName(name)
    }

    private static let randomLength = 24

    /// As its owner knows it.
    public var description: String { text }

    /// What an id, and an owner's name, may be.
    public static func isName(_ text: String) -> Bool {
        (1...maxLength).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
