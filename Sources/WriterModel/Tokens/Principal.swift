/// Who sent a request, by the token that came with it.
public struct Principal: Sendable, Hashable {
    /// Owns the writers it makes; nil: a token without a name.
    public let name: String?
    public let scopes: TokenScopes
    /// Tells the tokens of one name apart; nil where none is asked for.
    public let token: TokenHash?

    public init(name: String?, scopes: TokenScopes, token: TokenHash?) {
        self.name = name
        self.scopes = scopes
        self.token = token
    }

    /// Where no token is asked for.
    public static let anyone = Principal(name: nil, scopes: .all, token: nil)

    /// Writers of every owner are there for it, and not its own name's only.
    public var seesAll: Bool { name == nil || scopes.contains(.admin) }

    /// Refuses what the token does not allow.
    public func require(_ scope: TokenScopes) throws(Problem) {
        if scopes.isSuperset(of: scope) { return }
        throw Problem(
            .insufficientScope, "The token does not allow \(scope.names.joined(separator: " and ")) requests.",
            supported: scopes.names)
    }
}
