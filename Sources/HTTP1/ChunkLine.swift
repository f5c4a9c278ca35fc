/// The line before a chunk's data, a byte at a time (RFC 9112 §7.1 and §7.1.1):
/// `chunk-size *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) CRLF`. Extensions are checked, then
/// forgotten.
struct ChunkLine: Sendable {
    private enum State {
        case size, afterPart
        case extensionStart, name, afterName
        case valueStart, value, quoted, escaped, afterQuoted
        case lineFeed
    }

    private(set) var size: UInt64 = 0
    /// Of this body, over all its chunks.
    private var extensionBytes = 0
    private var state = State.size
    private var digits = 0
    private var lineBytes = 0

    /// Takes a byte of the line; true when it was the last.
    mutating func take(_ byte: UInt8, limits: HTTPLimits) throws(HTTPParseError) -> Bool {
        if state == .lineFeed {
            guard byte == .lf else { throw HTTPParseError(.bareCR) }
            return true
        }
        if byte == .lf { throw HTTPParseError(.bareLF) }
        if byte != .cr { try count(limits) }
        state = state == .size ? try afterSizeByte(byte) : try afterExtensionByte(byte)
        return false
    }

    /// Makes ready for the next chunk's line.
    mutating func restart() {
        size = 0
        state = .size
        digits = 0
        lineBytes = 0
    }

    private mutating func count(_ limits: HTTPLimits) throws(HTTPParseError) {
        lineBytes += 1
        guard lineBytes <= limits.maxChunkLineBytes else {
            throw HTTPParseError(.chunkLineTooLong, limit: limits.maxChunkLineBytes)
        }
        if state != .size { extensionBytes += 1 }
        guard extensionBytes <= limits.maxChunkExtensionBytes else {
            throw HTTPParseError(.tooManyChunkExtensions, limit: limits.maxChunkExtensionBytes)
        }
    }

    private mutating func afterSizeByte(_ byte: UInt8) throws(HTTPParseError) -> State {
        if let digit = byte.hexDigit {
            digits += 1
            guard digits <= 16 else { throw HTTPParseError(.badChunkSize) }
            size = size << 4 | UInt64(digit)
            // An Int holds it.
            guard size <= UInt64(Int64.max) else { throw HTTPParseError(.chunkTooLarge) }
            return .size
        }
        guard digits > 0 else { throw HTTPParseError(.badChunkSize) }
        switch byte {
        case .cr: return .lineFeed
        case UInt8(ascii: ";"): return .extensionStart
        case .space, .tab: return .afterPart
        default: throw HTTPParseError(.badChunkSize)
        }
    }

    private func afterExtensionByte(_ byte: UInt8) throws(HTTPParseError) -> State {
        switch (state, byte) {
        case (.quoted, UInt8(ascii: "\"")): return .afterQuoted
        case (.quoted, UInt8(ascii: "\\")): return .escaped
        case (.quoted, _) where !byte.isControl, (.escaped, _) where !byte.isControl: return .quoted

        case (.extensionStart, _) where byte.isWhitespace: return .extensionStart
        case (.extensionStart, _) where ByteSet.token.contains(byte): return .name
        case (.name, _) where ByteSet.token.contains(byte): return .name
        case (.name, _) where byte.isWhitespace, (.afterName, _) where byte.isWhitespace: return .afterName
        case (.name, UInt8(ascii: "=")), (.afterName, UInt8(ascii: "=")): return .valueStart

        case (.valueStart, _) where byte.isWhitespace: return .valueStart
        case (.valueStart, UInt8(ascii: "\"")): return .quoted
        case (.valueStart, _) where ByteSet.token.contains(byte): return .value
        case (.value, _) where ByteSet.token.contains(byte): return .value

        case (.name, UInt8(ascii: ";")), (.afterName, UInt8(ascii: ";")), (.value, UInt8(ascii: ";")),
            (.afterQuoted, UInt8(ascii: ";")), (.afterPart, UInt8(ascii: ";")):
            return .extensionStart
        case (.name, .cr), (.value, .cr), (.afterQuoted, .cr): return .lineFeed
        // Whitespace has a place only before a ";".
        case (.value, _) where byte.isWhitespace, (.afterQuoted, _) where byte.isWhitespace,
            (.afterPart, _) where byte.isWhitespace:
            return .afterPart
        default: throw HTTPParseError(.badChunkExtension)
        }
    }
}
