import Foundation
import Testing

extension EndToEnd {
    /// No option is ignored: what nothing takes is an error that names it, and nothing else.
    @Suite struct OptionTests {
        struct Unused: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let description: JSON
            let parameter: String
            let says: String
        }

        private static let audio: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2]
        private static let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48]

        private static func stream(_ base: JSON, _ members: JSON) -> JSON {
            var stream = base
            for (name, value) in members.object { stream[name] = value }
            return stream
        }

        private static func one(_ dst: JSON, _ stream: JSON, _ option: JSON = [:]) -> JSON {
            ["dst": dst, "streams": [stream], "open": ["option": option]]
        }

        static let unused = [
            Unused(
                testDescription: "an encoder option of another encoder",
                description: one("a.mp4", stream(audio, ["encoder": "aac", "encoder_option": ["crf": 23]])),
                parameter: "encoder_option.crf", says: "crf"),
            Unused(
                testDescription: "an experimental encoder's, beside Penstock's own default",
                description: one("a.ogg", stream(audio, ["encoder": "vorbis", "encoder_option": ["crf": 23]])),
                parameter: "encoder_option.crf", says: "crf"),
            Unused(
                testDescription: "an option inside x264-params",
                description: one("a.mp4", stream(video, ["encoder_option": ["x264-params": "nosuch=1"]])),
                parameter: "encoder_option.x264-params", says: "nosuch"),
            Unused(
                testDescription: "a muxer option", description: one("a.mp4", video, ["movflag": "faststart"]),
                parameter: "option.movflag", says: "movflag"),
            Unused(
                testDescription: "a muxer option of another muxer", description: one("a.mkv", video, ["movflags": "faststart"]),
                parameter: "option.movflags", says: "movflags"),
            Unused(
                testDescription: "a demuxer's option", description: one("a.mkv", video, ["probesize": 1_000]),
                parameter: "option.probesize", says: "probesize"),
            Unused(
                testDescription: "a filter option",
                description: one("a.mp4", stream(video, ["filter_desc": "scale=w=32:hh=24"])),
                parameter: "filter_desc", says: "hh"),
            Unused(
                testDescription: "a protocol option where there is no protocol", description: one("a.flv", video, ["listen": 1]),
                parameter: "option.listen", says: "listen"),
        ]

        @Test(arguments: unused)
        func optionThatNothingTakesIsNamed(_ unused: Unused) async throws {
            try await withServer { server in
                let response = try await server.curl("POST", "/v1/writers", body: .json(unused.description))
                #expect(response.status == 422, "\(response.text)")
                #expect(response.json["parameter"].string == unused.parameter, "\(response.text)")
                let told = (response.json["detail"].string ?? "") + response.json["log"].array.compactMap(\.string).joined()
                #expect(told.contains(unused.says), "\(response.text)")
                for own in ["threads", "strict"] {
                    #expect(!(response.json["detail"].string ?? "").contains(own), "\(response.text)")
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
            }
        }

        /// Penstock sets threads and strict itself; where an encoder has no use for them, that is
        /// nobody's mistake.
        @Test func ownDefaultsAreNobodysMistake() async throws {
            try await withServer { server in
                for (dst, stream) in [
                    ("a.ogg", Self.stream(Self.audio, ["encoder": "vorbis"])),
                    ("a.wav", Self.stream(Self.audio, ["encoder": "pcm_s16le"])),
                    ("a.mkv", Self.stream(Self.audio, ["encoder": "opus"])),
                    ("b.mkv", Self.stream(Self.video, ["encoder": "mjpeg"])),
                    ("c.mkv", Self.stream(Self.video, ["encoder_option": ["threads": 2, "thread_type": "slice"]])),
                ] {
                    let response = try await server.curl("POST", "/v1/writers", body: .json(Self.one(.string(dst), stream)))
                    #expect(response.status == 201, "\(dst): \(response.text)")
                }
            }
        }

        @Test func openRefusedForAnOptionEndsTheWriterWithTheReason() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.mp4", "streams": [Self.video]])
                let refused = try await server.curl(
                    "POST", "/v1/writers/\(id)/open", body: .json(["option": ["movflag": "faststart"]]))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.json["parameter"] == "option.movflag")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["parameter"] == "option.movflag")
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == [])
            }
        }
    }
}
