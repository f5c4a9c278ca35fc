import Foundation
import Testing

extension EndToEnd {
    /// Requests of those who mean well, and what is said of them.
    @Suite struct MistakenRequestTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        /// Real files, by FFmpeg and NumPy, where raw samples belong.
        @Test func filesInPlaceOfRawSamplesAreRefusedAndNothingIsTaken() async throws {
            let folder = try TemporaryFolder()
            let sound = ["wav", "w64", "aiff", "caf", "au", "flac", "ogg", "opus", "mp3", "m4a", "mka", "wma"].map { "s.\($0)" }
            let pictures = ["y4m", "png", "gif", "mp4", "mkv", "webm", "avi", "flv"].map { "p.\($0)" }
            for name in sound { try await Tool.ffmpeg("-v", "error", "-f", "lavfi", "-i", "sine=d=0.2:r=48000", "-ac", "2", folder / name) }
            for name in pictures {
                try await Tool.ffmpeg("-v", "error", "-f", "lavfi", "-i", "testsrc=d=0.2:s=64x48,format=yuv420p", "-frames:v", "1", folder / name)
            }
            let numpy = "import numpy as n,sys; n.save(sys.argv[1]+'/n.npy', n.zeros(8)); n.savez(sys.argv[1]+'/n.npz', n.zeros(8))"
            _ = try await Tool.run("python3", ["-c", numpy, folder.path])
            let files = try (sound + pictures + ["n.npy", "n.npz"]).map { ($0, try Data(contentsOf: URL(fileURLWithPath: folder / $0))) }
            try await withServer { server in
                let id = try await server.createWriter(["format": "s16le", "streams": [Self.audio], "open": true])
                for (name, bytes) in files {
                    let response = try await server.sendRaw(bytes.prefix(64), to: id)
                    #expect(response.status == 415 && response.json["detail"].string?.contains("raw=true") == true, "\(name): \(response.text)")
                    // No whole number of samples of two bytes.
                    let odd = try await server.sendRaw(bytes.prefix(63), to: id)
                    #expect(odd.status == 415, "\(name): \(odd.text)")
                    let encoded = try await server.curl(
                        "POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=1&sample_format=s16", headers: ["Content-Type: application/octet-stream"],
                        body: .bytes(bytes.prefix(64)))
                    #expect(encoded.status == 415, "\(name): \(encoded.status)")
                }
                #expect(try await server.writer(id)["streams"][0]["offset"] == 0)
                let samples = Data((0..<64).map { UInt8($0) })
                #expect(try await server.sendRaw(samples, to: id).status == 200)
                let finished = try await server.finalize(id)
                #expect(finished["streams"][0]["frames"] == 32)
            }
        }

        @Test func suggestionsAreInTheDetailAndInAMemberOfTheirOwn() async throws {
            func creation(_ stream: JSON, format: JSON = "matroska", option: JSON = [:]) -> JSON {
                ["format": format, "streams": [Self.audio.merging(stream)], "open": ["option": option]]
            }
            let cases: [(JSON, meant: String)] = [
                (creation(["channels": 2]), "num_channels"), (creation(["bitrate": 64_000]), "codec_config.bit_rate"),
                (creation(["encoder": "aac", "encoder_option": ["bitrate": "64k"]]), "codec_config.bit_rate"),
                (creation(["encoder": "libopus", "encoder_option": ["aplication": "voip"]]), "encoder_option.application"),
                (creation(["encoder": "oppus"]), "opus"), (creation([:], format: "mkv"), "matroska"), (creation([:], format: "matrsoka"), "matroska"),
                (creation([:], option: ["reserve_index_spase": 1_000]), "option.reserve_index_space"), (creation(["filter_desc": "vollume=2"]), "volume"),
                (creation(["format": "int16"]), "s16"), (["format": "wav", "url": "a.wav"], "dst"),
            ]
            try await withServer { server in
                for (body, meant) in cases {
                    let response = try await server.curl("POST", "/v1/writers", body: .json(body))
                    #expect(response.status == 422 && response.json["did_you_mean"].string == meant, "\(response.text)")
                    #expect(response.json["detail"].string?.contains("Did you mean ") == true, "\(response.text)")
                }
                let others = try await server.curl("POST", "/v1/writers", body: .json(creation([:], option: ["movflags": "faststart"])))
                #expect(others.json["detail"].string?.contains("movflags is one of mp4, mov") == true && others.json["did_you_mean"].string == nil, "\(others.text)")
                // Not opened in a dry run.
                let segments = creation([:], format: "hls", option: ["hls_times": 4]).merging(["dst": "a/a.m3u8"])
                let dry = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(segments))
                #expect(dry.json["did_you_mean"] == "option.hls_time", "\(dry.text)")
                let listed = try await server.curl("GET", "/v1/writers?limt=3")
                #expect(listed.json["did_you_mean"] == "limit", "\(listed.text)")
            }
        }

        /// Opened by a call of its own, and read back by ffprobe.
        @Test func keyFramesFollowTheSegmentsOfAnOpenThatComesLater() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "show/a.m3u8"])
                let stream: JSON = [
                    "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "libx264", "encoder_option": ["preset": "ultrafast"],
                ]
                let added = try await server.curl("POST", "/v1/writers/\(id)/streams", body: .json(stream))
                #expect(added.status == 201 && added.json["key_frames"] == .null, "\(added.text)")
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["hls_time": 4, "hls_list_size": 0]]))
                #expect(opened.json["streams"][0]["key_frames"] == ["every": 4, "from": "hls_time"], "\(opened.text)")
                try await server.sendChunk(Data(repeating: 0x80, count: 64 * 48 * 3 / 2 * 300), to: id, stream: 0)
                try await server.finalize(id)
                let playlist = String(decoding: try server.output("show/a.m3u8"), as: UTF8.self)
                #expect(playlist.split(separator: "\n").filter { $0.hasPrefix("#EXTINF:4.000000") }.count == 3, "\(playlist)")
                #expect(try await Tool.ffprobe(server.outputFolder + "/show/a.m3u8")["streams"][0]["codec_name"] == "h264")
            }
        }
    }
}

extension PenstockServer {
    fileprivate func sendRaw(_ bytes: Data, to id: String) async throws -> Response {
        try await curl(
            "POST", "/v1/writers/\(id)/streams/0/chunks", headers: ["Content-Type: application/octet-stream"], body: .bytes(bytes))
    }
}
