/// A value of a YAML file, and where it begins.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        /// As it stands, whatever type it looks like; quotation marks and escapes are resolved.
        case scalar(String)
        /// Nothing, `~` or `null`, without quotation marks.
        case null
        case sequence([YAMLNode])
        /// In the file's order, with what is there twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    public let content: Content
    public let mark: YAMLMark

    /// What a person calls it.
    public var kind: String {
        switch content {
        case .scalar(let text): text.utf8.isEmpty ? "an empty text" : "one value"
        case .null: "nothing"
        case .sequence: "a list"
        case .mapping: "a mapping (NAME: VALUE)"
        }
    }
}

/// A place in a file, both counted from 1; columns are characters.
public struct YAMLMark: Sendable, Hashable, Comparable {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (one: YAMLMark, other: YAMLMark) -> Bool { (one.line, one.column) < (other.line, other.column) }
}

/// Why a text is no YAML, or more of YAML than is taken here.
public struct YAMLFlaw: Error, Sendable, Equatable {
    public let mark: YAMLMark
    public let reason: String

    public init(mark: YAMLMark, reason: String) {
        self.mark = mark
        self.reason = reason
    }
}
