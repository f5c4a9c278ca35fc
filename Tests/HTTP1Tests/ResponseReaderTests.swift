import HTTP1
import Testing

/// Each case whole, a byte at a time, and split at every position.
@Suite struct ResponseReaderTests {
    private struct Outcome: Equatable {
        var status: Int?
        var body = ""
        var failure: ResponseReader.Failure?
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], maxBodyBytes: Int) -> Outcome {
        var reader = ResponseReader(maxBodyBytes: maxBodyBytes)
        var failure: ResponseReader.Failure?
        do {
            for piece in pieces where !reader.isWhole { try Array(piece).withUnsafeBytes { try reader.take($0) } }
            if !reader.isWhole { try reader.end() }
        } catch {
            failure = error as? ResponseReader.Failure
        }
        return Outcome(status: reader.status?.code, body: String(decoding: reader.body, as: UTF8.self), failure: failure)
    }

    /// The outcome, which is the same however the bytes are cut.
    private static func outcome(_ text: String, maxBodyBytes: Int = 1_000) -> Outcome {
        let bytes = Array(text.utf8)
        let whole = read([bytes[...]], maxBodyBytes: maxBodyBytes)
        #expect(read(bytes.indices.map { bytes[$0...$0] }, maxBodyBytes: maxBodyBytes).failure == whole.failure)
        for index in bytes.indices {
            let split = read([bytes[..<index], bytes[index...]], maxBodyBytes: maxBodyBytes)
            #expect(split.failure == whole.failure && (whole.failure != nil || split == whole), "split at \(index)")
        }
        return whole
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1", 200, "abc"),
        ("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, ""),
        ("HTTP/1.0 503 Service Unavailable\r\n\r\nto the end", 503, "to the end"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\nWiki\r\n5;a=b\r\npedia\r\n0\r\n\r\n", 200, "Wikipedia"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 401 \r\nContent-Length: 1\r\n\r\nx", 401, "x"),
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", 302, ""),
    ])
    func aResponseIsReadToItsEnd(text: String, status: Int, body: String) {
        #expect(Self.outcome(text) == Outcome(status: status, body: body))
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func whatIsNoResponseIsRefused(text: String) {
        #expect(Self.outcome(text).failure == .malformed)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ])
    func anEarlyEndIsNoEnd(text: String) {
        #expect(Self.outcome(text).failure == .cut)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nabcde",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n",
    ])
    func aBodyBeyondTheLimitIsRefused(text: String) {
        #expect(Self.outcome(text, maxBodyBytes: 4).failure == .tooLong)
        #expect(Self.outcome(text + "0\r\n\r\n", maxBodyBytes: 5 + 5).failure == nil)
    }

    @Test func aHeadWithoutAnEndIsRefused() {
        var reader = ResponseReader(maxBodyBytes: 10)
        let bytes = Array(("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: HTTPLimits().maxHeadBytes)).utf8)
        #expect(throws: ResponseReader.Failure.tooLong) { try bytes.withUnsafeBytes { try reader.take($0) } }
    }

    /// A peer kept the loop busy with them until the timeout.
    @Test func interimResponsesComeToAnEnd() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let final = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        #expect(Self.outcome(String(repeating: interim, count: 8) + final) == Outcome(status: 200, body: "x"))
        #expect(Self.outcome(String(repeating: interim, count: 9) + final).failure == .tooLong)
    }

    @Test func interimHeadsCountForTheHeadsBytes() {
        func read(_ headBytes: Int) -> Outcome {
            let half = String(repeating: "x", count: headBytes / 2 - 100)
            let text = "HTTP/1.1 103 Early Hints\r\nX: \(half)\r\n\r\nHTTP/1.1 200 OK\r\nX: \(half)\r\nContent-Length: 1\r\n\r\nx"
            return Self.read([Array(text.utf8)[...]], maxBodyBytes: 10)
        }
        #expect(read(HTTPLimits().maxHeadBytes) == Outcome(status: 200, body: "x"))
        #expect(read(HTTPLimits().maxHeadBytes + 200).failure == .tooLong)
    }

    /// RFC 3986 §2.3 leaves letters, digits and -._~ as they are.
    @Test func aQueryIsEncodedWhereItHasTo() {
        let items = [QueryItem(name: "a", value: "x y\r\n&=%é"), QueryItem(name: "cursor", value: "2026-01-01T00:00:00.000Z~n.w_1~n1")]
        #expect(QueryItem.text(of: items) == "a=x%20y%0D%0A%26%3D%25%C3%A9&cursor=2026-01-01T00%3A00%3A00.000Z~n.w_1~n1")
    }
}
