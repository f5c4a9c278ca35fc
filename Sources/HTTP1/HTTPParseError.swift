/// Why a message was refused. The client's fault, always; the connection can not be used further.
public struct HTTPParseError: Error, Equatable, Sendable {
    public let reason: Reason
    /// The limit that was passed, when one was.
    public let limit: Int?

    public init(_ reason: Reason, limit: Int? = nil) {
        self.reason = reason
        self.limit = limit
    }

    /// One case per defect; the raw value is a stable code.
    public enum Reason: String, Sendable, CaseIterable {
        // Bytes and lines
        case bareCR = "bare-cr"
        case bareLF = "bare-lf"
        case controlByte = "control-byte"
        case tooManyEmptyLines = "too-many-empty-lines"
        case headTooLarge = "head-too-large"
        // Request line
        case malformedRequestLine = "malformed-request-line"
        case malformedVersion = "malformed-version"
        case unsupportedVersion = "unsupported-version"
        case unknownMethod = "unknown-method"
        case connectRefused = "connect-refused"
        // Target
        case targetTooLong = "target-too-long"
        case malformedTarget = "malformed-target"
        case asteriskWithoutOptions = "asterisk-without-options"
        case badTargetCharacter = "bad-target-character"
        case badPercentEncoding = "bad-percent-encoding"
        case encodedNUL = "encoded-nul"
        case targetNotUTF8 = "target-not-utf8"
        case dotSegment = "dot-segment"
        // Fields
        case tooManyFields = "too-many-fields"
        case foldedLine = "folded-line"
        case missingColon = "missing-colon"
        case whitespaceInFieldName = "whitespace-in-field-name"
        case badFieldName = "bad-field-name"
        case missingHost = "missing-host"
        case repeatedHost = "repeated-host"
        case badHost = "bad-host"
        case unknownExpectation = "unknown-expectation"
        // Framing
        case badContentLength = "bad-content-length"
        case repeatedContentLength = "repeated-content-length"
        case lengthAndTransferEncoding = "length-and-transfer-encoding"
        case transferEncodingInHTTP10 = "transfer-encoding-in-http10"
        case chunkedNotFinal = "chunked-not-final"
        case repeatedChunked = "repeated-chunked"
        case unknownTransferCoding = "unknown-transfer-coding"
        // Chunks
        case badChunkSize = "bad-chunk-size"
        case chunkTooLarge = "chunk-too-large"
        case badChunkExtension = "bad-chunk-extension"
        case chunkLineTooLong = "chunk-line-too-long"
        case tooManyChunkExtensions = "too-many-chunk-extensions"
        case missingChunkEnd = "missing-chunk-end"
        case forbiddenTrailer = "forbidden-trailer"
        case trailersTooLarge = "trailers-too-large"
    }
}

extension HTTPParseError {
    public var status: HTTPStatus {
        switch reason {
        case .targetTooLong: .uriTooLong
        case .headTooLarge, .tooManyFields, .trailersTooLarge: .requestHeaderFieldsTooLarge
        case .unknownExpectation: .expectationFailed
        case .unknownMethod, .connectRefused, .unknownTransferCoding: .notImplemented
        case .unsupportedVersion: .httpVersionNotSupported
        default: .badRequest
        }
    }

    /// What was wrong, and what would be right.
    public var message: String {
        guard let limit else { return explanation }
        return "\(explanation) The limit is \(limit)."
    }

    private var explanation: String {
        switch reason {
        case .bareCR: "A CR stands alone. Lines end with CRLF."
        case .bareLF: "An LF stands alone. Lines end with CRLF."
        case .controlByte: "There is a control byte in a line. Only a tab is allowed, and only in a field value."
        case .tooManyEmptyLines: "There are too many empty lines before the request line. Send the request line first."
        case .headTooLarge: "The request line and fields have too many bytes. Send fewer or shorter fields."
        case .malformedRequestLine:
            "The request line is not a method, a target and a version with one space between, as in \"GET / HTTP/1.1\"."
        case .malformedVersion: "The request line does not end in a version, as in \"HTTP/1.1\"."
        case .unsupportedVersion: "The version is not supported. Use HTTP/1.1."
        case .unknownMethod: "The method is not known. Methods are in capitals: GET, HEAD, POST, PUT, DELETE, OPTIONS."
        case .connectRefused: "CONNECT is for proxies, and this is none. Send the request to its server."
        case .targetTooLong: "The request target has too many bytes. Put long values in the body."
        case .malformedTarget:
            "The request target is not a path that starts with \"/\", nor an http:// or https:// URL."
        case .asteriskWithoutOptions: "The target \"*\" is for OPTIONS only. Use a path."
        case .badTargetCharacter: "The request target has a character that a URL may not hold. Percent-encode it."
        case .badPercentEncoding:
            "A \"%\" in the request target is not followed by two hex digits. A plain \"%\" is \"%25\"."
        case .encodedNUL: "The request target has an encoded NUL (%00). Leave it out."
        case .targetNotUTF8: "The request target does not decode to UTF-8. Percent-encode UTF-8 bytes."
        case .dotSegment: "The path has a \".\" or \"..\" segment. Send the path it stands for."
        case .tooManyFields: "There are too many fields. Send fewer."
        case .foldedLine: "A field line starts with whitespace. Put each field on one line."
        case .missingColon: "A field line has no colon. Write \"Name: value\"."
        case .whitespaceInFieldName: "There is whitespace before a field's colon. Write \"Name: value\"."
        case .badFieldName:
            "A field name is empty or has a character that is not allowed. Use letters, digits and \"-\"."
        case .missingHost: "There is no Host. HTTP/1.1 asks for exactly one."
        case .repeatedHost: "There is more than one Host. Send exactly one."
        case .badHost:
            "The host is not valid. Write a name or address, and a port if need be, as in \"example.com:8080\"."
        case .unknownExpectation: "The expectation is not known. Only \"Expect: 100-continue\" is."
        case .badContentLength: "Content-Length is not one decimal number below 2^63. Write digits alone."
        case .repeatedContentLength: "There is more than one Content-Length. Send exactly one."
        case .lengthAndTransferEncoding: "There are both Content-Length and Transfer-Encoding. Send one of them."
        case .transferEncodingInHTTP10: "HTTP/1.0 has no Transfer-Encoding. Use HTTP/1.1, or Content-Length."
        case .chunkedNotFinal: "Transfer-Encoding does not end in \"chunked\". Write \"Transfer-Encoding: chunked\"."
        case .repeatedChunked:
            "Transfer-Encoding names \"chunked\" more than once. Write \"Transfer-Encoding: chunked\"."
        case .unknownTransferCoding:
            "Only \"chunked\" is known as a transfer coding. Write \"Transfer-Encoding: chunked\"."
        case .badChunkSize: "A chunk does not start with its size, 1 to 16 hex digits and a CRLF."
        case .chunkTooLarge: "A chunk's size is 2^63 or more. Send smaller chunks."
        case .badChunkExtension: "A chunk extension is malformed. Write \";name=value\", or leave it out."
        case .chunkLineTooLong: "A chunk's size line has too many bytes. Leave out chunk extensions."
        case .tooManyChunkExtensions: "The chunk extensions have too many bytes together. Leave them out."
        case .missingChunkEnd: "A chunk's data is not followed by CRLF. Check that its size is the number of its bytes."
        case .forbiddenTrailer: "A field that the head must hold came as a trailer. Send it in the head."
        case .trailersTooLarge: "The trailer fields have too many bytes. Send fewer."
        }
    }
}
