import APICore
import WriterModel

/// A token of a configuration file while it is read, field by field: `token`, and what the lines of a token file may
/// have behind one. The token itself is kept as its hash only.
package struct TokenEntry {
    package static let tokenField = "token"
    package static var fields: [String] { [tokenField] + TokenLineFields.Key.allCases.map(\.rawValue) }
    /// They may be there more than once: lists, with what their items are.
    package static let listFields = [
        (TokenLineFields.Key.allowOutput.rawValue, "URL patterns"), (TokenLineFields.Key.allowStore.rawValue, "names of stores"),
        (TokenLineFields.Key.allowCallback.rawValue, "URL patterns"),
    ]

    private let line: Int
    private var fields: TokenLineFields
    private var hash: TokenHash?

    /// At that line of its file.
    package init(line: Int) {
        self.line = line
        fields = TokenLineFields(line: line, sign: "")
    }

    /// `name` is one of `fields`; a flaw repeats nothing of the token. An empty list is the value "".
    package mutating func take(_ name: String, _ value: String) throws(TokenLine.Flaw) {
        if let key = TokenLineFields.Key(rawValue: name) { return try fields.take(key, value) }
        if hash != nil { throw TokenLine.Flaw(line: line, reason: "token is there twice") }
        var value = value
        hash = value.withUTF8 { text in
            let bytes = UnsafeRawBufferPointer(text)
            return BearerToken.isToken(bytes) && bytes.count <= BearerToken.maxBytes ? BearerToken.hash(bytes, salt: TokenLines.ownSalt) : nil
        }
        if hash == nil { throw TokenLine.Flaw(line: line, reason: "token is 1 to \(BearerToken.maxBytes) visible characters") }
    }

    /// nil: there was no token.
    package var finished: TokenLine? { hash.map { TokenLine(number: line, hash: $0, fields) } }
}
