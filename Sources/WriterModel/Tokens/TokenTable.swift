/// The tokens that a process lets pass, as hashes, with whom each stands for.
public struct TokenTable: Sendable, Equatable {
    /// Tokens of one name with the same scopes.
    public struct Group: Sendable, Equatable {
        public let name: String?
        public let scopes: TokenScopes
        public let hashes: [TokenHash]

        public init(name: String?, scopes: TokenScopes, hashes: [TokenHash]) {
            self.name = name
            self.scopes = scopes
            self.hashes = hashes
        }
    }

    /// What a message holds of it.
    public static let maxBytes = 188 * 1_024
    private static let noName: UInt8 = 0

    public let salt: [UInt8]
    public let groups: [Group]
    /// Those of all groups, in order, to be looked through at once.
    private let hashes: [TokenHash]

    public init(salt: [UInt8], groups: [Group]) {
        precondition(salt.count == TokenHash.saltBytes, "every salt has the same length")
        self.salt = salt
        self.groups = groups
        hashes = groups.flatMap(\.hashes)
    }

    /// No token passes.
    public static let empty = TokenTable(salt: [UInt8](repeating: 0, count: TokenHash.saltBytes), groups: [])

    /// Whom the token of this hash stands for. Every one is compared, whichever fits: the time tells nothing.
    public func principal(of presented: TokenHash) -> Principal? {
        var found: UInt64 = 0
        for index in hashes.indices { found |= hashes[index].mask(ifEqual: presented) & UInt64(index + 1) }
        if found == 0 { return nil }
        var place = Int(found) - 1
        for group in groups {
            if place < group.hashes.count { return Principal(name: group.name, scopes: group.scopes, token: presented) }
            place -= group.hashes.count
        }
        return nil
    }

    /// As a message has it: the salt, then each group's name, scopes, count and hashes.
    var encoded: [UInt8] {
        var bytes = salt
        for group in groups {
            bytes.append(UInt8(clamping: group.name?.utf8.count ?? Int(Self.noName)))
            bytes += Array((group.name ?? "").utf8)
            bytes.append(group.scopes.rawValue)
            bytes.append(UInt32(group.hashes.count))
            for hash in group.hashes {
                bytes.append(hash.high)
                bytes.append(hash.low)
            }
        }
        return bytes
    }

    public var encodedBytes: Int {
        groups.reduce(salt.count) { $0 + 6 + ($1.name?.utf8.count ?? 0) + $1.hashes.count * TokenHash.byteCount }
    }

    /// nil when the bytes are anything else: what can't be read opens no door.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let salt = reader.take(TokenHash.saltBytes) else { return nil }
        var groups: [Group] = []
        while !reader.isAtEnd {
            guard let group = Self.group(&reader) else { return nil }
            groups.append(group)
        }
        self.init(salt: Array(salt), groups: groups)
    }

    private static func group(_ reader: inout ByteReader) -> Group? {
        guard let nameLength = reader.take(1)?.first, let name = reader.take(Int(nameLength)),
            let scopes = reader.take(1)?.first.map(TokenScopes.init(rawValue:)), scopes.isKnown,
            let count = reader.take(4)?.bigEndianInteger(UInt32.self),
            let hashes = reader.take(Int(count) * TokenHash.byteCount)
        else { return nil }
        let text = String(decoding: name, as: UTF8.self)
        guard nameLength == noName || WriterID.isName(text) else { return nil }
        return Group(
            name: nameLength == noName ? nil : text, scopes: scopes,
            hashes: hashes.withUnsafeBytes { bytes in
                (0..<Int(count)).map { TokenHash(UnsafeRawBufferPointer(rebasing: bytes[($0 * TokenHash.byteCount)...])) }
            })
    }
}

private struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func bigEndianInteger<T: FixedWidthInteger>(_: T.Type) -> T { reduce(0) { $0 << 8 | T($1) } }
}

extension [UInt8] {
    fileprivate mutating func append<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
