import HTTP1
import Testing

/// Each case whole, a byte at a time, and split at every position.
@Suite struct ChunkedDecoderTests {
    @Test(arguments: [
        ("0\r\n\r\n", ""),
        ("000\r\n\r\n", ""),
        ("4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", "Wikipedia"),
        ("a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij"),
        ("0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ("3;a\r\nabc\r\n0;b\r\n\r\n", "abc"),
        ("3;a=b;c=d\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3 ; a = b ;c\t=\td\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3;a=\"b\";c\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3;a=\"b;\\\"c\\\\ \td\" ; e\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3;a=\"\"\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", "abc"),
        ("3\r\nabc\r\n0\r\nX-Sum:\r\nY:\t a\tb \r\n\r\n", "abc"),
        ("3\r\nabc\r\n0\r\nContent-Lengths: 1\r\nTransfer-Encoding-X: 1\r\n\r\n", "abc"),
    ])
    func bodyOfTheGrammarIsDecoded(_ body: String, _ data: String) {
        let next = "GET / HTTP/1.1\r\n"
        let outcome = ChunkedOutcome.agreed(body + next)
        #expect(outcome?.text == data)
        #expect(outcome?.end == .ended(consumed: body.utf8.count))
    }

    @Test(arguments: [
        ("\r\n", HTTPParseError.Reason.badChunkSize),
        (";a\r\n", .badChunkSize),
        (" 3\r\n", .badChunkSize),
        ("+3\r\n", .badChunkSize),
        ("-3\r\n", .badChunkSize),
        ("0x3\r\n", .badChunkSize),
        ("g\r\n", .badChunkSize),
        ("3g\r\n", .badChunkSize),
        ("3,3\r\n", .badChunkSize),
        ("3\0\r\n", .badChunkSize),
        ("３\r\n", .badChunkSize),
        ("00000000000000003\r\n", .badChunkSize),
        ("8000000000000000\r\n", .chunkTooLarge),
        ("ffffffffffffffff\r\n", .chunkTooLarge),
        ("3\n", .bareLF),
        ("3\ra", .bareCR),
        ("3;a\n", .bareLF),
        ("3;a=\"\n", .bareLF),
        ("3;a=b\ra", .bareCR),
        ("3 \r\n", .badChunkExtension),
        ("3 a\r\n", .badChunkExtension),
        ("3;\r\n", .badChunkExtension),
        ("3;;a\r\n", .badChunkExtension),
        ("3;=a\r\n", .badChunkExtension),
        ("3;a=\r\n", .badChunkExtension),
        ("3;a=;b\r\n", .badChunkExtension),
        ("3;a b\r\n", .badChunkExtension),
        ("3;a \r\n", .badChunkExtension),
        ("3;a=b \r\n", .badChunkExtension),
        ("3;a=b c\r\n", .badChunkExtension),
        ("3;a=b\"c\"\r\n", .badChunkExtension),
        ("3;a=\"b\"c\r\n", .badChunkExtension),
        ("3;a=\"b\r\n", .badChunkExtension),
        ("3;a=\"\\\r\n", .badChunkExtension),
        ("3;a=\"\0\"\r\n", .badChunkExtension),
        ("3;a\0\r\n", .badChunkExtension),
        ("3;(a)\r\n", .badChunkExtension),
        ("3;ä\r\n", .badChunkExtension),
        ("3\r\nabcd", .missingChunkEnd),
        ("3\r\nabc\n", .missingChunkEnd),
        ("3\r\nabc\r0", .missingChunkEnd),
        ("3\r\nabc0\r\n", .missingChunkEnd),
        ("0\r\n\n", .bareLF),
        ("0\r\n\r\r", .bareCR),
        ("0\r\n : a\r\n", .foldedLine),
        ("0\r\nX: a\r\n b\r\n", .foldedLine),
        ("0\r\n: a\r\n", .badFieldName),
        ("0\r\nX(: a\r\n", .badFieldName),
        ("0\r\n(X: a\r\n", .badFieldName),
        ("0\r\nX : a\r\n", .whitespaceInFieldName),
        ("0\r\nX\r\n", .missingColon),
        ("0\r\nX\n", .bareLF),
        ("0\r\nX\0: a\r\n", .controlByte),
        ("0\r\nX: a\0\r\n", .controlByte),
        ("0\r\nX: a\u{7F}\r\n", .controlByte),
        ("0\r\nX: a\n", .bareLF),
        ("0\r\nX: a\rb", .bareCR),
        ("0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer),
        ("0\r\ntransfer-encoding: chunked\r\n\r\n", .forbiddenTrailer),
        ("0\r\nX: a\r\nHOST: a\r\n\r\n", .forbiddenTrailer),
        ("0\r\nAuthorization: Bearer a\r\n\r\n", .forbiddenTrailer),
        ("0\r\nProxy-Authorization: a\r\n\r\n", .forbiddenTrailer),
        ("0\r\nTE: a\r\n\r\n", .forbiddenTrailer),
    ])
    func bodyOutsideTheGrammarIsRefused(_ body: String, _ reason: HTTPParseError.Reason) {
        let outcome = ChunkedOutcome.agreed(body)
        #expect(outcome?.end == .refused(HTTPParseError(reason)))
        #expect(HTTPParseError(reason).status == .badRequest)
    }

    @Test(arguments: ["", "3", "3\r", "3\r\n", "3\r\nab", "3\r\nabc\r", "0\r\n", "0\r\n\r", "0\r\nX: a\r\n", "3;a=\""])
    func bodyCutOffNeedsMore(_ body: String) {
        #expect(ChunkedOutcome.agreed(body)?.end == .needsMore)
    }

    @Test func lengthIsTheRestOfTheChunkNotOfTheBuffer() throws {
        var decoder = ChunkedDecoder(limits: HTTPLimits())
        let start = [UInt8]("7fffffffffffffff;a\r\nab".utf8)
        let first = try start.withUnsafeBytes { try decoder.next($0) }
        #expect(first == .data(consumed: 20, length: .max))
        decoder.consumedData(2)
        #expect(decoder.remainingInChunk == UInt64(Int64.max) - 2)
        // The data goes from the socket to the caller, and the decoder is asked again with nothing.
        #expect(try decoder.next(UnsafeRawBufferPointer(start: nil, count: 0)) == .data(consumed: 0, length: .max - 2))
        decoder.consumedData(.max - 2)
        #expect(decoder.remainingInChunk == 0)
        let end = [UInt8]("\r\n0\r\n\r\n".utf8)
        #expect(try end.withUnsafeBytes { try decoder.next($0) } == .end(consumed: 7))
        #expect(try end.withUnsafeBytes { try decoder.next($0) } == .end(consumed: 0))
    }

    @Test func chunkLineMayBeAsLongAsTheLimit() {
        var limits = HTTPLimits()
        limits.maxChunkLineBytes = 20
        let longest = "1;" + String(repeating: "a", count: 18)
        #expect(ChunkedOutcome.agreed("\(longest)\r\nx\r\n\(longest)\r\nx\r\n0\r\n\r\n", limits: limits)?.text == "xx")
        let refusal = ChunkedOutcome.End.refused(HTTPParseError(.chunkLineTooLong, limit: 20))
        #expect(ChunkedOutcome.agreed("\(longest)a", limits: limits)?.end == refusal)
        #expect(ChunkedOutcome.agreed("1;a=\"" + String(repeating: "a", count: 90), limits: limits)?.end == refusal)
        #expect(ChunkedOutcome.agreed("1" + String(repeating: " ", count: 90), limits: limits)?.end == refusal)
    }

    @Test func extensionsOfAllChunksTogetherAreLimited() {
        var limits = HTTPLimits()
        limits.maxChunkExtensionBytes = 100
        let chunk = "1;aaaaaaaaaa\r\nx\r\n"
        let most = ChunkedOutcome.agreed(String(repeating: chunk, count: 10) + "0\r\n\r\n", limits: limits)
        #expect(most?.data.count == 10)
        #expect(most?.end != .needsMore)
        let outcome = ChunkedOutcome.agreed(String(repeating: chunk, count: 11), limits: limits)
        #expect(outcome?.end == .refused(HTTPParseError(.tooManyChunkExtensions, limit: 100)))
        #expect(outcome?.data.count == 10)
    }

    @Test func trailersAreLimited() {
        var limits = HTTPLimits()
        limits.maxTrailerBytes = 60
        limits.maxFieldCount = 3
        let field = "X: yyyyyyyyyyyyy\r\n"
        #expect(ChunkedOutcome.agreed("0\r\n\(field)\(field)\(field)\r\n", limits: limits)?.end == .ended(consumed: 59))
        let long = ChunkedOutcome.agreed("0\r\nX: " + String(repeating: "y", count: 90), limits: limits)
        #expect(long?.end == .refused(HTTPParseError(.trailersTooLarge, limit: 60)))
        let many = ChunkedOutcome.agreed("0\r\n" + String(repeating: "X:\r\n", count: 4), limits: limits)
        #expect(many?.end == .refused(HTTPParseError(.tooManyFields, limit: 3)))
        #expect(HTTPParseError(.trailersTooLarge, limit: 60).status.code == 431)
    }

    @Test func whatTheEncoderFramesIsDecodedAgainHoweverItIsCut() {
        var random = Xorshift(seed: 7)
        for _ in 0..<200 {
            let data = (0..<random.below(5_000)).map { _ in UInt8(random.below(256)) }
            var body: [UInt8] = []
            var position = 0
            while position < data.count {
                let size = min(1 + random.below(700), data.count - position)
                ChunkedEncoder.appendHeader(size: size, to: &body)
                body += data[position..<position + size] + ChunkedEncoder.chunkEnd
                position += size
            }
            body += ChunkedEncoder.terminator
            for _ in 0..<5 {
                let outcome = ChunkedOutcome(body, cuts: random.cuts(of: body.count))
                #expect(outcome.data == data)
                #expect(outcome.end == .ended(consumed: body.count))
            }
        }
    }
}
