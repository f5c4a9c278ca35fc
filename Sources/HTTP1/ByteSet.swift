/// The ASCII bytes that a grammar rule allows.
struct ByteSet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ members: StaticString) {
        members.withUTF8Buffer { for byte in $0 { insert(byte) } }
    }

    func union(_ other: ByteSet) -> ByteSet {
        var result = self
        result.low |= other.low
        result.high |= other.high
        return result
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let half = byte < 64 ? low : high
        return byte < 128 && half >> UInt64(byte & 63) & 1 == 1
    }

    private mutating func insert(_ byte: UInt8) {
        precondition(byte < 128)
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
    }
}

extension ByteSet {
    static let digit = ByteSet("0123456789")
    static let alphanumeric = ByteSet("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").union(digit)
    /// tchar, RFC 9110 §5.6.2.
    static let token = ByteSet("!#$%&'*+-.^_`|~").union(alphanumeric)
    /// unreserved / sub-delims, RFC 3986 §2.
    static let unreservedOrSubDelimiter = ByteSet("-._~!$&'()*+,;=").union(alphanumeric)
    /// pchar and "/", RFC 3986 §3.3. That a "%" starts an escape is the decoder's to check.
    static let path = ByteSet(":@%/").union(unreservedOrSubDelimiter)
    /// RFC 3986 §3.4.
    static let query = ByteSet("?").union(path)
}
