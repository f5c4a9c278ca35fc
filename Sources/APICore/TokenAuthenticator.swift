import HTTP1
import Synchronization
import WriterModel

/// Lets a request pass that carries one of the valid bearer tokens (RFC 6750 §2.1).
public final class TokenAuthenticator: Sendable {
    private let tokens: Mutex<[[UInt8]]?>

    /// With nil, everything passes.
    public init(tokens: [String]?) {
        self.tokens = Mutex(tokens?.map { Array($0.utf8) })
    }

    /// From here on these hold.
    public func replace(with tokens: [String]?) {
        self.tokens.withLock { $0 = tokens?.map { Array($0.utf8) } }
    }

    public var current: [String]? {
        tokens.withLock { $0?.map { String(decoding: $0, as: UTF8.self) } }
    }

    public func check(_ head: RequestHead) throws(Problem) {
        guard let valid = tokens.withLock({ $0 }) else { return }
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
        var isValid = false
        for token in valid where Self.areEqual(given, token) { isValid = true }
        if !isValid { throw Problem(.unauthorized, "The token is not one of this server's.") }
    }

    /// Takes as long for a near miss as for a hit of the same length.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
