import Foundation
import Testing

extension EndToEnd {
    /// Bodies that are no honest JSON.
    @Suite struct JSONAbuseTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let body: Data
            let status: Int
            let problem: String
            /// Where, as the problem says it.
            var pointer: String?

            init(_ name: String, _ text: String, _ status: Int, _ problem: String, at pointer: String? = nil) {
                self.init(name, Data(text.utf8), status, problem, at: pointer)
            }

            init(_ name: String, _ body: Data, _ status: Int, _ problem: String, at pointer: String? = nil) {
                testDescription = name
                self.body = body
                self.status = status
                self.problem = problem
                self.pointer = pointer
            }
        }

        private static func stream(_ member: String) -> String {
            #"{"format":"wav","streams":[{"type":"audio","sample_rate":8000,"num_channels":1,\#(member)}]}"#
        }

        static let cases = [
            Case("33 levels", String(repeating: "[", count: 34) + String(repeating: "]", count: 34), 400, "malformed-json"),
            Case("60,000 levels", String(repeating: "[", count: 60_000), 400, "malformed-json"),
            Case(
                "60,000 levels of objects", String(repeating: "{\"a\":", count: 12_000), 400, "malformed-json"),
            Case("a member twice", #"{"format":"wav","format":"mp4"}"#, 400, "malformed-json"),
            Case("a member twice, once escaped", #"{"format":"wav","\u0066ormat":"mp4"}"#, 400, "malformed-json"),
            Case("a member twice, deep", stream(#""codec_config":{"bit_rate":1,"bit_rate":2}"#), 400, "malformed-json"),
            Case("a number beyond all", stream(#""sample_rate_":1e999"#), 400, "malformed-json"),
            Case("a huge whole number", #"{"format":"wav","buffer_size":99999999999999999999999999}"#, 422, "invalid-parameter", at: "/buffer_size"),
            Case("a long number", #"{"format":"wav","buffer_size":1\#(String(repeating: "0", count: 50_000))}"#, 400, "malformed-json"),
            Case("a fraction for a count", stream(#""encoder_num_channels":1.5"#), 422, "invalid-parameter", at: "/streams/0/encoder_num_channels"),
            Case("a negative count", stream(#""encoder_num_channels":-1"#), 422, "invalid-parameter", at: "/streams/0/encoder_num_channels"),
            Case("a string for a number", stream(#""encoder_sample_rate":"8000""#), 422, "invalid-parameter", at: "/streams/0/encoder_sample_rate"),
            Case("a list for an object", stream(#""encoder_option":[]"#), 422, "invalid-parameter", at: "/streams/0/encoder_option"),
            Case("an unknown member", stream(#""colour":1"#), 422, "unknown-parameter", at: "/streams/0/colour"),
            Case("a member with a slash", stream(#""a/b~c":1"#), 422, "unknown-parameter", at: "/streams/0/a~1b~0c"),
            Case("more than the limit", #"{"format":"\#(String(repeating: "a", count: 70_000))"}"#, 413, "payload-too-large"),
            Case("no UTF-8", Data([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]), 400, "malformed-json"),
            Case("an overlong UTF-8 sequence", Data([0x22, 0xC0, 0xAF, 0x22]), 400, "malformed-json"),
            Case("half a surrogate pair", #"{"format":"\ud800"}"#, 400, "malformed-json"),
            Case("a byte order mark", "\u{FEFF}{}", 400, "malformed-json"),
            Case("two values", "{}{}", 400, "malformed-json"),
            Case("a trailing comma", #"{"format":"wav",}"#, 400, "malformed-json"),
            Case("NaN", #"{"buffer_size":NaN}"#, 400, "malformed-json"),
            Case("a control character", "{\"format\":\"wa\nv\"}", 400, "malformed-json"),
            Case("a NUL", Data("{\"format\":\"wa\0v\"}".utf8), 400, "malformed-json"),
            Case("an escaped NUL", #"{"format":"wa\u0000v"}"#, 422, "invalid-parameter", at: "/format"),
            Case("an escaped NUL in dst", #"{"dst":"a\u0000.wav"}"#, 422, "invalid-parameter", at: "/dst"),
        ]

        /// One server for all: none may leave a writer, or the server worse.
        @Test func everyAbuseIsRefusedByNameAndPlace() async throws {
            try await withServer { server in
                for example in Self.cases {
                    let answer = try await server.curl(
                        "POST", "/v1/writers", headers: ["Content-Type: application/json"], body: .bytes(example.body))
                    let context = Comment(rawValue: "\(example.testDescription): \(answer.status) \(answer.text)")
                    #expect(answer.status == example.status, context)
                    #expect(answer.problem == example.problem, context)
                    if let pointer = example.pointer { #expect(answer.json["pointer"].string == pointer, context) }
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"] == [])
                try await server.expectWell()
            }
        }
    }
}
