import Testing
import WriterModel

@Suite struct JSONTests {
    static let accepted: [(String, JSONValue)] = [
        ("null", .null), (" true ", true), ("\t\r\nfalse\n", false),
        ("0", 0), ("-0", 0), ("-12", -12), ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)),
        // Beyond 64 bits a number is a double, as RFC 8259 §6 expects of readers.
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.0", .number(1)), ("1e2", .number(100)),
        ("1E+2", .number(100)), ("25e-2", .number(0.25)), ("-1.5e3", .number(-1_500)), ("1e-400", .number(0)),
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"), (#""\u0041\u00e9\u0000""#, "Aé\0"),
        (#""\uD834\uDD1E""#, "𝄞"), (#""𝄞 é""#, "𝄞 é"), ("\"\u{7F}\"", "\u{7F}"),
        ("[]", []), ("[ ]", []), ("[1,[2],{}]", [1, [2], [:]]), ("{}", [:]),
        (#"{ "a" : 1 , "b" : [ ] }"#, ["a": 1, "b": []]), (#"{"":null}"#, ["": .null]),
    ]

    @Test(arguments: accepted)
    func isAccepted(text: String, value: JSONValue) throws { #expect(try JSONParser.parse(Array(text.utf8)) == value) }

    static let refused: [(String, offset: Int)] = [
        ("", 0), (" ", 1), ("nul", 0), ("True", 0), ("NaN", 0), ("Infinity", 0), ("-", 1), ("+1", 0), ("01", 0),
        ("-01", 1), (".5", 0), ("1.", 2), ("1e", 2), ("1e+", 3), ("0x10", 1), ("1 2", 2), ("1e999", 0), ("'a'", 0),
        (#"""#, 1), (#""\x""#, 3), (#""\u12""#, 3), (#""\u+123""#, 3), (#""\uD800""#, 7), (#""\uDC00""#, 7),
        (#""\uD800\u0041""#, 13), ("\"a\nb\"", 2), ("\"\u{1F}\"", 1), ("[", 1), ("[1", 2), ("[1,]", 3), ("[,1]", 1),
        ("[1 2]", 3), ("{", 1), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7), ("{a:1}", 1), ("{1:1}", 1),
        (#"{"a":1,"a":2}"#, 10), (#"{"a":1,"\u0061":2}"#, 15), ("[1]]", 3), ("\u{FEFF}1", 0), ("// x\n1", 0),
    ]

    @Test(arguments: refused)
    func isRefused(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
        #expect(error?.offset == offset)
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82]])
    func whatIsNotUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> [UInt8] { Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8) }
        _ = try JSONParser.parse(nested(JSONParser.maxDepth))
        #expect(throws: JSONError.self) { try JSONParser.parse(nested(JSONParser.maxDepth + 2)) }
        #expect(throws: JSONError.self) { try JSONParser.parse([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) }
    }

    @Test func whatIsWrittenIsReadBackTheSame() throws {
        var random = Random(state: 42)
        for _ in 0..<5_000 {
            let value = random.value(depth: 4)
            #expect(try JSONParser.parse(value.encoded) == value)
        }
    }

    @Test func noPrefixOfATextIsAText() throws {
        var random = Random(state: 7)
        for _ in 0..<300 {
            let bytes = JSONValue.array([random.value(depth: 3)]).encoded
            for count in 0..<bytes.count { #expect(throws: JSONError.self) { try JSONParser.parse(Array(bytes[..<count])) } }
        }
    }

    @Test func controlCharactersAndQuotesAreEscaped() {
        #expect(JSONValue.string("\u{0}\u{1F}\"\\\n\r\t/é").description == #""\u0000\u001f\"\\\n\r\t/é""#)
        #expect(JSONValue.number(.infinity).description == "null")
        #expect(JSONValue.number(1e21).description == "1e+21")
    }

    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }

        mutating func text() -> String {
            let alphabet: [Character] = ["a", "\"", "\\", "/", "\n", "\0", "\u{1F}", "\u{7F}", "é", "𝄞", "\u{301}", "~"]
            return String((0..<Int.random(in: 0...6, using: &self)).map { _ in alphabet.randomElement(using: &self)! })
        }

        mutating func value(depth: Int) -> JSONValue {
            switch Int.random(in: 0...(depth > 0 ? 7 : 4), using: &self) {
            case 0: return .null
            case 1: return .bool(Bool.random(using: &self))
            case 2: return .integer(Int64(bitPattern: next()))
            case 3:
                let number = Double(bitPattern: next())
                return .number(number.isFinite ? number : 0.1)
            case 4: return .string(text())
            case 5, 6: return .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth - 1) })
            default:
                var object = JSONObject()
                for _ in 0..<Int.random(in: 0...4, using: &self) { object[text()] = value(depth: depth - 1) }
                return .object(object)
            }
        }
    }
}
