import APICore
import WriterModel

/// A token's line of the token file, `TOKEN [SCOPE] [KEY=VALUE]…`, or its entry in a configuration file; without
/// the token.
package struct TokenLine: Sendable, Equatable {
    /// Counted from 1.
    package let number: Int
    package let hash: TokenHash
    package internal(set) var name: String?
    package internal(set) var scopes: TokenScopes
    package internal(set) var limits = TokenLimits()

    /// What is wrong with a line, as a sentence's end that repeats nothing of it: any word may be a token.
    package struct Flaw: Error, Equatable {
        package let line: Int
        package let reason: String
    }

    /// The line `number` without its end; nil: it has no token.
    package init?(_ line: UnsafeRawBufferPointer, number: Int, salt: [UInt8]) throws(Flaw) {
        let words = Self.words(of: line)
        guard let token = words.first else { return nil }
        guard BearerToken.isToken(token), token.count <= BearerToken.maxBytes else {
            throw Flaw(
                line: number,
                reason: "a token is 1 to \(BearerToken.maxBytes) visible characters")
        }
        var fields = TokenLineFields(line: number)
        if fields.isField(token) { throw Flaw(line: number, reason: "the token comes first, before name=, scope= and the others") }
        for word in words.dropFirst() { try fields.take(word) }
        self.init(number: number, hash: BearerToken.hash(token, salt: salt), fields)
    }

    init(number: Int, hash: TokenHash, _ fields: TokenLineFields) {
        self.number = number
        self.hash = hash
        name = fields.name
        limits = fields.limits
        // Without a scope, a name's token has its name's writers, and an unnamed one everything, as ever.
        scopes = fields.scopes ?? (fields.name == nil ? .all : [.read, .write])
        // The stores are the operator's: another name's writers have those that its line names.
        if !reachesAll && limits.stores == nil { limits.stores = [] }
    }

    /// Up to the first that begins with "#".
    private static func words(of line: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
        line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            .map { UnsafeRawBufferPointer(rebasing: $0) }
            .prefix { $0[0] != UInt8(ascii: "#") }
    }
}
