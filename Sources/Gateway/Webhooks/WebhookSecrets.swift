import Bytewise
import Crypto
import WriterModel

/// The secrets that webhooks are signed with, as Standard Webhooks has them: `whsec_` and 24 to 64 bytes in base 64, one a
/// line; behind it `name=N`, of a token's name, whose writers' callbacks are signed with it. Several of one kind all
/// sign, so that one can be replaced by another. Empty lines and what follows a # don't count.
package struct WebhookSecrets: Sendable, Equatable {
    private struct Secret: Equatable {
        let key: [UInt8]
        let name: String?
    }

    /// What is wrong with a line, as a sentence's end that repeats nothing of it.
    package struct Flaw: Error, Equatable {
        package let line: Int
        package let reason: String
    }

    private static let prefix = "whsec_"
    private static let keyBytes = 24...64

    private var secrets: [Secret] = []

    package init(_ bytes: UnsafeRawBufferPointer) throws(Flaw) {
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard let text = String(validating: line, as: UTF8.self) else { throw Flaw(line: number, reason: "it holds bytes that are no text") }
            if let secret = try Self.secret(text.until("#"), line: number) { secrets.append(secret) }
        }
        if !secrets.contains(where: { $0.name == nil }) {
            throw Flaw(line: number, reason: "there is no secret without name=, which --webhook's URLs and those without one of their own need")
        }
    }

    /// nil: the line is empty.
    private static func secret(_ text: String, line: Int) throws(Flaw) -> Secret? {
        let words = text.words(at: [" ", "\t", "\r"])
        guard let first = words.first else { return nil }
        guard let encoded = first.without(prefix: prefix), let key = Base64.bytes(of: encoded), keyBytes.contains(key.count) else {
            throw Flaw(line: line, reason: "a secret is \(prefix) and \(keyBytes.lowerBound) to \(keyBytes.upperBound) bytes in base 64")
        }
        if words.count > 2 { throw Flaw(line: line, reason: "there are more words than a secret and name=") }
        guard words.count == 2 else { return Secret(key: key, name: nil) }
        guard let name = words[1].without(prefix: "name="), WriterID.isName(name) else {
            throw Flaw(line: line, reason: "behind a secret stands nothing, or name= and 1 to \(WriterID.maxLength) of A-Z a-z 0-9 _ -")
        }
        return Secret(key: key, name: name)
    }

    /// The header `webhook-signature`. `owner`: of the writer whose callback it is; nil of the operator's URLs, and where the
    /// owner has no name.
    package func signature(for owner: String?, id: String, timestamp: Int64, body: String) -> String {
        let own = owner == nil ? [] : secrets.filter { $0.name == owner }
        let signing = own.isEmpty ? secrets.filter { $0.name == nil } : own
        let signed = Array("\(id).\(timestamp).\(body)".utf8)
        return signing.map { secret in
            "v1," + Base64.text(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: secret.key)))
        }.joined(separator: " ")
    }
}

extension WebhookSecrets: CustomStringConvertible, CustomReflectable {
    package var description: String { "secrets" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
