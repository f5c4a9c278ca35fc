import HTTP1
import Testing

/// A request that must be refused, however its bytes arrive.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let reason: HTTPParseError.Reason
    let status: Int

    init(_ text: String, _ reason: HTTPParseError.Reason, _ status: Int = 400) {
        self.init([UInt8](text.utf8), reason, status)
    }

    init(_ bytes: [UInt8], _ reason: HTTPParseError.Reason, _ status: Int = 400) {
        self.bytes = bytes
        self.reason = reason
        self.status = status
    }

    /// With a good head around the line, so that nothing else can be the cause.
    static func requestLine(_ line: String, _ reason: HTTPParseError.Reason, _ status: Int = 400) -> Self {
        Self("\(line)\r\nHost: a\r\n\r\n", reason, status)
    }

    static func field(_ line: String, _ reason: HTTPParseError.Reason, _ status: Int = 400) -> Self {
        Self("POST / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n", reason, status)
    }

    static func target(_ target: String, _ reason: HTTPParseError.Reason = .badTargetCharacter) -> Self {
        requestLine("GET \(target) HTTP/1.1", reason)
    }

    static func host(_ value: String) -> Self {
        Self("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", .badHost)
    }

    var testDescription: String { "\(reason.rawValue): \(String(decoding: bytes, as: UTF8.self).debugDescription)" }
}

extension RefusedRequest {
    static let requestLines: [RefusedRequest] = [
        .requestLine("GET /", .malformedRequestLine),
        .requestLine("GET", .malformedRequestLine),
        .requestLine(" GET / HTTP/1.1", .malformedRequestLine),
        .requestLine("GET\t/ HTTP/1.1", .malformedRequestLine),
        .requestLine("G(T / HTTP/1.1", .malformedRequestLine),
        .requestLine("GÉT / HTTP/1.1", .malformedRequestLine),
        .requestLine("GET  / HTTP/1.1", .malformedVersion),
        .requestLine("GET /  HTTP/1.1", .malformedVersion),
        .requestLine("GET / HTTP/1.1 ", .malformedVersion),
        .requestLine("GET /a b HTTP/1.1", .malformedVersion),
        .requestLine("GET / http/1.1", .malformedVersion),
        .requestLine("GET / HTTP/1", .malformedVersion),
        .requestLine("GET / HTTP/11", .malformedVersion),
        .requestLine("GET / HTTP/1.10", .malformedVersion),
        .requestLine("GET / HTTP/+1.1", .malformedVersion),
        .requestLine("GET / HTTP/1.x", .malformedVersion),
        .requestLine("GET / HTTPS/1.1", .malformedVersion),
        .requestLine("GET / HTTP/0.9", .unsupportedVersion, 505),
        .requestLine("GET / HTTP/2.0", .unsupportedVersion, 505),
        .requestLine("GET / HTTP/3.0", .unsupportedVersion, 505),
        .requestLine("PRI * HTTP/2.0", .unsupportedVersion, 505),
        .requestLine("BREW / HTTP/1.1", .unknownMethod, 501),
        .requestLine("get / HTTP/1.1", .unknownMethod, 501),
        .requestLine("GETS / HTTP/1.1", .unknownMethod, 501),
        .requestLine("ANUNREASONABLYLONGMETHODNAME / HTTP/1.1", .unknownMethod, 501),
        .requestLine("CONNECT example.com:443 HTTP/1.1", .connectRefused, 501),
        // Refused before the head is whole: at the end of the line, or at the byte.
        RefusedRequest("GET /\r\n", .malformedRequestLine),
        RefusedRequest("GET / HTTP/2.0\r\n", .unsupportedVersion, 505),
        RefusedRequest("GET / HTTP/1.1\n", .bareLF),
        RefusedRequest("GET / HTTP/1.1\nHost: a\n\n", .bareLF),
        RefusedRequest("GET / HTTP/1.1\rHost: a\r\r", .bareCR),
        RefusedRequest("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCR),
        RefusedRequest("GET /\0 HTTP/1.1\r\n", .controlByte),
        RefusedRequest([0x16, 0x03, 0x01, 0x02, 0x00], .controlByte),  // TLS
        RefusedRequest("\n", .bareLF),
        RefusedRequest("\rGET / HTTP/1.1\r\n", .bareCR),
        RefusedRequest("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", .tooManyEmptyLines),
    ]

    static let targets: [RefusedRequest] = [
        .target("", .malformedTarget),
        .target("example.com", .malformedTarget),
        .target("example.com:80", .malformedTarget),
        .target("*", .asteriskWithoutOptions),
        .target("**", .malformedTarget),
        .target("?a=1", .malformedTarget),
        .target("ftp://example.com/", .malformedTarget),
        .target("http:/example.com/", .malformedTarget),
        .target("http://", .badHost),
        .target("http:///path", .badHost),
        .target("http://:80/", .badHost),
        .target("http://user@example.com/", .badHost),
        .target("http://exa<mple.com/", .badHost),
        .target("http://example.com:80a/", .badHost),
        .target("http://example.com/../x", .dotSegment),
        .target("/a#b"),
        .target("/a\"b"),
        .target("/a<b"),
        .target("/a>b"),
        .target("/a\\b"),
        .target("/a^b"),
        .target("/a`b"),
        .target("/a{b}"),
        .target("/a|b"),
        .target("/a[b]"),
        .target("/ä"),
        .target("/a?b[]=1"),
        .target("/a?b=\"1\""),
        .target("/a?b#c"),
        .target("/.", .dotSegment),
        .target("/..", .dotSegment),
        .target("/a/../b", .dotSegment),
        .target("/a/./b", .dotSegment),
        .target("/a/%2e%2e/b", .dotSegment),
        .target("/a/.%2E/b", .dotSegment),
        .target("/%2e", .dotSegment),
        .target("/a%", .badPercentEncoding),
        .target("/a%2", .badPercentEncoding),
        .target("/a%2/b", .badPercentEncoding),
        .target("/a%zz", .badPercentEncoding),
        .target("/a%+1", .badPercentEncoding),
        .target("/a?b=%", .badPercentEncoding),
        .target("/a?%1=b", .badPercentEncoding),
        .target("/a%00b", .encodedNUL),
        .target("/a?b=%00", .encodedNUL),
        .target("/%ff", .targetNotUTF8),
        .target("/%c0%ae%c0%ae", .targetNotUTF8),  // overlong ".."
        .target("/%ed%a0%80", .targetNotUTF8),  // a surrogate
        .target("/?a=%80", .targetNotUTF8),
    ]

    static let fields: [RefusedRequest] = [
        .field("A : b", .whitespaceInFieldName),
        .field("A\t: b", .whitespaceInFieldName),
        .field("A b: c", .whitespaceInFieldName),
        .field(" A: b", .foldedLine),
        .field("A: b\r\n c", .foldedLine),
        .field("A: b\r\n\tc", .foldedLine),
        .field(" ", .foldedLine),
        .field("A", .missingColon),
        .field(": b", .badFieldName),
        .field("A(b): c", .badFieldName),
        .field("A\"b\": c", .badFieldName),
        .field("A@b: c", .badFieldName),
        .field("Ä: c", .badFieldName),
        .field("A: b\0c", .controlByte),
        .field("A: b\u{1}c", .controlByte),
        .field("A: b\u{7F}c", .controlByte),
        .field("A: b\u{1B}[0m", .controlByte),
        .field("A\0: b", .controlByte),
        .field("A: b\rc", .bareCR),
        .field("A: b\nC: d", .bareLF),
        .field("A: b\r\r\nC: d", .bareCR),
        .field("Expect: 200-ok", .unknownExpectation, 417),
        .field("Expect: 100-continue, more", .unknownExpectation, 417),
        .field("Expect: 100-continue;x=1", .unknownExpectation, 417),
    ]

    static let hosts: [RefusedRequest] = [
        RefusedRequest("GET / HTTP/1.1\r\n\r\n", .missingHost),
        RefusedRequest("GET http://example.com/ HTTP/1.1\r\n\r\n", .missingHost),
        RefusedRequest("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
        RefusedRequest("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", .repeatedHost),
        RefusedRequest("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
        .host("a b"), .host("a/b"), .host("user@a"), .host("a:b"), .host("a:80:80"), .host("a:-1"), .host("a?"),
        .host("a#"), .host("a\\b"), .host("\"a\""), .host("ä"), .host("a%"), .host("a%2"), .host("a%zz"),
        .host("http://a"), .host("["), .host("[]"), .host("[::1"), .host("[::1]80"), .host("[::1]a"), .host("::1"),
        .host("[:::]"), .host("[1:2:3:4:5:6:7]"), .host("[1:2:3:4:5:6:7:8:9]"), .host("[1::2::3]"),
        .host("[12345::]"), .host("[1:2:3:4:5:6:7:8::]"), .host("[g::]"), .host("[::1.2.3]"), .host("[::1.2.3.256]"),
        .host("[::01.2.3.4]"), .host("[1.2.3.4::]"), .host("[:1:2:3:4:5:6:7]"), .host("[1:2:3:4:5:6:7:]"),
        .host("[fe80::1%25eth0]"), .host("[v.a]"), .host("[v1.]"), .host("[v1a]"), .host("[vg.a]"),
    ]

    static let framings: [RefusedRequest] = [
        .field("Content-Length: +5", .badContentLength),
        .field("Content-Length: -5", .badContentLength),
        .field("Content-Length: 5,5", .badContentLength),
        .field("Content-Length: 5, 5", .badContentLength),
        .field("Content-Length: 5 5", .badContentLength),
        .field("Content-Length: 0x5", .badContentLength),
        .field("Content-Length: 5.0", .badContentLength),
        .field("Content-Length: 5e1", .badContentLength),
        .field("Content-Length: ٥", .badContentLength),
        .field("Content-Length:", .badContentLength),
        .field("Content-Length: a", .badContentLength),
        .field("Content-Length: 9223372036854775808", .badContentLength),
        .field("Content-Length: 18446744073709551616", .badContentLength),
        .field("Content-Length: 99999999999999999999999999", .badContentLength),
        .field("Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
        .field("Content-Length: 5\r\nContent-Length: 6", .repeatedContentLength),
        .field("Content-Length: 5\r\ncontent-length: 5", .repeatedContentLength),
        .field("Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        .field("Transfer-Encoding: chunked\r\nContent-Length: 5", .lengthAndTransferEncoding),
        .field("Transfer-Encoding: chunked\r\nContent-Length: 0", .lengthAndTransferEncoding),
        .field("Transfer-Encoding: x\r\nContent-Length: 0", .lengthAndTransferEncoding),
        .field("Transfer-Encoding:", .chunkedNotFinal),
        .field("Transfer-Encoding: ,", .chunkedNotFinal),
        .field("Transfer-Encoding: gzip", .chunkedNotFinal),
        .field("Transfer-Encoding: identity", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked, gzip", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked, identity", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", .chunkedNotFinal),
        .field("Transfer-Encoding: xchunked", .chunkedNotFinal),
        .field("Transfer-Encoding: chunkedx", .chunkedNotFinal),
        .field("Transfer-Encoding: \"chunked\"", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked;q=1", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked chunked", .chunkedNotFinal),
        .field("Transfer-Encoding: chunked\u{B}", .controlByte),
        .field("Transfer-Encoding: chunked, chunked", .repeatedChunked),
        .field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .repeatedChunked),
        .field("Transfer-Encoding: gzip, chunked", .unknownTransferCoding, 501),
        .field("Transfer-Encoding: identity, chunked", .unknownTransferCoding, 501),
        .field("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", .unknownTransferCoding, 501),
        RefusedRequest(
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
    ]
}
