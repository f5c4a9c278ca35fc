import Testing

/// Raw request streams, each followed by the client's end, and every byte of the answers.
@Suite struct ExchangeTests {
    struct Case: CustomTestStringConvertible {
        let name: String
        let sent: String
        let answered: String
        var testDescription: String { name }

        init(_ name: String, _ sent: String, _ answered: String) {
            self.name = name
            self.sent = sent
            self.answered = answered
        }
    }

    static let hello = "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\n\r\nhello"
    static let helloClosing = "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

    static func refusal(_ status: String, _ text: String) -> String {
        "HTTP/1.1 \(status)\r\nDate: *\r\nContent-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)"
    }

    static let get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

    static let cases = [
        Case("aRequestAndTheEndTogetherAreAnswered", get, hello),
        Case("pipelinedRequestsBeforeTheEndAreAllAnswered", get + get + get, hello + hello + hello),
        Case("emptyLinesBetweenRequestsAreSkipped", get + "\r\n" + get, hello + hello),
        Case("aPartialHeadAtTheEndIsNoRequest", get + "GET /he", hello),
        Case(
            "closeIsTheLast", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get, helloClosing),
        Case("http10Closes", "GET /hello HTTP/1.0\r\n\r\n", helloClosing),
        Case(
            "http10KeepsAliveWhenAsked", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello" + hello),
        Case(
            "headHasTheHeadOfGet", "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\n\r\n" + hello),
        Case(
            "noContentHasNoLength", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nDate: *\r\n\r\n"),
        Case(
            "aBodyAndTheNextRequestInOnePacket",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get, hello + hello),
        Case(
            "aChunkedBodyAndTheNextRequest",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2;x=\"y\"\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n" + get, hello + hello),
        Case(
            "anEmptyChunkedBody",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 0\r\n\r\n" + hello),
        Case(
            "anUnreadBodyIsPassedOver",
            "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /" + get, hello + hello),
        Case(
            "anUnreadChunkedBodyIsPassedOver",
            "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n" + get,
            hello + hello),
        Case(
            "streamedPiecesAreChunks", "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n" + hello),
        Case(
            "streamedPiecesEndWithTheConnectionInHTTP10", "GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "HTTP/1.1 200 OK\r\nDate: *\r\nConnection: close\r\n\r\nonetwo"),
        Case(
            "headOfAStreamHasNoChunks", "HEAD /pieces HTTP/1.1\r\nHost: a\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n" + hello),
        Case(
            "aStreamThatBreaksHasNoLastChunk", "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n" + get,
            "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"),
        Case("nonsenseIsRefusedOnce", "nonsense\r\n\r\n" + get, refusal("400 Bad Request", "malformed-request-line")),
        Case("nonsenseAfterARequest", get + " GET / HTTP/1.1\r\n\r\n", hello + refusal("400 Bad Request", "malformed-request-line")),
        Case(
            "bothLengthsAreRefused",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            refusal("400 Bad Request", "length-and-transfer-encoding")),
        Case(
            "aBodyThatIsCutIsTold", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
            refusal("400 Bad Request", "bad")),
        // The decoder is out of step behind the bad chunk: what follows is not looked at.
        Case(
            "nothingBehindAMalformedChunkIsARequest",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n" + get,
            refusal("400 Bad Request", "bad")),
        Case(
            "nothingBehindABadChunkSizeIsARequest",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n\r\n" + get,
            refusal("400 Bad Request", "bad")),
        Case(
            "expectingIsNotAnsweredWithTheBodyRefused",
            "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            refusal("403 Forbidden", "no")),
        Case(
            "continueIsNeverSentOnceTheAnswerHasBegun",
            "POST /both HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Case(
            "expectIsIgnoredInHTTP10",
            "POST /echo HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", helloClosing),
    ]

    @Test(arguments: cases)
    func whole(_ example: Case) throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send(example.sent)
        client.finishSending()
        #expect(client.rest() == example.answered)
        #expect(!client.isBroken)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test(arguments: cases)
    func aByteAtATime(_ example: Case) throws {
        let server = try LiveServer()
        let client = try server.connect()
        for byte in example.sent.utf8 { client.send([byte]) }
        client.finishSending()
        #expect(client.rest() == example.answered)
        #expect(!client.isBroken)
    }

    @Test func continueIsSentWhenTheBodyIsRead() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n")
        #expect(client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hello" + Self.get)
        client.finishSending()
        #expect(client.rest() == Self.hello + Self.hello)
    }

    @Test func anHTTP10StreamThatBreaksIsReset() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send("GET /cut HTTP/1.0\r\n\r\n")
        _ = client.rest()
        #expect(client.isBroken)
    }
}
