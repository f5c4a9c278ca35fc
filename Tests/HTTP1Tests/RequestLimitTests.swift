import HTTP1
import Testing

@Suite struct RequestLimitTests {
    private var small: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxTargetBytes = 40
        limits.maxHeadBytes = 300
        limits.maxFieldCount = 5
        return limits
    }

    private func request(targetBytes: Int) -> String {
        "GET /" + String(repeating: "a", count: targetBytes - 1) + " HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    private func expectRefusal(_ text: String, _ reason: HTTPParseError.Reason, _ status: Int, limit: Int?) {
        let expected = HTTPParseError(reason, limit: limit)
        #expect(RequestOutcome.agreed(text, limits: small) == .refused(expected))
        #expect(expected.status.code == status)
    }

    @Test func targetMayBeAsLongAsTheLimit() {
        #expect(RequestOutcome.agreed(request(targetBytes: 40), limits: small)?.facts != nil)
        expectRefusal(request(targetBytes: 41), .targetTooLong, 414, limit: 40)
        expectRefusal(request(targetBytes: 400), .targetTooLong, 414, limit: 40)
    }

    @Test func longTargetIsRefusedBeforeItsEnd() {
        expectRefusal("GET /" + String(repeating: "a", count: 80), .targetTooLong, 414, limit: 40)
        expectRefusal("\r\n\r\nGET /" + String(repeating: "a", count: 80), .targetTooLong, 414, limit: 40)
    }

    @Test func longMethodIsUnknownBeforeItsEnd() {
        expectRefusal(String(repeating: "A", count: 100), .unknownMethod, 501, limit: nil)
    }

    @Test func longVersionIsMalformedBeforeItsEnd() {
        expectRefusal("GET / HTTP/1." + String(repeating: "1", count: 100), .malformedVersion, 400, limit: nil)
    }

    @Test func headMayBeAsLongAsTheLimit() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let end = "\r\n\r\n"
        func head(bytes: Int) -> String {
            start + String(repeating: "x", count: bytes - start.utf8.count - end.utf8.count) + end
        }
        #expect(RequestOutcome.agreed(head(bytes: 300), limits: small)?.facts?.headBytes == 300)
        expectRefusal(head(bytes: 301), .headTooLarge, 431, limit: 300)
        let cutOff = [UInt8](head(bytes: 400).utf8.prefix(300))
        #expect(RequestOutcome.agreed(cutOff, limits: small) == .refused(HTTPParseError(.headTooLarge, limit: 300)))
        #expect(RequestOutcome.agreed(cutOff.dropLast(), limits: small) == .needsMore)
    }

    @Test func headLimitBelowTheTargetLimitIsKept() {
        var limits = small
        limits.maxTargetBytes = 10_000
        let outcome = RequestOutcome.agreed(request(targetBytes: 1000), limits: limits)
        #expect(outcome == .refused(HTTPParseError(.headTooLarge, limit: 300)))
    }

    @Test func fieldsMayBeAsManyAsTheLimit() {
        func head(fields: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: fields - 1)
        }
        #expect(RequestOutcome.agreed(head(fields: 5) + "\r\n", limits: small)?.facts?.fields.count == 5)
        expectRefusal(head(fields: 6), .tooManyFields, 431, limit: 5)
    }

    @Test func defaultsAreWhatTheyAreSaidToBe() {
        func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }
        let long = bytes(request(targetBytes: 8_193))
        let longest = bytes(request(targetBytes: 8_192))
        #expect(RequestOutcome(longest, cuts: [longest.count]).facts != nil)
        for cuts in [[long.count], Array(1...long.count)] {
            #expect(RequestOutcome(long, cuts: cuts) == .refused(HTTPParseError(.targetTooLong, limit: 8_192)))
        }
        let large = bytes("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 40_000))
        for cuts in [[large.count], Array(1...large.count)] {
            #expect(RequestOutcome(large, cuts: cuts) == .refused(HTTPParseError(.headTooLarge, limit: 32_768)))
        }
    }
}
