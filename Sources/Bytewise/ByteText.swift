// Text by its bytes, as libav, the kernel and every protocol read it. Swift's own ==, hasPrefix, split and
// contains go by characters: there "/" with a combining mark behind it is no "/", CR LF is neither CR nor
// LF, and K equals the Kelvin sign. `scripts/check-bytes.sh` keeps those out of Sources.
extension StringProtocol {
    /// The same bytes.
    @inlinable public func isSame(as other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    @inlinable public func begins(with prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    @inlinable public func ends(with suffix: some StringProtocol) -> Bool {
        utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    /// Whether the bytes of `other` stand somewhere in it.
    public func holds(_ other: some StringProtocol) -> Bool {
        let wanted = Array(other.utf8)
        guard let first = wanted.first else { return true }
        var rest = utf8[...]
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: wanted) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    public func holds(_ byte: ASCIIByte) -> Bool { utf8.contains(byte.value) }

    /// What stands between the separators; with all that is empty, unless `omittingEmpty`.
    public func parts(at separator: ASCIIByte, most count: Int = .max, omittingEmpty: Bool = false) -> [String] {
        parts(most: count, omittingEmpty: omittingEmpty) { $0 == separator.value }
    }

    /// The same, with several separators.
    public func words(at separators: Set<ASCIIByte>) -> [String] {
        parts(most: .max, omittingEmpty: true) { byte in separators.contains { $0.value == byte } }
    }

    private func parts(most count: Int, omittingEmpty: Bool, _ separates: (UInt8) -> Bool) -> [String] {
        let splits = count == .max ? Int.max : count - 1
        return Array(utf8).split(maxSplits: splits, omittingEmptySubsequences: omittingEmpty, whereSeparator: separates)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// What stands before the first of the bytes and what behind it; nil when there is none of them.
    public func cut(at separators: ASCIIByte...) -> (before: String, after: String)? {
        cut { bytes in bytes.firstIndex { byte in separators.contains { $0.value == byte } } }
    }

    /// The same at the last.
    public func cutAtLast(_ separators: ASCIIByte...) -> (before: String, after: String)? {
        cut { bytes in bytes.lastIndex { byte in separators.contains { $0.value == byte } } }
    }

    private func cut(_ place: ([UInt8]) -> Int?) -> (before: String, after: String)? {
        let bytes = Array(utf8)
        guard let index = place(bytes) else { return nil }
        return (String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 1)...], as: UTF8.self))
    }

    /// What stands before the first of the bytes; all of it where there is none.
    public func until(_ separators: ASCIIByte...) -> String {
        String(decoding: utf8.prefix { byte in !separators.contains { $0.value == byte } }, as: UTF8.self)
    }

    /// Without `prefix`; nil when it does not begin with it.
    public func without(prefix: some StringProtocol) -> String? {
        begins(with: prefix) ? String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
    }

    /// Without `suffix`; nil when it does not end with it.
    public func without(suffix: some StringProtocol) -> String? {
        ends(with: suffix) ? String(decoding: utf8.dropLast(suffix.utf8.count), as: UTF8.self) : nil
    }

    /// Of what others sent, as much as a message may repeat: the first bytes, and an ellipsis where there are more.
    public func shortened(to most: Int = 200) -> String {
        utf8.count > most ? beginning(most) + "…" : String(self)
    }

    /// The same with an ellipsis in the middle, so that the end is there too.
    public func shortenedWithin(to most: Int) -> String {
        guard utf8.count > most else { return String(self) }
        let ending = utf8.suffix(most / 2).drop { $0 & 0xC0 == 0x80 }
        return beginning(most / 2) + "…" + String(decoding: ending, as: UTF8.self)
    }

    /// The first bytes, and none of a character that lies beyond them in part.
    private func beginning(_ count: Int) -> String {
        var kept = Array(utf8.prefix(count))
        // Its bytes behind the first begin with 10.
        if let next = utf8.dropFirst(count).first, next & 0xC0 == 0x80 {
            while let last = kept.popLast(), last & 0xC0 == 0x80 {}
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// `A` to `Z` made small, and nothing else changed: the Kelvin sign is no `k`.
    public var lowercasedASCII: String { String(decoding: utf8.map(\.lowercasedASCII), as: UTF8.self) }

    /// Of printable ASCII: two such texts are equal for Swift just when their bytes are.
    public var isPrintableASCII: Bool { utf8.allSatisfy { (0x20...0x7E).contains($0) } }
}

/// A byte below 128, written as the character it stands for.
public struct ASCIIByte: Sendable, Hashable, ExpressibleByUnicodeScalarLiteral {
    public let value: UInt8

    public init(unicodeScalarLiteral scalar: Unicode.Scalar) { value = UInt8(ascii: scalar) }
}

extension UInt8 {
    public var lowercasedASCII: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
    public var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
    public var isASCIILetter: Bool { (0x61...0x7A).contains(lowercasedASCII) }
}
