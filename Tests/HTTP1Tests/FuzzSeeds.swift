import HTTP1

extension FuzzTests {
    static var smallLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxLeadingEmptyLines = 1
        limits.maxTargetBytes = 50
        limits.maxHeadBytes = 200
        limits.maxFieldCount = 4
        limits.maxChunkLineBytes = 16
        limits.maxChunkExtensionBytes = 24
        limits.maxTrailerBytes = 24
        return limits
    }

    static let heads = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\r\nGET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "PUT http://example.com:80/v1/writers/a%2Fb?x=%41&y=+ HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/writers/w_1/streams/0/chunks?pts=1.5 HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1024\r\n"
            + "Content-Type: application/octet-stream\r\nUpload-Offset: 0\r\n\r\n",
        "POST /v1/encode?format=mp3 HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n"
            + "Expect: 100-continue\r\nConnection: close, TE\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "GET /v1/writers?limit=10 HTTP/1.1\r\nhost:127.0.0.1\r\nuser-agent: curl/8.5.0\r\naccept: */*\r\n"
            + "authorization: Bearer abcdefghijklmnop\r\nx-empty:\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ]

    static let headTokens = [
        "\r\n", "\r", "\n", " ", "\t", ":", "\0", "\u{7F}", "\r\n\r\n", "\r\n ",
        "/", "//", "/.", "/..", "/%2e", "%", "%00",
        "%2F", "%ff", "?", "&", "=", "#", "*", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HEAD ", "CONNECT ", "http://", "@",
        "[", "]", "é", ",", "5", "+", "18446744073709551616", "chunked", "gzip, ", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Host: a\r\n", "Connection: close\r\n",
        "Expect: 100-continue\r\n", "X: y\r\n",
    ]

    static let bodies = [
        "0\r\n\r\n",
        "5\r\nabcde\r\n0\r\n\r\n",
        "5;name=value\r\nabcde\r\nA;q=\"a\\\"b\"\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
        "1\r\na\r\n2\r\nbc\r\n003\r\ndef\r\n0\r\nX-Sum: 1\r\nY:\tz\r\n\r\n",
        "20\r\n0123456789abcdef0123456789abcdef\r\n0;last\r\n\r\n",
        "7fffffffffffffff\r\nabc",
    ]

    static let bodyTokens = [
        "\r\n", "\r", "\n", " ", "\t", ";", "=", "\"", "\\", ":", "\0", "0", "1", "f", "g", "+", "-", "0x",
        ";a=b", ";a=\"b\"",
        "0\r\n", "0\r\n\r\n", "5\r\nabcde\r\n", "ffffffffffffffff", "00000000", "Content-Length: 5\r\n", "X: y\r\n",
    ]
}
