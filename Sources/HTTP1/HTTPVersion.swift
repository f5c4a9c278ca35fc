public enum HTTPVersion: Sendable, Equatable {
    case http10
    case http11

    /// RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT, case-sensitive.
    init(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) {
        guard bytes.count == 8, bytes.prefix(5).elementsEqual("HTTP/".utf8),
            let major = bytes[5].decimalDigit, bytes[6] == UInt8(ascii: "."),
            let minor = bytes[7].decimalDigit
        else { throw HTTPParseError(.malformedVersion) }
        guard major == 1 else { throw HTTPParseError(.unsupportedVersion) }
        // A later 1.x is served as the highest minor version known (RFC 9110 §2.5).
        self = minor == 0 ? .http10 : .http11
    }
}
