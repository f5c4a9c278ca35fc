import HTTP1
import Testing

@Suite struct HTTPParseErrorTests {
    @Test(arguments: HTTPParseError.Reason.allCases)
    func everyReasonHasAnErrorStatusAndAMessage(_ reason: HTTPParseError.Reason) {
        let error = HTTPParseError(reason)
        #expect((400...599).contains(error.status.code))
        #expect(!error.status.reasonPhrase.isEmpty)
        #expect(error.message.hasSuffix("."))
    }

    @Test func messageSaysTheLimitThatWasPassed() {
        #expect(HTTPParseError(.targetTooLong, limit: 8_192).message.hasSuffix("The limit is 8192."))
    }
}
