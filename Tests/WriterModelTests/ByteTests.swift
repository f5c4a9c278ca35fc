import Testing
import WriterModel

/// What is judged is what libav and the kernel read: bytes.
@Suite struct ByteTests {
    // A mark combines with the character before it, for Swift.
    @Test func marksDoNotHideTheParts() {
        let url = URLParts("rtmp://user\u{301}@h:1\u{301}/app/\u{301}key?\u{338}a=\u{338}b")
        #expect(url?.user == "user\u{301}")
        #expect(url?.host == "h")
        #expect(url?.query == "\u{338}a=\u{338}b")
        #expect(URLParts("rtmp://\u{301}h/x")?.host == "\u{301}h")
        #expect(URLParts("rtmp:/\u{301}/h") == nil)
        #expect(URLParts("http://h?\u{301}x")?.rest == "?\u{301}x")
    }

    // U+212A is K for Swift, and k once it is made small.
    @Test func theKelvinSignIsNoLetter() throws {
        #expect(URLParts("\u{212A}://h") == nil)
        let permit = try OutputPolicy(patterns: ["http://kelvin/*"]).permit("http://KELVIN/x").get()
        #expect(permit.covers(host: "KELVIN", port: 80))
        #expect(!permit.covers(host: "\u{212A}elvin", port: 80))
        #expect(!OutputPolicy(patterns: ["http://h/K"]).allows("http://h/\u{212A}"))
        #expect(!SecretOption.isSecret("\u{212A}ey"))
    }

    @Test func namesOfOtherBytesAreOtherMembers() throws {
        let text = "{\"\u{E9}\": 1, \"e\u{301}\": 2, \"K\": 3, \"\u{212A}\": 4}"
        let object = try #require(try JSONParser.parse(Array(text.utf8)).objectValue)
        #expect(object.members.count == 4)
        #expect(object["e\u{301}"] == 2)
        #expect(object["\u{212A}"] == 4)
        #expect(throws: JSONError.self) { try JSONParser.parse(Array("{\"\u{E9}\": 1, \"\u{E9}\": 2}".utf8)) }
        let other = "{\"e\u{301}\": 2, \"\u{E9}\": 1, \"\u{212A}\": 4, \"K\": 3}"
        let prints = try [text, other].map { CreationFingerprint.of(try JSONParser.parse(Array($0.utf8))) }
        #expect(prints[0] == prints[1], "the order of members is none")
    }

    @Test func aParameterThatOnlyLooksKnownIsUnknown() throws {
        var reader = try FieldReader(["K\u{301}": 1])
        _ = reader.value("\u{1E30}")
        #expect(throws: Problem.self) { try reader.finish() }
    }

    /// CR LF is one character, and neither CR nor LF alone is in a set that holds it.
    @Test(arguments: ["\r\n", "\n", "\r"])
    func wordsOfHeadersAreSecretWhateverEndsTheLine(end: String) {
        let redaction = Redaction(destination: nil, options: [["headers": "X-Key: abcdefgh\(end)Accept: everything\(end)"]])
        #expect(redaction.apply(to: "it said abcdefgh, and") == "it said ***, and")
    }
}
