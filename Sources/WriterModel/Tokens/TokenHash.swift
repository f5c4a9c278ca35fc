/// Stands for a token: the first 128 bits of SHA-256 over the server's salt and the token. The
/// only way back to the token is to try tokens, of which a random one leaves too many: a slow function
/// would buy nothing and cost each request.
public struct TokenHash: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    static let byteCount = 16
    /// Of the salt before each token.
    public static let saltBytes = 32

    /// The first bytes of a digest, of which there must be enough.
    public init(_ digest: UnsafeRawBufferPointer) {
        high = UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self))
        low = UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// All ones when both are the same, otherwise 0; as fast either way.
    @inline(__always)
    func mask(ifEqual other: TokenHash) -> UInt64 {
        let difference = (high ^ other.high) | (low ^ other.low)
        return ((difference | (0 &- difference)) >> 63) &- 1
    }
}
