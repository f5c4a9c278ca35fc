import Bytewise
import WriterModel

/// Reads what a token allows: the words behind it in a token file, or its fields in a configuration file.
struct TokenLineFields {
    private let line: Int
    /// Behind a field's name in messages, as it stands in the file.
    private let sign: String
    private(set) var name: String?
    private(set) var scopes: TokenScopes?
    private(set) var limits = TokenLimits()
    private var seen: Set<Key> = []

    enum Key: String, CaseIterable {
        case name, scope, folder
        case maxWriters = "max-writers"
        case maxOutputBytes = "max-output-bytes"
        case allowOutput = "allow-output"
        case allowStore = "allow-store"
        case allowCallback = "allow-callback"

        /// It may be there more than once.
        var isList: Bool { [.allowOutput, .allowStore, .allowCallback].contains(self) }
    }

    init(line: Int, sign: String = "=") {
        self.line = line
        self.sign = sign
    }

    /// Whether it is a word that belongs behind a token.
    func isField(_ word: UnsafeRawBufferPointer) -> Bool {
        let name = word.prefix { $0 != UInt8(ascii: "=") }
        return name.count < word.count && Key(rawValue: String(decoding: name, as: UTF8.self)) != nil
    }

    mutating func take(_ word: UnsafeRawBufferPointer) throws(TokenLine.Flaw) {
        guard let text = String(validating: word, as: UTF8.self), Self.isText(text) else { throw flaw("it holds bytes that are no text") }
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return try take(scopeWord: text) }
        guard let key = Key(rawValue: String(text[..<equals])) else {
            throw flaw("it has an unknown key; known are \(Key.allCases.map { $0.rawValue + "=" }.joined(separator: ", "))")
        }
        try take(key, String(text[text.utf8.index(after: equals)...]))
    }

    mutating func take(_ key: Key, _ value: String) throws(TokenLine.Flaw) {
        guard Self.isText(value) else { throw flaw("it holds bytes that are no text") }
        guard seen.insert(key).inserted || key.isList else { throw flaw("\(shown(key)) is there twice") }
        try set(key, value)
    }

    private static func isText(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    private func shown(_ key: Key) -> String { key.rawValue + sign }

    /// As lines had it before they had keys: "read", "write" or both, and nothing else with them.
    private mutating func take(scopeWord: String) throws(TokenLine.Flaw) {
        if seen.contains(.scope) { throw flaw("it has \(shown(.scope)) and a scope's word") }
        for part in scopeWord.parts(at: ",", omittingEmpty: true) {
            switch part {
            case "read": scopes = (scopes ?? []).union(.read)
            case "write": scopes = (scopes ?? []).union(.write)
            default: throw flaw("a word behind the token is neither read, write nor KEY=VALUE")
            }
        }
    }

    private mutating func set(_ key: Key, _ value: String) throws(TokenLine.Flaw) {
        switch key {
        case .name:
            guard WriterID.isName(value) else {
                throw flaw("\(shown(.name)) takes 1 to \(WriterID.maxLength) of A-Z a-z 0-9 _ -")
            }
            name = value
        case .scope:
            if scopes != nil { throw flaw("it has \(shown(.scope)) and a scope's word") }
            scopes = try scope(value)
        case .folder: limits.folder = try folder(value)
        case .maxWriters: limits.maxWriters = try number(value, key, in: ServiceLimits.range(at: \.maxWriters))
        case .maxOutputBytes: limits.maxOutputBytes = try number(value, key, in: ServiceLimits.range(at: \.maxOutputBytes))
        case .allowOutput: try allow(value, key, in: \.outputPatterns, flaw: OutputPolicy.flaw(ofPattern:))
        case .allowStore: try allowStore(value)
        case .allowCallback: try allow(value, key, in: \.callbackPatterns, flaw: CallbackPolicy.flaw(ofPattern:))
        }
    }

    private func scope(_ value: String) throws(TokenLine.Flaw) -> TokenScopes {
        switch value {
        case "read": return .read
        case "write": return [.read, .write]
        case "admin": return .all
        default: throw flaw("\(shown(.scope)) is read, write or admin")
        }
    }

    /// By bytes, as the kernel compares names.
    private func folder(_ value: String) throws(TokenLine.Flaw) -> String {
        let bytes = value.utf8.last == UInt8(ascii: "/") ? value.utf8.dropLast() : value.utf8[...]
        let names = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = names.allSatisfy { name in
            (1...200).contains(name.count) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        }
        guard isPlain, bytes.count <= 512 else {
            throw flaw("\(shown(.folder)) is a path below the output directory, without . and .., of names of at most 200 bytes, 512 in all")
        }
        let folder = String(Substring(bytes))
        if (try? RelativePath(folder))?.isReserved == true {
            throw flaw("\(shown(.folder)) has a name that begins with \(RelativePath.Component.reservedPrefix), as the server's own files do")
        }
        return folder
    }

    private func number(_ value: String, _ key: Key, in range: ClosedRange<Int>) throws(TokenLine.Flaw) -> Int {
        guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(value), range.contains(number) else {
            let bound = range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw flaw("\(shown(key)) is a number \(bound)")
        }
        return number
    }

    /// Without a value: no URL at all, and then no pattern beside it.
    private mutating func allow(
        _ value: String, _ key: Key, in patterns: WritableKeyPath<TokenLimits, [String]?>, flaw flawOfPattern: (String) -> String?
    ) throws(TokenLine.Flaw) {
        if let known = limits[keyPath: patterns], value.isEmpty || known.isEmpty {
            throw flaw("\(shown(key)) without a pattern allows no URL, and is there beside another")
        }
        if let flaw = value.isEmpty ? nil : flawOfPattern(value) { throw self.flaw("\(shown(key)) \(flaw)") }
        limits[keyPath: patterns] = (limits[keyPath: patterns] ?? []) + (value.isEmpty ? [] : [value])
    }

    /// Without a value: no store at all, and then no name beside it.
    private mutating func allowStore(_ value: String) throws(TokenLine.Flaw) {
        if let stores = limits.stores, value.isEmpty || stores.isEmpty {
            throw flaw("\(shown(.allowStore)) without a name allows no store, and is there beside another")
        }
        let isName = value.utf8.allSatisfy { $0.isASCIIDigit || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") }
        if !isName || value.utf8.count > 63 { throw flaw("\(shown(.allowStore)) takes a store's name: small letters, digits and hyphens") }
        limits.stores = (limits.stores ?? []) + (value.isEmpty ? [] : [value])
    }

    private func flaw(_ reason: String) -> TokenLine.Flaw { TokenLine.Flaw(line: line, reason: reason) }
}
