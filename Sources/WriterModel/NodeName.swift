/// What one of several servers behind a proxy is called, so that the ids it makes say where their writers are.
public struct NodeName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// With a hyphen and what is random, an id is at most `WriterID.maxLength` long.
    public static let maxLength = 37
    public static let rule = "1 to \(maxLength) of A-Z a-z 0-9 _ -, the first a letter or a digit"

    public let text: String

    public init?(_ text: String) {
        guard WriterID.isName(text), text.utf8.count <= Self.maxLength, let first = text.utf8.first,
            first != UInt8(ascii: "-"), first != UInt8(ascii: "_")
        else { return nil }
        self.text = text
    }

    public var description: String { text }

    public static func < (one: NodeName, other: NodeName) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }
}
