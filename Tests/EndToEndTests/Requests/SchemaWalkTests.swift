import Foundation
import Testing
import Yams

extension EndToEnd {
    /// Every member of every request body that openapi.yaml has, with null, with values of other types, and with
    /// values beyond all bounds.
    @Suite struct SchemaWalkTests {
        /// A request body, or an object within one.
        private struct Subject: CustomStringConvertible {
            let schema: String
            /// How a body begins and ends around the object.
            let before: String
            let after: String
            /// Members that are always there.
            var base: [String: String] = [:]
            /// Of a problem, before the member's.
            var pointer = ""

            var description: String { schema }

            func body(_ members: [String: String]) -> String {
                let members = base.merging(members) { $1 }.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
                return before + "{" + members.joined(separator: ",") + "}" + after
            }
        }

        private static let audio = ["type": "\"audio\"", "sample_rate": "8000", "num_channels": "1"]
        private static let video = ["type": "\"video\"", "frame_rate": "25", "width": "64", "height": "48"]

        private static func stream(_ base: [String: String], _ member: String? = nil) -> (before: String, after: String) {
            let members = base.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
            return member.map { ("{\"dst\":\"a.mkv\",\"streams\":[{\(members),\"\($0)\":", "}]}") } ?? ("{\"dst\":\"a.mkv\",\"streams\":[", "]}")
        }

        private static let subjects: [Subject] = [
            Subject(schema: "WriterRequest", before: "", after: "", base: ["dst": "\"a.mkv\""]),
            Subject(
                schema: "OpenRequest", before: "{\"dst\":\"a.mkv\",\"streams\":[{\"type\":\"audio\",\"sample_rate\":8000,\"num_channels\":1}],\"open\":",
                after: "}", pointer: "/open"),
            Subject(schema: "AudioStreamRequest", before: stream(audio).before, after: stream(audio).after, base: audio, pointer: "/streams/0"),
            Subject(schema: "VideoStreamRequest", before: stream(video).before, after: stream(video).after, base: video, pointer: "/streams/0"),
            Subject(
                schema: "AudioCodecConfig", before: stream(audio, "codec_config").before, after: stream(audio, "codec_config").after,
                pointer: "/streams/0/codec_config"),
            Subject(
                schema: "VideoCodecConfig", before: stream(video, "codec_config").before, after: stream(video, "codec_config").after,
                pointer: "/streams/0/codec_config"),
            Subject(
                schema: "AudioRenditionRequest", before: stream(audio, "renditions").before + "[", after: "]" + stream(audio, "renditions").after,
                base: ["name": "\"a\""], pointer: "/streams/0/renditions/0"),
            Subject(
                schema: "VideoRenditionRequest", before: stream(video, "renditions").before + "[", after: "]" + stream(video, "renditions").after,
                base: ["name": "\"a\""], pointer: "/streams/0/renditions/0"),
        ]

        /// One value of each type of JSON.
        private static let values = [
            "boolean": "true", "integer": "7", "number": "1.5", "string": "\"x y\"", "array": "[]", "object": "{}",
        ]

        @Test func everyOptionalMemberThatIsNullCountsAsAbsentAndEveryNeededOneIsNamed() async throws {
            let schemas = try Schemas()
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                for subject in Self.subjects {
                    let (names, needed) = schemas.members(of: subject.schema)
                    let optional = names.subtracting(needed).subtracting(subject.base.keys)
                    let plain = try await Self.plan(subject.body([:]), on: connection)
                    let nulls = try await Self.plan(subject.body(Dictionary(uniqueKeysWithValues: optional.map { ($0, "null") })), on: connection)
                    #expect(plain.status == 200 && nulls.status == 200, "\(subject): \(plain.text) \(nulls.text)")
                    #expect(Self.lasting(nulls) == Self.lasting(plain), "\(subject)")
                    for name in needed {
                        let response = try await Self.plan(subject.body([name: "null"]), on: connection)
                        #expect(response.status == 422 && response.json["pointer"].string == "\(subject.pointer)/\(name)", "\(subject).\(name): \(response.text)")
                        #expect(response.json["detail"].string?.contains("is needed") == true, "\(response.text)")
                    }
                }
            }
        }

        /// The maps, whose members openapi.yaml says may be null, and the same request twice.
        @Test func nullInAMapIsNoMemberAndARequestWithItIsTheSame() async throws {
            let stream = "{\"type\":\"audio\",\"sample_rate\":8000,\"num_channels\":1,\"metadata\":{\"title\":null,\"n\":1},\"encoder_option\":{\"b\":null}}"
            let body = "{\"format\":\"matroska\",\"metadata\":{\"title\":null,\"artist\":\"a\"},\"streams\":[\(stream)],\"open\":{\"option\":{\"live\":null}}}"
            let without = body.replacingOccurrences(of: "\"title\":null,", with: "").replacingOccurrences(of: "\"b\":null", with: "")
                .replacingOccurrences(of: "\"live\":null", with: "")
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                let made = try await Self.put(body, "/v1/writers/a", on: connection)
                #expect(made.status == 201 && made.json["metadata"] == ["artist": "a"], "\(made.text)")
                #expect(made.json["streams"][0]["metadata"] == ["n": "1"] && made.json["streams"][0]["encoder_option"] == .null)
                #expect(try await Self.put(without, "/v1/writers/a", on: connection).status == 200)
                _ = try await Self.put("{\"format\":\"wav\"}", "/v1/writers/b", on: connection)
                let replaced = try await Self.put("{\"title\":null,\"artist\":\"b\"}", "/v1/writers/b/metadata", on: connection)
                #expect(replaced.json["metadata"] == ["artist": "b"], "\(replaced.text)")
            }
        }

        @Test func aMemberOfAnotherTypeIsRefusedByName() async throws {
            let schemas = try Schemas()
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                for subject in Self.subjects {
                    for name in schemas.members(of: subject.schema).names {
                        for (type, value) in Self.values where !schemas.takes(type, subject.schema, name) {
                            let response = try await Self.plan(subject.body([name: value]), on: connection)
                            let pointer = "\(subject.pointer)/\(name)"
                            #expect(response.status == 422 && response.json["pointer"].string == pointer, "\(subject).\(name) = \(value): \(response.text)")
                        }
                    }
                }
                for map in ["metadata", "open\":{\"option"] {
                    let end = map == "metadata" ? "}" : "}}"
                    for value in ["[]", "{}"] {
                        let response = try await Self.plan("{\"dst\":\"a.mkv\",\"\(map)\":{\"k\":\(value)}\(end)", on: connection)
                        #expect(response.status == 422 && response.json["pointer"].string?.hasSuffix("/k") == true, "\(map) \(value): \(response.text)")
                    }
                }
                for body in ["{\"dst\":\"a.mkv\",\"streams\":[null]}", "[]", "null", "7"] {
                    #expect(try await Self.plan(body, on: connection).status == 422, "\(body)")
                }
            }
        }

        /// Numbers beyond every range, and texts of 60,000 bytes, are the client's fault and never the server's.
        @Test func valuesBeyondAllBoundsAreRefused() async throws {
            let schemas = try Schemas()
            let text = "\"" + String(repeating: "x", count: 60_000) + "\""
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                for subject in Self.subjects {
                    for name in schemas.members(of: subject.schema).names {
                        var values: [String] = []
                        if schemas.takes("integer", subject.schema, name) { values = ["9223372036854775807", "-9223372036854775808", "1e300", "-1e300"] }
                        if schemas.takes("string", subject.schema, name) { values.append(text) }
                        for value in values {
                            let response = try await Self.plan(subject.body([name: value]), on: connection)
                            let isRefused = (400..<500).contains(response.status)
                            #expect(isRefused, "\(subject).\(name) = \(value.prefix(30)): \(response.status) \(response.text.prefix(300))")
                        }
                    }
                }
            }
        }

        private static func plan(_ body: String, on connection: RawConnection) async throws -> Response {
            try await connection.request("POST", "/v1/writers?dry_run=true", headers: ["Content-Type: application/json"], body: Data(body.utf8))
        }

        private static func put(_ body: String, _ path: String, on connection: RawConnection) async throws -> Response {
            try await connection.request("PUT", path, headers: ["Content-Type: application/json"], body: Data(body.utf8))
        }

        /// Without the time of the response.
        private static func lasting(_ response: Response) -> JSON {
            var object = response.json.object
            object["created_at"] = nil
            return .object(object)
        }
    }
}

/// The schemas of openapi.yaml, as YAML.
private struct Schemas {
    private let schemas: [String: [String: Any]]

    init() throws {
        let document = try Yams.load(yaml: try String(contentsOfFile: Repository.contract, encoding: .utf8)) as? [String: Any]
        schemas = try #require((document?["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
    }

    func members(of name: String) -> (names: Set<String>, needed: Set<String>) {
        let schema = schemas[name] ?? [:]
        return (Set((schema["properties"] as? [String: Any] ?? [:]).keys), Set(schema["required"] as? [String] ?? []))
    }

    /// Whether a member may have a value of that type, by its schema.
    func takes(_ type: String, _ schema: String, _ member: String) -> Bool {
        takes(type, (schemas[schema]?["properties"] as? [String: Any])?[member] as? [String: Any] ?? [:])
    }

    private func takes(_ type: String, _ schema: [String: Any]) -> Bool {
        if let reference = schema["$ref"] as? String { return takes(type, schemas[String(reference.split(separator: "/").last ?? "")] ?? [:]) }
        if let either = schema["oneOf"] as? [[String: Any]] { return either.contains { takes(type, $0) } }
        if schema["const"] is String || (schema["enum"] as? [Any])?.first is String { return type == "string" }
        if (schema["enum"] as? [Any])?.first is Int { return type == "integer" }
        let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
        return types.contains(type) || type == "integer" && types.contains("number")
    }
}
