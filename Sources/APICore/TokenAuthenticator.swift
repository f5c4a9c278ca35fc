import HTTP1
import Synchronization
import WriterModel

/// Lets a request pass that carries one of the valid bearer tokens (RFC 6750 §2.1), if that
/// token allows what is asked.
public final class TokenAuthenticator: Sendable {
    public enum Scope: String, Sendable, CaseIterable {
        case read, write
    }

    private struct Token {
        let bytes: [UInt8]
        let scopes: Set<Scope>
    }

    private struct State {
        var lines: [String]?
        var tokens: [Token] = []
    }

    private let state: Mutex<State>

    /// Lines as in a token file: a token, and behind a space what it allows, "read" or
    /// "read,write"; everything when that is missing. With nil, every request passes.
    public init(tokens lines: [String]?) { state = Mutex(Self.state(lines)) }

    /// From here on these hold.
    public func replace(with lines: [String]?) {
        let next = Self.state(lines)
        state.withLock { $0 = next }
    }

    public var current: [String]? { state.withLock { $0.lines } }

    /// nil: the line names a scope that does not exist.
    public static func scopes(ofLine line: String) -> Set<Scope>? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard words.count > 1 else { return Set(Scope.allCases) }
        let scopes = words.dropFirst().flatMap { $0.split(separator: ",") }.map { Scope(rawValue: String($0)) }
        return scopes.contains(nil) ? nil : Set(scopes.compactMap { $0 })
    }

    public func check(_ head: RequestHead, for scope: Scope) throws(Problem) {
        let (lines, tokens) = state.withLock { ($0.lines, $0.tokens) }
        if lines == nil { return }
        guard let field = head.field("Authorization") else {
            throw Problem(.unauthorized, "Send \"Authorization: Bearer TOKEN\" with a token of this server.")
        }
        let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Problem(.unauthorized, "The Authorization field must be \"Bearer TOKEN\".")
        }
        // RFC 9110 §11.4: one space or more.
        let given = Array(parts[1].utf8.drop { $0 == 0x20 })
        // Every token is compared, whichever fits: the time tells nothing.
        var allowed: Set<Scope>?
        for token in tokens where Self.areEqual(given, token.bytes) { allowed = token.scopes.union(allowed ?? []) }
        guard let allowed else { throw Problem(.unauthorized, "The token is not one of this server's.") }
        guard allowed.contains(scope) else {
            throw Problem(
                .insufficientScope, "The token does not allow \(scope.rawValue) requests.",
                supported: allowed.map(\.rawValue).sorted())
        }
    }

    private static func state(_ lines: [String]?) -> State {
        let tokens = (lines ?? []).compactMap { line -> Token? in
            guard let text = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first,
                let scopes = scopes(ofLine: line)
            else { return nil }
            return Token(bytes: Array(text.utf8), scopes: scopes)
        }
        return State(lines: lines, tokens: tokens)
    }

    /// Takes as long for a near miss as for a hit of the same length.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
