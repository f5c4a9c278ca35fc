import Testing
import WriterModel

@Suite struct ModelTests {
    // From `date -u -d @N`.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199, "2024-02-29T23:59:59.000Z"), (1_709_251_200, "2024-03-01T00:00:00.000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z"), (4_107_542_399, "2100-02-28T23:59:59.000Z"),
        (1_234_567_890, "2009-02-13T23:31:30.000Z"), (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
    ])
    func momentsHaveTheirDates(seconds: Int64, text: String) {
        #expect(Timestamp(secondsSinceEpoch: seconds, nanoseconds: 0).description == text)
    }

    @Test func momentsSortByTimeToTheMillisecond() {
        let early = Timestamp(secondsSinceEpoch: 1_000, nanoseconds: 999_999)
        let late = Timestamp(secondsSinceEpoch: 1_000, nanoseconds: 1_000_000)
        #expect(early < late)
        #expect(early.description.hasSuffix(".000Z") && late.description.hasSuffix(".001Z"))
        #expect(Timestamp(late.description) == late)
        #expect(Timestamp("yesterday") == nil)
    }

    @Test(arguments: ["a", "A-z_9", "-", "0", String(repeating: "x", count: 64)])
    func isAnID(text: String) { #expect(WriterID(text)?.text == text) }

    @Test(arguments: ["", "a b", "a/b", "..", "a.b", "é", "a\0", "%41", String(repeating: "x", count: 65)])
    func isNoID(text: String) { #expect(WriterID(text) == nil) }

    @Test func madeIDsDiffer() {
        let ids = Set((0..<1_000).map { _ in WriterID.random() })
        #expect(ids.count == 1_000)
        #expect(ids.allSatisfy { WriterID($0.text) != nil })
    }

    @Test(arguments: ["n1", "penstock-0", "A_b", String(repeating: "x", count: 37)])
    func anIDOfANodeBeginsWithItsNameAndIsAnID(node: String) throws {
        let name: NodeName = try #require(NodeName(node))
        let id = WriterID.random(of: name).text
        #expect(id.wholeMatch(of: /(.+)-w_[0-9a-z]{24}/)?.1 == Substring(node))
        #expect(WriterID(id) != nil)
    }

    @Test(arguments: ["", "-a", "_a", "a.b", "a b", "é", "a/b", String(repeating: "x", count: 38)])
    func isNoNameOfANode(text: String) { #expect(NodeName(text) == nil) }

    @Test func aFingerprintIsOfTheMembersAndNotTheirOrder() throws {
        func fingerprint(_ text: String) throws -> String { CreationFingerprint.of(try JSONParser.parse(Array(text.utf8))) }
        let one = try fingerprint(#"{"dst":"a","metadata":{"x":"1","y":"2"},"streams":[{"type":"audio"},{}]}"#)
        #expect(try fingerprint(#"{ "streams":[{"type":"audio"},{}], "metadata":{"y":"2","x":"1"}, "dst":"a"}"#) == one)
        for other in [
            #"{"dst":"b","metadata":{"x":"1","y":"2"},"streams":[{"type":"audio"},{}]}"#,
            #"{"dst":"a","metadata":{"x":"1","y":"2"},"streams":[{},{"type":"audio"}]}"#,
            #"{"dst":"a","metadata":{"x":"1","y":2},"streams":[{"type":"audio"},{}]}"#,
            #"{"dst":"a","metadata":{"x":"1","y":"2"},"streams":[{"type":"audio"},null]}"#,
        ] { #expect(try fingerprint(other) != one) }
        // Null counts as absent.
        #expect(try fingerprint(#"{"dst":"a","format":null,"metadata":{"x":"1","y":"2","z":null},"streams":[{"type":"audio","encoder":null},{}]}"#) == one)
    }

    @Test func aProblemIsRFC9457() throws {
        let problem = Problem(
            .unknownEncoder, "There is no encoder \"x\".", parameter: "encoder", supported: ["aac", "mp3"],
            libavError: "Encoder not found", log: ["one"], extras: [("pointer", "/encoder")])
        let expected: JSONValue = [
            "type": "urn:penstock:problem:unknown-encoder", "title": "There is no such encoder", "status": 422,
            "detail": "There is no encoder \"x\".", "parameter": "encoder", "supported": ["aac", "mp3"],
            "libav_error": "Encoder not found", "log": ["one"], "pointer": "/encoder",
        ]
        #expect(problem.json == expected)
        #expect(Problem(.overloaded, "x").json.objectValue?.members.map(\.name) == ["type", "title", "status", "detail"])
    }

    @Test(arguments: ProblemCode.allCases)
    func everyCodeIsAnErrorWithAWordForIt(code: ProblemCode) {
        #expect((400...599).contains(code.status))
        #expect(!code.title.isEmpty)
        #expect(code.rawValue.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D })
    }
}
