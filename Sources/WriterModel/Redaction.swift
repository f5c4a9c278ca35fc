import Bytewise

/// Takes secrets out of texts that others wrote: libav's errors and log lines name URLs whole and in
/// parts, and the values of options.
public struct Redaction: Sendable, Equatable {
    /// Shorter ones can't be told from other text.
    static let shortestSecret = 3
    /// Of the words of a secret, those that can't be chance.
    private static let shortestWord = 6
    /// Of one text; what has more is hidden in whole, and by its first words.
    private static let mostWords = 1_024

    /// What is shown for each secret.
    private var shown: [[UInt8]: String] = [:]
    /// The secrets by their first bytes, the longest first: one may be part of another.
    private var index: [UInt32: [[UInt8]]] = [:]

    public static let none = Redaction()

    private init() {}

    /// For a `dst`, and for the options of a protocol, muxer or encoder.
    public init(destination: String?, options: [[String: String]] = []) {
        if let destination { add(text: destination) }
        for options in options { add(options) }
    }

    public mutating func add(_ options: [String: String]) {
        for (name, value) in options {
            add(text: value)
            if SecretOption.isSecret(name) { add(secret: value) }
        }
    }

    /// The URLs in a text, and the options in it.
    public mutating func add(text: String) {
        for url in URLText.urls(in: text) { if let parts = URLParts(url) { add(url, parts) } }
        // A destination or value that is a URL from end to end, with what would end one in a sentence.
        if let parts = URLParts(text) { add(text, parts) }
        for (name, value) in SecretOption.pairs(in: text) where SecretOption.isSecret(name) { add(secret: value) }
    }

    private mutating func add(_ url: String, _ parts: URLParts) {
        if parts.isOfStore { return }
        add(url, shownAs: parts.redacted)
        if let user = parts.user {
            add(user + "@", shownAs: SecretOption.shown + "@")
            add(secret: user)
            for part in Self.split(user, at: ":") { add(secret: part) }
        }
        // Where a "/" in a password has moved the host.
        if !parts.hasPlainAddress { add(secret: parts.authority) }
        let path = parts.rest.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let elements = Self.split(String(Substring(path)), at: "/")
        for element in elements.prefix(Self.mostWords) { addWords(of: element) }
        // The stream key of rtmp, which its protocol also names by itself, also without what follows a ";".
        if let last = elements.last {
            add(secret: last)
            for part in Self.split(last, at: ";") { add(secret: part) }
        }
        let behind = String(Substring(parts.rest.utf8.dropFirst(path.count + 1)))
        add(behind, shownAs: SecretOption.shown)
        for item in Self.split(behind, at: "?&#").prefix(Self.mostWords) { add(queryItem: item) }
    }

    private mutating func add(queryItem item: String) {
        guard let equals = item.utf8.firstIndex(of: UInt8(ascii: "=")), isOptionName(item[..<equals]) else {
            // No libav option: a key by itself.
            return add(secret: item)
        }
        let value = String(item[item.index(after: equals)...])
        if SecretOption.isSecret(String(item[..<equals])) || value.utf8.count >= Self.shortestWord { add(secret: value) }
    }

    private func isOptionName(_ name: Substring) -> Bool {
        name.utf8.count <= 24
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    /// In whole and in its words, as it is and as libav decodes it.
    private mutating func add(secret: String) {
        let decoded = Self.percentDecoded(secret)
        for form in decoded.isSame(as: secret) ? [secret] : [secret, decoded] {
            add(form, shownAs: SecretOption.shown)
            addWords(of: form)
        }
    }

    /// A header's value, or a key within a key, is also logged by itself.
    private mutating func addWords(of text: String) {
        let words = Self.split(text, at: Self.delimiters) + Self.splitAtEncodedDelimiters(text)
        for word in words.prefix(Self.mostWords)
        where word.utf8.count >= Self.shortestWord && !Self.publicWords.contains(word.lowercasedASCII) {
            add(word, shownAs: SecretOption.shown)
            let decoded = Self.percentDecoded(word)
            if !decoded.isSame(as: word) { add(decoded, shownAs: SecretOption.shown) }
        }
    }

    private static let delimiters: StaticString = " ,;:=&/?#|@+!.'\"()\r\n\t"

    /// Where a "%40" stands for the "@" behind a user; none where nothing is encoded.
    private static func splitAtEncodedDelimiters(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "%")) else { return [] }
        var words: [[UInt8]] = [[]]
        var index = 0
        while index < bytes.count {
            let code = bytes[index...].prefix(3)
            let decoded = percentDecoded(String(decoding: code, as: UTF8.self)).utf8
            let isDelimiter = decoded.count == 1 && split(String(decoding: decoded, as: UTF8.self), at: delimiters).isEmpty
            if isDelimiter, code.first == UInt8(ascii: "%") {
                words.append([])
                index += 3
            } else {
                words[words.count - 1].append(bytes[index])
                index += 1
            }
        }
        return words.count == 1 ? [] : words.map { String(decoding: $0, as: UTF8.self) }
    }

    /// At bytes: a "/" with a combining mark is another character, and still splits a path.
    private static func split(_ text: String, at separators: StaticString) -> [String] {
        let separators = UnsafeBufferPointer(start: separators.utf8Start, count: separators.utf8CodeUnitCount)
        return text.utf8.split { separators.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Words that headers and paths are made of.
    private static let publicWords: Set<String> = [
        "authorization", "bearer", "caller", "connect", "content-type", "cookie", "default", "destination", "encoder",
        "ingest", "listener", "master", "output", "playlist", "publish", "referer", "rendezvous", "request", "segment", "server", "stream",
        "streaming", "streams", "timeout", "upload", "x-api-key",
    ]

    private mutating func add(_ secret: String, shownAs text: String) {
        let bytes = Array(secret.utf8)
        guard bytes.count >= Self.shortestSecret, shown.updateValue(text, forKey: bytes) == nil else { return }
        var others = index[Self.key(bytes, 0)] ?? []
        others.insert(bytes, at: others.firstIndex { $0.count < bytes.count } ?? others.endIndex)
        index[Self.key(bytes, 0)] = others
    }

    private static func key(_ bytes: [UInt8], _ start: Int) -> UInt32 {
        UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
    }

    /// The text without the secrets, and with any URL as others may see it: a muxer makes up more of them.
    public func apply(to text: String) -> String {
        URLText.redacted(index.isEmpty ? text : withoutSecrets(text))
    }

    private func withoutSecrets(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        while position + Self.shortestSecret <= bytes.count {
            if let secret = index[Self.key(bytes, position)]?.first(where: { bytes[position...].starts(with: $0) }) {
                result += shown[secret]!.utf8
                position += secret.count
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: result + bytes[min(position, bytes.count)...], as: UTF8.self)
    }

    public func apply(to problem: Problem) -> Problem {
        var problem = problem
        problem.detail = apply(to: problem.detail)
        problem.parameter = problem.parameter.map { apply(to: $0) }
        problem.libavError = problem.libavError.map { apply(to: $0) }
        problem.log = problem.log.map { apply(to: $0) }
        problem.extras = problem.extras.map { .init($0.name, apply(to: $0.value)) }
        return problem
    }

    private func apply(to value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(apply(to: text))
        case .array(let elements): .array(elements.map(apply(to:)))
        case .object(let object): .object(JSONObject(object.members.map { ($0.name, apply(to: $0.value)) }))
        default: value
        }
    }

    static func percentDecoded(_ text: String) -> String {
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
