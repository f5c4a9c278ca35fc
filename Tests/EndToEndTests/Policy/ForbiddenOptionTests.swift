import Foundation
import Testing

extension EndToEnd {
    /// Filters, formats and options that reach past the writer are refused on every way in.
    @Suite struct ForbiddenOptionTests {
        private static let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48]

        private static func video(_ name: String, _ value: JSON) -> JSON {
            var stream = video
            stream[name] = value
            return stream
        }

        private func expectForbidden(
            _ response: Response, _ parameter: JSON, saying part: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(response.status == 403, "\(response.text)", sourceLocation: sourceLocation)
            #expect(response.problem == "forbidden-option", "\(response.text)", sourceLocation: sourceLocation)
            #expect(response.json["parameter"] == parameter, "\(response.text)", sourceLocation: sourceLocation)
            #expect(response.json["detail"].string?.contains(part) == true, "\(response.text)", sourceLocation: sourceLocation)
        }

        /// A file with what must not get out, and a place where nothing must appear.
        private struct Bait {
            let folder: TemporaryFolder
            var canary: String { folder.path + "/canary" }
            var trap: String { folder.path + "/trap" }

            init() throws {
                folder = try TemporaryFolder()
                try Data("canary\n".utf8).write(to: URL(fileURLWithPath: canary))
            }

            func expectUntouched(sourceLocation: SourceLocation = #_sourceLocation) throws {
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["canary"], sourceLocation: sourceLocation)
            }
        }

        @Test func creatingRefusesAndMakesNothing() async throws {
            let bait = try Bait()
            let bodies: [(body: JSON, parameter: JSON, pointer: JSON, says: String)] = [
                (
                    ["dst": "a.mp4", "streams": [Self.video("filter_desc", .string("drawtext=textfile=\(bait.canary)"))], "open": true],
                    "filter_desc", "/streams/0/filter_desc", "give the text in text"
                ),
                (
                    ["dst": "a.mp4", "streams": [Self.video, Self.video("filter_desc", .string("metadata=print:::::\(bait.trap)"))]],
                    "filter_desc", "/streams/1/filter_desc", "writes a file"
                ),
                (
                    [
                        "dst": "a.mp4",
                        "streams": [Self.video("encoder_option", ["x264-params": .string("pass=1:stats=\(bait.trap)")])], "open": true,
                    ],
                    "encoder_option.x264-params", "/streams/0/encoder_option/x264-params", "statistics"
                ),
                (
                    ["dst": "a.mp4", "streams": [Self.video("encoder_option", ["flags": "512"])], "open": true],
                    "encoder_option.flags", "/streams/0/encoder_option/flags", "pass1"
                ),
                (
                    [
                        "dst": "a.m3u8", "streams": [Self.video],
                        "open": ["option": ["hls_key_info_file": .string(bait.canary)]],
                    ],
                    "option.hls_key_info_file", "/open/option/hls_key_info_file", "reads a file"
                ),
                (["dst": "a.f4m", "format": "hds", "streams": [Self.video], "open": true], "format", "/format", "hds"),
            ]
            try await withServer { server in
                for (body, parameter, pointer, says) in bodies {
                    let created = try await server.curl("POST", "/v1/writers", body: .json(body))
                    expectForbidden(created, parameter, saying: says)
                    #expect(created.json["pointer"] == pointer)
                    let dry = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
                    #expect(dry.json["detail"] == created.json["detail"])
                    #expect(dry.status == 403)
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == [])
                try bait.expectUntouched()
            }
        }

        @Test func streamAndOpenAreRefusedAndTheWriterGoesOn() async throws {
            let bait = try Bait()
            try await withServer { server in
                let id = try await server.createWriter(["dst": "show/a.m3u8"])
                let streams = "/v1/writers/\(id)/streams"
                expectForbidden(
                    try await server.curl(
                        "POST", streams, body: .json(Self.video("filter_desc", .string("movie=\(bait.canary)[m];[in][m]overlay")))),
                    "filter_desc", saying: "movie")
                expectForbidden(
                    try await server.curl("POST", streams, body: .json(Self.video("encoder_option", ["stats": .string(bait.trap)]))),
                    "encoder_option.stats", saying: "statistics")
                #expect(try await server.curl("POST", streams, body: .json(Self.video)).status == 201)
                let open = "/v1/writers/\(id)/open"
                expectForbidden(
                    try await server.curl("POST", open, body: .json(["option": ["hls_flags": "+append_list"]])), "option.hls_flags",
                    saying: "append_list")
                #expect(try await server.writer(id)["state"] == "configuring")
                #expect(try await server.curl("POST", open, body: .json(["option": ["hls_time": 1]])).status == 200)
                try bait.expectUntouched()
            }
        }

        @Test func encodingInOneRequestIsRefused() async throws {
            let bait = try Bait()
            let queries: [(String, JSON, String)] = [
                ("filter_desc=psnr%3Dstats_file%3D\(bait.trap)", "filter_desc", "writes a file"),
                ("encoder_option.x264-params=dump-yuv%3D\(bait.trap)", "encoder_option.x264-params", "dump-yuv"),
                ("encoder=h264_vaapi&hw_accel=vaapi:\(bait.canary)", "hw_accel", "/dev/dri/renderD128"),
                ("option.protocol_whitelist=file", "option.protocol_whitelist", "the server's"),
                ("encoder=wrapped_avframe", "encoder", "addresses"),
            ]
            try await withServer { server in
                for (query, parameter, says) in queries {
                    let response = try await server.curl(
                        "POST", "/v1/encode?format=matroska&frame_rate=25&width=64&height=48&\(query)",
                        body: .bytes(Data(count: 64 * 48 * 3)))
                    expectForbidden(response, parameter, saying: says)
                }
                try bait.expectUntouched()
            }
        }

        @Test func capabilitiesSayWhatIsNotAllowedAndWhy() async throws {
            func named(_ name: String, _ list: JSON) -> JSON { list.array.first { $0["name"].string == name } ?? .null }
            try await withServer { server in
                let filters = try await server.curl("GET", "/v1/filters").json["filters"]
                #expect(named("movie", filters)["allowed"] == false)
                #expect(named("movie", filters)["refusal"].string?.contains("file") == true)
                #expect(named("scale", filters)["allowed"] == .null)
                #expect(named("textfile", named("drawtext", filters)["options"])["allowed"] == false)
                #expect(named("text", named("drawtext", filters)["options"])["allowed"] == .null)
                let x264 = try await server.curl("GET", "/v1/encoders/libx264").json["options"]
                #expect(x264.array.filter { $0["allowed"] == false }.compactMap { $0["name"].string }.sorted() == ["passlogfile", "stats"])
                let hls = try await server.curl("GET", "/v1/muxers/hls").json["options"]
                #expect(named("hls_key_info_file", hls)["allowed"] == false)
                #expect(named("hls_time", hls)["allowed"] == .null)
                #expect(named("hds", try await server.curl("GET", "/v1/muxers").json["muxers"])["allowed"] == false)
            }
        }
    }
}
