/// What a token allows.
public struct TokenScopes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let read = TokenScopes(rawValue: 1)
    public static let write = TokenScopes(rawValue: 2)
    /// Every owner's writers, and metrics by name.
    public static let admin = TokenScopes(rawValue: 4)
    public static let all: TokenScopes = [.read, .write, .admin]

    private static let named: [(String, TokenScopes)] = [("read", .read), ("write", .write), ("admin", .admin)]

    public var names: [String] { Self.named.filter { contains($0.1) }.map(\.0) }

    var isKnown: Bool { !isEmpty && isSubset(of: .all) }
}
