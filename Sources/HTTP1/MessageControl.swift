/// What the fields say about the message and its connection, gathered in one pass over them.
struct MessageControl {
    let framing: BodyFraming
    let expectsContinue: Bool
    let keepsAlive: Bool

    init(
        _ fields: [FieldLine], in bytes: UnsafeRawBufferPointer, version: HTTPVersion
    ) throws(HTTPParseError) {
        var seen = Seen()
        for field in fields {
            try seen.take(name: bytes.slice(field.name), value: bytes.slice(field.value))
        }
        // RFC 9112 §3.2: exactly one Host in HTTP/1.1.
        guard seen.hasHost || version == .http10 else { throw HTTPParseError(.missingHost) }
        framing = try seen.framing(version)
        // RFC 9110 §10.1.1: ignored in HTTP/1.0, and pointless without a body.
        expectsContinue = seen.expectsContinue && version == .http11 && framing.hasBody
        // RFC 9112 §9.3.
        keepsAlive = !seen.closes && (version == .http11 || seen.asksToKeepAlive)
    }
}

private struct Seen {
    private(set) var hasHost = false
    private(set) var expectsContinue = false
    private(set) var closes = false
    private(set) var asksToKeepAlive = false
    private var contentLength: UInt64?
    private var hasTransferEncoding = false
    private var chunkedCount = 0
    private var chunkedIsFinal = false
    private var hasOtherCoding = false

    mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(HTTPParseError) {
        switch name.count {
        case 4 where name.equalsIgnoringCase("host"): try takeHost(value)
        case 6 where name.equalsIgnoringCase("expect"): try takeExpect(value)
        case 10 where name.equalsIgnoringCase("connection"): takeConnection(value)
        case 14 where name.equalsIgnoringCase("content-length"): try takeContentLength(value)
        case 17 where name.equalsIgnoringCase("transfer-encoding"): takeTransferEncoding(value)
        default: break
        }
    }

    private mutating func takeHost(_ value: UnsafeRawBufferPointer) throws(HTTPParseError) {
        guard !hasHost else { throw HTTPParseError(.repeatedHost) }
        guard Authority.isValid(value) else { throw HTTPParseError(.badHost) }
        hasHost = true
    }

    private mutating func takeExpect(_ value: UnsafeRawBufferPointer) throws(HTTPParseError) {
        for expectation in ListElements(value) {
            guard expectation.equalsIgnoringCase("100-continue") else {
                throw HTTPParseError(.unknownExpectation)
            }
            expectsContinue = true
        }
    }

    private mutating func takeConnection(_ value: UnsafeRawBufferPointer) {
        for option in ListElements(value) {
            if option.equalsIgnoringCase("close") { closes = true }
            if option.equalsIgnoringCase("keep-alive") { asksToKeepAlive = true }
        }
    }

    /// RFC 9110 §8.6 lets identical repeats pass; they are refused, since no sane client makes them.
    private mutating func takeContentLength(_ value: UnsafeRawBufferPointer) throws(HTTPParseError) {
        guard contentLength == nil else { throw HTTPParseError(.repeatedContentLength) }
        guard let length = value.decimalNumber else { throw HTTPParseError(.badContentLength) }
        contentLength = length
    }

    private mutating func takeTransferEncoding(_ value: UnsafeRawBufferPointer) {
        hasTransferEncoding = true
        for coding in ListElements(value) {
            chunkedIsFinal = coding.equalsIgnoringCase("chunked")
            if chunkedIsFinal { chunkedCount += 1 } else { hasOtherCoding = true }
        }
    }

    func framing(_ version: HTTPVersion) throws(HTTPParseError) -> BodyFraming {
        guard hasTransferEncoding else { return contentLength.map(BodyFraming.length) ?? .none }
        // RFC 9112 §6.1 and §6.3.
        guard contentLength == nil else { throw HTTPParseError(.lengthAndTransferEncoding) }
        guard version == .http11 else { throw HTTPParseError(.transferEncodingInHTTP10) }
        guard chunkedIsFinal else { throw HTTPParseError(.chunkedNotFinal) }
        guard chunkedCount == 1 else { throw HTTPParseError(.repeatedChunked) }
        guard !hasOtherCoding else { throw HTTPParseError(.unknownTransferCoding) }
        return .chunked
    }
}
