import HTTP1
import Testing

/// Each case whole, a byte at a time, and split at every position.
@Suite struct RequestRefusalTests {
    @Test(arguments: RefusedRequest.requestLines)
    func badRequestLineIsRefused(_ request: RefusedRequest) { expectRefusal(request) }

    @Test(arguments: RefusedRequest.targets)
    func badTargetIsRefused(_ request: RefusedRequest) { expectRefusal(request) }

    @Test(arguments: RefusedRequest.fields)
    func badFieldIsRefused(_ request: RefusedRequest) { expectRefusal(request) }

    @Test(arguments: RefusedRequest.hosts)
    func badHostIsRefused(_ request: RefusedRequest) { expectRefusal(request) }

    @Test(arguments: RefusedRequest.framings)
    func ambiguousFramingIsRefused(_ request: RefusedRequest) { expectRefusal(request) }

    @Test(arguments: (UInt8(0)...31).filter { ![9, 10, 13].contains($0) } + [127])
    func everyControlByteIsRefusedEverywhere(_ control: UInt8) {
        let head = [UInt8]("GET /v1/writers?limit=10 HTTP/1.1\r\nHost: example.com\r\nAccept: a\r\n\r\n".utf8)
        for index in head.indices {
            var bytes = head
            bytes[index] = control
            // In place of a line's LF the CR before it is what is wrong.
            let reason: HTTPParseError.Reason = head[index] == 10 ? .bareCR : .controlByte
            #expect(RequestOutcome(bytes, cuts: [bytes.count]) == .refused(HTTPParseError(reason)))
            #expect(RequestOutcome(bytes, cuts: 1...bytes.count) == .refused(HTTPParseError(reason)))
        }
    }

    @Test func onlyTokenCharactersMakeAFieldName() {
        // RFC 9110 §5.6.2.
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8(33)...255 where byte != UInt8(ascii: ":") && byte != 127 {
            let bytes = [UInt8]("GET / HTTP/1.1\r\nHost: a\r\nX".utf8) + [byte] + [UInt8]("Y: b\r\n\r\n".utf8)
            let outcome = RequestOutcome(bytes, cuts: [bytes.count])
            #expect((outcome.facts != nil) == token.contains(byte), "byte \(byte)")
        }
    }

    @Test func onlyURLCharactersMakeATarget() {
        // RFC 3986 §3.3 and §3.4.
        let segment = Set("-._~!$&'()*+,;=:@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8(33)...255 where byte != UInt8(ascii: "%") && byte != 127 {
            for (prefix, allowed) in [("/x", segment.union("/?".utf8)), ("/?x", segment.union("/?".utf8))] {
                let bytes = [UInt8]("GET \(prefix)".utf8) + [byte] + [UInt8](" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                let outcome = RequestOutcome(bytes, cuts: [bytes.count])
                #expect((outcome.facts != nil) == allowed.contains(byte), "byte \(byte)")
            }
        }
    }

    private func expectRefusal(_ request: RefusedRequest) {
        guard case .refused(let error) = RequestOutcome.agreed(request.bytes) else {
            Issue.record("not refused, or not the same however it arrives")
            return
        }
        #expect(error.reason == request.reason)
        #expect(error.status.code == request.status)
    }
}
