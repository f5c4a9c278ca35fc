import HTTP1
import Testing

@Suite struct ResponseHeadTests {
    private func encoded(_ head: ResponseHead) -> String {
        var bytes: [UInt8] = []
        head.encode(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func headIsEncodedInOrder() {
        var head = ResponseHead(status: .created, fields: [("Location", "/v1/writers/w")])
        head.add("Content-Length", "0")
        #expect(encoded(head) == "HTTP/1.1 201 Created\r\nLocation: /v1/writers/w\r\nContent-Length: 0\r\n\r\n")
        #expect(encoded(ResponseHead(status: .continue)) == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(encoded(ResponseHead(status: HTTPStatus(code: 299))) == "HTTP/1.1 299 \r\n\r\n")
    }

    @Test func encodingAppends() {
        var bytes: [UInt8] = [1, 2]
        ResponseHead(status: .ok).encode(into: &bytes)
        #expect(bytes == [1, 2] + [UInt8]("HTTP/1.1 200 OK\r\n\r\n".utf8))
    }

    @Test func setReplacesEveryLineOfTheField() {
        var head = ResponseHead(status: .ok)
        head.add("X-A", "1")
        head.add("x-a", "2")
        head.add("X-B", "3")
        head.set("X-a", "4")
        #expect(head.fields.map { "\($0.name)=\($0.value)" } == ["X-B=3", "X-a=4"])
        #expect(head.field("X-A") == "4")
        head.remove("x-b")
        #expect(head.field("X-B") == nil)
    }

    @Test func valueCanNotEndItsLine() {
        let head = ResponseHead(status: .ok, fields: [("X", "a\r\nSet-Cookie: b\n\rc\0d")])
        #expect(encoded(head) == "HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b  c d\r\n\r\n")
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
