import HTTP1
import Testing

@Suite struct ResponseHeadTests {
    private func text(_ status: HTTPStatus, _ fields: [(String, String)] = [], body: String = "") -> String {
        var head = ResponseHead(status: status)
        for (name, value) in fields { head.add(name, value) }
        return String(decoding: head.encoded(followedBy: Array(body.utf8)), as: UTF8.self)
    }

    @Test func headIsEncodedInOrder() {
        #expect(
            text(.created, [("Location", "/v1/writers/w"), ("Content-Length", "0")])
                == "HTTP/1.1 201 Created\r\nLocation: /v1/writers/w\r\nContent-Length: 0\r\n\r\n")
        #expect(text(.continue) == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(text(HTTPStatus(code: 299)) == "HTTP/1.1 299 \r\n\r\n")
    }

    @Test func bodyFollowsTheEmptyLine() {
        #expect(text(.ok, [("A", "b")], body: "\r\nc") == "HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\nc")
    }

    @Test func valueCanNotEndItsLine() {
        #expect(
            text(.ok, [("X", "a\r\nSet-Cookie: b\n\rc\0d")])
                == "HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b  c d\r\n\r\n")
    }

    @Test func valuesNeedNotBeASCII() {
        #expect(text(.ok, [("X", "naïve 🎬 and longer than fifteen bytes")]).contains("X: naïve 🎬 and longer than fifteen bytes\r\n"))
    }

    @Test func chunkHeaderIsHexWithoutLeadingZeros() {
        func header(_ size: Int) -> String { String(decoding: ChunkedEncoder.header(size: size), as: UTF8.self) }
        #expect(header(1) == "1\r\n")
        #expect(header(15) == "f\r\n")
        #expect(header(16) == "10\r\n")
        #expect(header(4096) == "1000\r\n")
        #expect(header(.max) == "7fffffffffffffff\r\n")
        #expect(ChunkedEncoder.terminator == [UInt8]("0\r\n\r\n".utf8))
    }
}
