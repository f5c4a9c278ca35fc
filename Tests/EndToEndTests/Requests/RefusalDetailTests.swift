import Foundation
import Testing

extension EndToEnd {
    /// What libav refuses is told with its reason and the parameter, and its libraries write into no log.
    @Suite struct RefusalDetailTests {
        private static func video(_ members: JSON) -> JSON {
            (["type": "video", "frame_rate": 25, "width": 64, "height": 48, "encoder": "libx264"] as JSON).merging(members)
        }

        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1]

        private static func one(_ format: String, _ streams: JSON..., option: JSON = [:]) -> JSON {
            ["format": .string(format), "streams": .array(streams), "open": ["option": option]]
        }

        @Test func refusalOfLibavsNamesTheParameterAndTheReason() async throws {
            let cases: [(JSON, parameter: String, pointer: String, says: String)] = [
                (Self.one("mp4", Self.video(["width": 63])), "encoder_width", "/streams/0/encoder_width", "63x48"),
                // Its reason is on standard error: the last line of it is about the height.
                (Self.one("mp4", Self.video(["encoder": "libsvtav1", "width": 65, "height": 63])), "encoder_height", "/streams/0/encoder_height", "encoder_width 66"),
                (Self.one("mp4", Self.video([:]), option: ["movflags": "faststat"]), "option.movflags", "/open/option/movflags", "faststat"),
                (Self.one("wav", Self.audio, Self.audio), "streams", "/streams", "one"),
                (Self.one("webm", Self.video([:])), "encoder", "/streams/0/encoder", "h264"),
                (["format": "mp5"], "format", "/format", "mp5"),
                (["format": "wav", "buffer_size": 1_000_000_000_000], "buffer_size", "/buffer_size", "buffer_size"),
            ]
            try await withServer { server in
                for (body, parameter, pointer, says) in cases {
                    let answer = try await server.curl("POST", "/v1/writers", body: .json(body))
                    #expect(answer.status == 422, "\(answer.text)")
                    #expect(answer.json["parameter"].string == parameter, "\(answer.text)")
                    #expect(answer.json["pointer"].string == pointer, "\(answer.text)")
                    #expect(answer.json["detail"].string?.contains(says) == true, "\(answer.text)")
                }
                // x264 prints this itself, before libav has given it a log.
                let preset = try await server.curl(
                    "POST", "/v1/writers", body: .json(Self.one("mp4", Self.video(["encoder_option": ["preset": "warp"]]))))
                #expect(preset.status == 422 && preset.text.contains("warp"), "\(preset.text)")
            }
        }

        @Test func logOfJSONHasNoLineOfALibrarys() async throws {
            let folder = try TemporaryFolder()
            let text = try await withServer(["--log-format", "json"], in: folder) { server in
                for encoder in ["libx264", "libx265"] {
                    let id = try await server.createWriter(Self.one("mp4", Self.video(["encoder": .string(encoder)])))
                    try await server.sendChunk(Data(count: 64 * 48 * 3), to: id, stream: 0)
                    try await server.finalize(id)
                }
                _ = try await server.curl(
                    "POST", "/v1/writers", body: .json(Self.one("mp4", Self.video(["encoder_option": ["preset": "warp"]]))))
                return server.log.text
            }
            let lines = text.split(separator: "\n")
            #expect(lines.count > 5)
            #expect(lines.filter { (try? JSON(Data($0.utf8))) == nil } == [])
        }
    }
}
