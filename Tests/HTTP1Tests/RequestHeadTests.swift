import HTTP1
import Testing

@Suite struct RequestHeadTests {
    @Test func lookUpIgnoresCase() throws {
        let head = try RequestHead.parsed("GET / HTTP/1.1\r\nhOsT: Example.com\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
        #expect(head.field("Host") == "Example.com")
        #expect(head.field("X-A") == "1")
        #expect(head.fields("x-A") == ["1", "2"])
        #expect(head.field("X") == nil)
        #expect(head.fields("X-AB") == [])
        #expect(head.hasField("HOST"))
        #expect(!head.hasField("Hos"))
        #expect(head.field("host", equalsIgnoringCase: "EXAMPLE.COM"))
        #expect(!head.field("host", equalsIgnoringCase: "example.co"))
        #expect(!head.field("X-A", equalsIgnoringCase: "2"))
        #expect(!head.field("Y", equalsIgnoringCase: ""))
    }

    @Test func onlyLettersHaveCase() throws {
        // "^" and "~", "_" and DEL, "`" and "@" differ by the same bit as letters of the two cases.
        let head = try RequestHead.parsed("GET / HTTP/1.1\r\nHost: a\r\nX^: 1\r\n\r\n")
        #expect(head.hasField("x^"))
        #expect(!head.hasField("X~"))
    }

    @Test func bytesThatAreNotUTF8AreReplacedInAValue() throws {
        let bytes = [UInt8]("GET / HTTP/1.1\r\nHost: a\r\nX: caf".utf8) + [0xE9] + [UInt8]("\r\n\r\n".utf8)
        let facts = try #require(RequestOutcome.agreed(bytes)?.facts)
        #expect(facts.fields[1] == ["X", "caf\u{FFFD}"])
    }

    @Test func headOutlivesTheBytesItWasParsedFrom() throws {
        var bytes = [UInt8]("GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n".utf8)
        let result = try bytes.withUnsafeBytes { try RequestParser.parse($0, limits: HTTPLimits()) }
        bytes.withUnsafeMutableBytes { for index in $0.indices { $0[index] = 0 } }
        guard case .complete(let head, _) = result else { return #expect(Bool(false), "incomplete") }
        #expect(head.field("X") == "y")
        #expect(head.target.rawPath == "/a")
    }

    /// Who spells it another way is no other client.
    @Test func credentialsAreOneWhateverStandsBeforeThem() throws {
        func hash(_ value: String) throws -> Int? {
            let text = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: \(value)\r\n\r\n"
            return try RequestHead.parsed(text).credentialHash
        }
        let one = try hash("Bearer abc")
        for other in ["bearer abc", "BEARER   abc", "Bearer \t abc", "Bearer abc  ", "abc"] { #expect(try hash(other) == one, "\(other)") }
        for other in ["Bearer abd", "Bearer Abc", "Bearer abcc", "Bearer"] { #expect(try hash(other) != one, "\(other)") }
    }
}
