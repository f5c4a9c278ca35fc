/// The fields after the last chunk, a byte at a time (RFC 9112 §7.1.2). They are checked, and then dropped.
struct TrailerSection: Sendable {
    private enum State { case lineStart, name, value, lineFeed, lastLineFeed }

    /// Framing, routing, authentication, modifiers and content's own fields: what a sender must not put in a trailer
    /// (RFC 9110 §6.5.1).
    private static let forbidden: [StaticString] = [
        "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "cookie", "expect", "host", "keep-alive", "max-forwards", "pragma", "proxy-authorization",
        "range", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
    ]
    private static let longestForbidden = forbidden.map(\.utf8CodeUnitCount).max()!

    private var state = State.lineStart
    private var totalBytes = 0
    private var fieldCount = 0
    /// The current name, as far as it can matter.
    private var name: [UInt8] = []

    /// Takes a byte of the section; true when it was the last.
    mutating func take(_ byte: UInt8, limits: HTTPLimits) throws(HTTPParseError) -> Bool {
        totalBytes += 1
        guard totalBytes <= limits.maxTrailerBytes else {
            throw HTTPParseError(.trailersTooLarge, limit: limits.maxTrailerBytes)
        }
        switch state {
        case .lineStart where byte == .cr: state = .lastLineFeed
        case .lineStart: try startField(byte, limits: limits)
        case .name: try takeName(byte)
        case .value where byte == .cr: state = .lineFeed
        case .value:
            if byte.isControl { throw HTTPParseError(byte == .lf ? .bareLF : .controlByte) }
        case .lineFeed, .lastLineFeed:
            guard byte == .lf else { throw HTTPParseError(.bareCR) }
            defer { state = .lineStart }
            return state == .lastLineFeed
        }
        return false
    }

    private mutating func startField(_ byte: UInt8, limits: HTTPLimits) throws(HTTPParseError) {
        if byte.isWhitespace { throw HTTPParseError(.foldedLine) }
        if byte == UInt8(ascii: ":") { throw HTTPParseError(.badFieldName) }
        fieldCount += 1
        guard fieldCount <= limits.maxFieldCount else {
            throw HTTPParseError(.tooManyFields, limit: limits.maxFieldCount)
        }
        name.removeAll(keepingCapacity: true)
        state = .name
        try takeName(byte)
    }

    private mutating func takeName(_ byte: UInt8) throws(HTTPParseError) {
        if ByteSet.token.contains(byte) {
            if name.count <= Self.longestForbidden { name.append(byte) }
            return
        }
        switch byte {
        case UInt8(ascii: ":"):
            guard !nameIsForbidden else { throw HTTPParseError(.forbiddenTrailer) }
            state = .value
        case .space, .tab: throw HTTPParseError(.whitespaceInFieldName)
        case .lf: throw HTTPParseError(.bareLF)
        case .cr: throw HTTPParseError(.missingColon)
        default: throw HTTPParseError(byte.isControl ? .controlByte : .badFieldName)
        }
    }

    private var nameIsForbidden: Bool {
        name.withUnsafeBytes { name in Self.forbidden.contains { name.equalsIgnoringCase($0) } }
    }
}
