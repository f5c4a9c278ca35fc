import Foundation
import Testing

extension EndToEnd {
    /// What FFmpeg 7 can do is there with it, and refused with a reason without.
    @Suite struct ReleaseFeatureTests {
        private static func isFFmpeg7() async throws -> Bool {
            try await Tool.run("ffmpeg", ["-version"]).text.hasPrefix("ffmpeg version 7.")
        }

        private static func stream(_ encoder: String, _ option: JSON) -> JSON {
            Pictures.stream().merging(["encoder": .string(encoder), "encoder_option": option])
        }

        @Test(arguments: [
            ("hevc", "libx265", ["preset": "ultrafast", "tune": "zerolatency"]), ("av1", "libaom-av1", ["usage": "realtime", "cpu-used": 8]),
            ("vp9", "libvpx-vp9", ["deadline": "realtime", "cpu-used": 8]),
        ] as [(String, String, JSON)])
        func codecOfEnhancedRTMPIsPublishedOrRefusedWithTheReason(codec: String, encoder: String, option: JSON) async throws {
            let port = try LoopbackPort.free()
            let url = "rtmp://127.0.0.1:\(port.number)/live/app"
            let isThere = try await Self.isFFmpeg7()
            try await withServer(["--allow-output", "rtmp://127.0.0.1:*/*"]) { server in
                let version = try await server.curl("GET", "/v1/version").json
                #expect(version["features"]["flv_codecs"].array.contains(.string(codec)) == isThere)
                let created = try await server.curl(
                    "PUT", "/v1/writers/a", body: .json(["dst": .string(url), "streams": [Self.stream(encoder, option)]]))
                guard isThere else {
                    #expect(created.status == 422 && created.json["parameter"] == "encoder")
                    #expect(created.json["supported"].array.contains("libx264"))
                    #expect(created.json["detail"].string?.contains("does not take \(codec)") == true)
                    #expect(created.json["detail"].string?.contains("since its version 7") == true, "\(created.text)")
                    return
                }
                #expect(created.status == 201, "\(created.text)")
                async let opened = server.curl("POST", "/v1/writers/a/open", body: .json(["option": ["listen": "1"]]))
                try await port.isTaken()
                let folder = try TemporaryFolder()
                let player = try Peer.ffmpeg(["-i", url, "-c", "copy", folder / "pulled.mkv"])
                #expect(try await opened.status == 200)
                try await server.sendChunk(Pictures(30).data, to: "a", stream: 0)
                try await server.finalize("a")
                try await player.ended()
                let pulled = try await Tool.ffprobe(folder / "pulled.mkv")["streams"][0]
                #expect(pulled["codec_name"] == .string(codec))
                #expect(pulled["nb_read_frames"] == "30", "\(pulled)")
            }
        }

        @Test(arguments: ["mp4", "mov"]) func hybridFileOfAnEncoderThatIsKilledPlaysUpToItsLastFragment(container: String) async throws {
            let pictures = Pictures(23)
            let isThere = try await Self.isFFmpeg7()
            try await withServer { server in
                #expect(try await server.curl("GET", "/v1/version").json["features"]["hybrid_fragmented"] == .bool(isThere))
                let option: JSON = ["movflags": "hybrid_fragmented+frag_keyframe"]
                let body: JSON = [
                    "dst": .string("show." + container), "streams": [Pictures.stream(gop: 5)], "open": ["option": option],
                ]
                let created = try await server.curl("PUT", "/v1/writers/a", body: .json(body))
                guard isThere else {
                    #expect(created.status == 422 && created.json["parameter"] == "option.movflags", "\(created.text)")
                    return
                }
                #expect(created.status == 201, "\(created.text)")
                try await server.sendChunk(pictures.data, to: "a", stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/a/flush").status == 200)
                kill(pid_t(try #require(try await server.writer("a")["encoder_pid"].int)), SIGKILL)
                _ = try await server.writer("a", in: "failed")
                let left = try await Pictures.decoded(server.outputFolder + "/show." + container)
                #expect(left.count >= 20 && left == Array(pictures.frames[..<left.count]), "\(left.count) pictures")
            }
        }
    }
}
