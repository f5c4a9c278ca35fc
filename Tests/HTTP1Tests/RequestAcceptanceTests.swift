import HTTP1
import Testing

/// Each case whole, a byte at a time, and split at every position.
@Suite struct RequestAcceptanceTests {
    private func facts(_ text: String) throws -> HeadFacts {
        try #require(RequestOutcome.agreed(text)?.facts, "not accepted, or not the same however it arrives")
    }

    private func target(_ target: String, method: String = "GET") throws -> RequestTarget {
        try facts("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n").target
    }

    @Test func requestIsReadInFull() throws {
        let head = """
            POST /v1/writers/w_1/streams/0/chunks?pts=1.5 HTTP/1.1\r
            Host: example.com:8080\r
            Content-Type: application/octet-stream\r
            X-Empty:\r
            X-Padded: \t a b\tc \t\r
            content-length: 4\r
            \r

            """
        let facts = try facts(head + "data")
        #expect(facts.method == .post)
        #expect(facts.version == .http11)
        #expect(facts.target.rawPath == "/v1/writers/w_1/streams/0/chunks")
        #expect(facts.target.segments == ["v1", "writers", "w_1", "streams", "0", "chunks"])
        #expect(facts.target.query == [QueryItem(name: "pts", value: "1.5")])
        #expect(facts.framing == .length(4))
        #expect(facts.headBytes == head.utf8.count)
        #expect(
            facts.fields == [
                ["Host", "example.com:8080"], ["Content-Type", "application/octet-stream"], ["X-Empty", ""],
                ["X-Padded", "a b\tc"], ["content-length", "4"],
            ])
    }

    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
    func methodIsKnown(_ method: String) throws {
        #expect(try facts("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n").method.rawValue == method)
    }

    @Test(arguments: 0...4)
    func emptyLinesBeforeTheRequestLineArePassedOver(_ count: Int) throws {
        let text = String(repeating: "\r\n", count: count) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try facts(text).headBytes == text.utf8.count)
    }

    @Test(arguments: ["", "\r", "\r\n", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHost: a\r\n\r"])
    func headCutOffNeedsMore(_ text: String) {
        #expect(text.isEmpty || RequestOutcome.agreed(text) == .needsMore)
        #expect(RequestOutcome([UInt8](text.utf8), cuts: [text.utf8.count]) == .needsMore)
    }

    @Test func laterMinorVersionIsServedAsHTTP11() throws {
        #expect(try facts("GET / HTTP/1.2\r\nHost: a\r\n\r\n").version == .http11)
        #expect(try facts("GET / HTTP/1.9\r\nHost: a\r\n\r\n").keepsAlive)
    }

    @Test func escapesAreDecodedOnceAndNeverSplit() throws {
        #expect(try target("/").segments == [])
        #expect(try target("/a/").segments == ["a", ""])
        #expect(try target("//a").segments == ["", "a"])
        #expect(try target("/a%2Fb/c").segments == ["a/b", "c"])
        #expect(try target("/a%2fb/c").rawPath == "/a%2fb/c")
        #expect(try target("/%252e%252e").segments == ["%2e%2e"])
        #expect(try target("/caf%C3%A9/%F0%9F%8E%AC").segments == ["café", "🎬"])
        #expect(try target("/...").segments == ["..."])
        #expect(try target("/a+b").segments == ["a+b"])
    }

    @Test func plusIsABlankInAQueryAndNotInAPath() throws {
        // What Python's urlencode makes of {"my name": "a+b c"}.
        let target = try target("/a+b?my+name=a%2Bb+c&x=%20+")
        #expect(target.segments == ["a+b"])
        #expect(target.query.map { "\($0.name)→\($0.value)" } == ["my name→a+b c", "x→  "])
    }

    @Test func queryKeepsOrderAndEmptyValues() throws {
        let query = try target("/x?b=1&a=2&b=3&c&d=&=e&&f=g=h&i%3D=%26&j=%2B?/").query
        #expect(query.map { "\($0.name)→\($0.value)" } == [
            "b→1", "a→2", "b→3", "c→", "d→", "→e", "f→g=h", "i=→&", "j→+?/",
        ])
        #expect(try target("/x?b=1&b=3").query("b") == "1")
        #expect(try target("/x?b=1").query("a") == nil)
        #expect(try target("/x?").query.isEmpty)
    }

    @Test func absoluteFormWinsOverHost() throws {
        let head = try RequestHead.parsed("GET HTTP://Example.com:80/a?b=c HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(head.target.segments == ["a"])
        #expect(head.target.query("b") == "c")
        #expect(head.target.rawPath == "/a")
        #expect(head.authority == "Example.com:80")
        #expect(try target("https://[::1]:8080?x=1").rawPath == "/")
        #expect(try target("http://a").segments == [])
        #expect(try RequestHead.parsed("GET / HTTP/1.1\r\nHost: other\r\n\r\n").authority == "other")
    }

    @Test func asteriskIsForOptions() throws {
        let target = try target("*", method: "OPTIONS")
        #expect(target.isAsterisk)
        #expect(target.segments == [])
        #expect(try !self.target("/*", method: "OPTIONS").isAsterisk)
    }

    @Test(arguments: [
        "a", "example.com", "example.com:", "example.com:8080", "127.0.0.1:80", "", ":80", "a_b~c", "a%20b", "a,b;c",
        "[::]", "[::1]", "[::1]:80", "[1::]", "[1:2:3:4:5:6:7:8]", "[1:2:3::7:8]", "[::ffff:1.2.3.4]",
        "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[2001:DB8::a]", "[v1f.a:b]",
    ])
    func hostOfTheGrammarIsAccepted(_ host: String) throws {
        _ = try facts("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }

    @Test(arguments: [
        ("", BodyFraming.none),
        ("Content-Length: 0", .length(0)),
        ("Content-Length: 007", .length(7)),
        ("CONTENT-LENGTH:5", .length(5)),
        ("Content-Length: \t5 \t", .length(5)),
        ("Content-Length: 9223372036854775807", .length(9_223_372_036_854_775_807)),
        ("Transfer-Encoding: chunked", .chunked),
        ("transfer-encoding: CHUNKED", .chunked),
        ("Transfer-Encoding: , chunked ,", .chunked),
    ])
    func framingFollowsTheFields(_ field: String, _ framing: BodyFraming) throws {
        let line = field.isEmpty ? "" : field + "\r\n"
        #expect(try facts("POST / HTTP/1.1\r\nHost: a\r\n\(line)\r\n").framing == framing)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "close", false), ("1.1", "Close", false), ("1.1", "keep-alive", true),
        ("1.1", "keep-alive, close", false), ("1.1", "TE,close", false), ("1.1", "closed", true),
        ("1.1", "x-close, y", true), ("1.1", "a\r\nConnection: close", false), ("1.1", " , close ,", false),
        ("1.0", "", false), ("1.0", "keep-alive", true), ("1.0", "Keep-Alive", true),
        ("1.0", "keep-alive, close", false), ("1.0", "foo , keep-alive", true), ("1.0", "keep-alives", false),
    ])
    func connectionOptionsAreATokenList(_ version: String, _ options: String, _ keepsAlive: Bool) throws {
        let facts = try facts("GET / HTTP/\(version)\r\nHost: a\r\nConnection: \(options)\r\n\r\n")
        #expect(facts.keepsAlive == keepsAlive)
    }

    @Test(arguments: [
        ("1.1", "Content-Length: 5", true), ("1.1", "Transfer-Encoding: chunked", true),
        ("1.1", "Content-Length: 0", false), ("1.1", "X: y", false), ("1.0", "Content-Length: 5", false),
    ])
    func continueIsExpectedOnlyWithABodyInHTTP11(_ version: String, _ field: String, _ expects: Bool) throws {
        let text = "PUT / HTTP/\(version)\r\nHost: a\r\n\(field)\r\nExpect: 100-Continue\r\n\r\n"
        #expect(try facts(text).expectsContinue == expects)
    }

    @Test func http10NeedsNoHost() throws {
        #expect(try facts("GET / HTTP/1.0\r\n\r\n").version == .http10)
    }

    @Test func nextRequestIsLeftInTheBuffer() throws {
        let first = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try facts(first + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n").headBytes == first.utf8.count)
    }
}
