/// Takes secrets out of texts that others wrote: libav's errors and log lines name URLs whole,
/// and the values of options.
public struct Redaction: Sendable, Equatable {
    private struct Replacement: Sendable, Equatable {
        let secret: [UInt8]
        let shown: String
    }

    /// Shorter ones can't be told from other text.
    private static let shortestSecret = 3
    /// Of the words of a secret, those that can't be chance.
    private static let shortestWord = 6

    /// The longest first: one may be part of another.
    private var replacements: [Replacement] = []

    public static let none = Redaction()

    private init() {}

    /// For a `dst`, and for the options of a protocol, muxer or encoder.
    public init(destination: String?, options: [[String: String]] = []) {
        if let destination { add(url: destination) }
        for options in options { add(options) }
    }

    public mutating func add(_ options: [String: String]) {
        for (name, value) in options {
            add(url: value)
            guard SecretOption.isSecret(name) else { continue }
            add(secret: value)
            // A header's value is also logged by itself.
            for word in value.split(whereSeparator: { " ,;:=&\r\n\t".contains($0) })
            where word.utf8.count >= Self.shortestWord && !Self.isPublic(word) { add(secret: String(word)) }
        }
    }

    /// Words that headers are made of.
    private static func isPublic(_ word: Substring) -> Bool {
        ["authorization", "bearer", "cookie", "content-type", "x-api-key"].contains(word.lowercased())
    }

    /// What is no URL holds no secret.
    private mutating func add(url: String) {
        guard let parts = URLParts(url) else { return }
        add(url, shownAs: parts.redacted)
        if let user = parts.user {
            add(user + "@", shownAs: SecretOption.shown + "@")
            add(secret: user)
            for part in user.split(separator: ":", maxSplits: 1) { add(secret: String(part)) }
        }
        // The stream key of rtmp, which its protocol also names by itself.
        let path = parts.rest.prefix { $0 != "?" && $0 != "#" }
        add(secret: path.split(separator: "/").last.map(String.init) ?? "")
        add(secret: String(parts.rest.dropFirst(path.count + 1)))
        for item in (parts.query ?? "").split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1)
            if pair.count == 2, SecretOption.isSecret(String(pair[0])) || pair[1].utf8.count >= Self.shortestWord {
                add(secret: String(pair[1]))
            }
        }
    }

    /// As it is, and as libav decodes it.
    private mutating func add(secret: String) {
        add(secret, shownAs: SecretOption.shown)
        let decoded = Self.percentDecoded(secret)
        if decoded != secret { add(decoded, shownAs: SecretOption.shown) }
    }

    private mutating func add(_ secret: String, shownAs shown: String) {
        let replacement = Replacement(secret: Array(secret.utf8), shown: shown)
        guard replacement.secret.count >= Self.shortestSecret, !replacements.contains(replacement) else { return }
        let index = replacements.firstIndex { $0.secret.count < replacement.secret.count } ?? replacements.endIndex
        replacements.insert(replacement, at: index)
    }

    public func apply(to text: String) -> String {
        if replacements.isEmpty { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if let found = replacements.first(where: { bytes[index...].starts(with: $0.secret) }) {
                result += found.shown.utf8
                index += found.secret.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    public func apply(to problem: Problem) -> Problem {
        var problem = problem
        problem.detail = apply(to: problem.detail)
        problem.libavError = problem.libavError.map { apply(to: $0) }
        problem.log = problem.log.map { apply(to: $0) }
        return problem
    }

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
