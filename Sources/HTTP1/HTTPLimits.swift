/// Every bound the parsers keep, with its default.
public struct HTTPLimits: Sendable {
    /// Empty lines before the request line (RFC 9112 §2.2 asks for at least one).
    public var maxLeadingEmptyLines = 4
    /// A longer method is one Penstock does not implement (501).
    public var maxMethodBytes = 24
    public var maxTargetBytes = 8_192
    /// Request line and fields, with the empty lines before them and the one after.
    public var maxHeadBytes = 32_768
    public var maxFieldCount = 100
    /// One chunk's size and extensions, without the CRLF.
    public var maxChunkLineBytes = 1_024
    /// The extensions of all of a body's chunks together (RFC 9112 §7.1.1).
    public var maxChunkExtensionBytes = 16_384
    public var maxTrailerBytes = 8_192

    public init() {}

    /// The longest request line in which method and target can both be within their limits.
    var maxRequestLineBytes: Int { maxMethodBytes + 1 + maxTargetBytes + 1 + "HTTP/1.1".utf8.count }
}
