import Foundation
import Testing

extension EndToEnd {
    /// `…/chunks?keyframe=true`, read back by ffprobe.
    @Suite struct KeyFrameTests {
        private static let frames = 60
        private static let asked = [17, 40]

        private static func stream(_ members: [String: JSON]) -> JSON {
            let stream: JSON = [
                "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "libx264",
                // So long that the encoder makes none by itself but the first.
                "codec_config": ["gop_size": 500],
            ]
            return members.reduce(into: stream) { $0[$1.key] = $1.value }
        }

        /// Sends still pictures, three chunks with a key frame asked for at the second and third.
        private func send(to id: String, frameBytes: Int, on server: PenstockServer, keyFrame: String = "true") async throws {
            var start = 0
            for end in Self.asked + [Self.frames] {
                let query = start == 0 ? "" : "?keyframe=\(keyFrame)"
                let response = try await server.curl(
                    "POST", "/v1/writers/\(id)/streams/0/chunks\(query)", body: .bytes(Data(repeating: 0x80, count: frameBytes * (end - start))))
                try #require(response.status == 200 && response.json["frames"].int == end - start, "\(response.text)")
                start = end
            }
        }

        /// The times of a file's key frames in thousandths of a second.
        private func keyFrames(_ path: String) async throws -> [Int] {
            let result = try await Tool.run("ffprobe", ["-v", "error", "-of", "json", "-show_packets", path])
            let packets = try JSON(result.output)["packets"].array
            try #require(packets.count > 10, "\(result.errors)")
            return packets.filter { $0["flags"].string?.contains("K") == true }
                .compactMap { $0["pts_time"].string.flatMap(Double.init).map { Int(($0 * 1_000).rounded()) } }.sorted()
        }

        @Test func keyFramesThatAnEncoderDoesNotMakeAreRefused() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Self.stream(["encoder": "ffv1"])], "open": true])
                let path = "/v1/writers/\(id)/streams/0/chunks?keyframe=true"
                let response = try await server.curl("POST", path, body: .bytes(Data(count: 64 * 48 * 3 / 2)))
                #expect(response.status == 422 && response.json["parameter"] == "keyframe", "\(response.text)")
            }
        }

        @Test(arguments: [
            ("without conversion", [:], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("without B-frames", ["codec_config": ["gop_size": 500, "max_b_frames": 0]], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("another pixel format", ["format": "rgb24"], 64 * 48 * 3, [0, 680, 1_600]),
            ("another size", ["encoder_width": 32, "encoder_height": 32], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("mpeg4", ["encoder": "mpeg4"], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("mpeg4 of another format", ["encoder": "mpeg4", "format": "rgb24"], 64 * 48 * 3, [0, 680, 1_600]),
            ("x265", ["encoder": "libx265", "encoder_option": ["preset": "ultrafast"]], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("twice the rate", ["encoder_frame_rate": 50], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            // Picture 17, at 680 ms, is not among those of every 80 ms: the next is.
            ("half the rate", ["encoder_frame_rate": "25/2"], 64 * 48 * 3 / 2, [0, 720, 1_600]),
            ("a filter that bends time", ["filter_desc": "setpts=2*PTS"], 64 * 48 * 3 / 2, [0, 1_360, 3_200]),
            ("a filter that makes frames of its own", ["filter_desc": "zoompan=d=1:fps=25:s=64x48"], 64 * 48 * 3 / 2, [0, 680, 1_600]),
            ("a filter that drops the picture", ["filter_desc": "select=not(eq(n\\,17))"], 64 * 48 * 3 / 2, [0, 720, 1_600]),
        ] as [(String, [String: JSON], Int, [Int])])
        func keyFramesAreWhereTheyAreAskedFor(what: String, members: [String: JSON], frameBytes: Int, expected: [Int]) async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "out.mkv", "streams": [Self.stream(members)], "open": true])
                try await send(to: id, frameBytes: frameBytes, on: server)
                try await server.finalize(id)
                let found = try await keyFrames(server.outputFolder + "/out.mkv")
                #expect(found == expected, "\(what)")
            }
        }

        @Test func withoutTheParameterAndWithFalseThereIsOnlyTheFirst() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "out.mkv", "streams": [Self.stream([:])], "open": true])
                try await send(to: id, frameBytes: 64 * 48 * 3 / 2, on: server, keyFrame: "false")
                try await server.finalize(id)
                #expect(try await keyFrames(server.outputFolder + "/out.mkv") == [0])
            }
        }

        @Test func whatIsNoKeyFrameIsRefusedBeforeAnythingIsTaken() async throws {
            try await withServer { server in
                let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"]
                let id = try await server.createWriter(["format": "matroska", "streams": [Self.stream([:]), audio], "open": true])
                func send(_ stream: Int, _ value: String) async throws -> Response {
                    try await server.curl("POST", "/v1/writers/\(id)/streams/\(stream)/chunks?keyframe=\(value)", body: .bytes(Data(count: 64 * 48 * 3)))
                }
                for value in ["1", "TRUE", "yes", ""] {
                    let refused = try await send(0, value)
                    #expect(refused.problem == "invalid-parameter" && refused.json["parameter"] == "keyframe", "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains("true or false") == true, "\(refused.text)")
                }
                let ofAudio = try await send(1, "true")
                #expect(ofAudio.status == 422 && ofAudio.json["parameter"] == "keyframe", "\(ofAudio.text)")
                #expect(ofAudio.json["detail"].string?.contains("audio") == true, "\(ofAudio.text)")
                let writer = try await server.writer(id)
                #expect(writer["streams"][0]["offset"] == 0 && writer["streams"][1]["offset"] == 0, "\(writer)")
                #expect(try await send(1, "false").status == 200)
            }
        }
    }
}
