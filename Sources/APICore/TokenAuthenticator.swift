import HTTP1
import HTTPServer
import Synchronization
import WriterModel

/// Finds the principal of a request by its bearer token (RFC 6750 §2.1).
public final class TokenAuthenticator: Sendable {
    private let table: Mutex<TokenTable?>

    /// With nil, every request passes, as `Principal.anyone`.
    public init(_ table: TokenTable?) { self.table = Mutex(table) }

    /// From here on these tokens hold.
    public func replace(with table: TokenTable) { self.table.withLock { $0 = table } }

    /// The request's principal; the connection counts for its token from here on. Throws like the other.
    public func identify(_ exchange: Exchange) throws(Problem) -> Principal {
        let principal = try identify(exchange.head)
        if let token = principal.token { exchange.noteIdentified(as: token.hashValue) }
        return principal
    }

    /// The request's principal. Throws when its token is not one of the table's.
    public func identify(_ head: RequestHead) throws(Problem) -> Principal {
        guard let table = table.withLock({ $0 }) else { return .anyone }
        switch BearerToken.hash(in: head, salt: table.salt) {
        case .hash(let hash):
            guard let principal = table.principal(of: hash) else { throw Self.unknown }
            return principal
        case .absent: throw Problem(.unauthorized, "Send \"Authorization: Bearer TOKEN\" with a token of this server.")
        case .repeated: throw Problem(.unauthorized, "Send one Authorization field.")
        case .malformed: throw Problem(.unauthorized, "The Authorization field must be \"Bearer TOKEN\".")
        case .tooLong: throw Self.unknown
        }
    }

    private static let unknown = Problem(.unauthorized, "The token is not one of this server's.")
}
