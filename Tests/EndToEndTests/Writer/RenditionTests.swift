import Foundation
import Testing

extension EndToEnd {
    /// One upload, encoded several times.
    @Suite struct RenditionTests {
        private static let (width, height) = (640, 360)
        private static let frameBytes = width * height * 3 / 2

        private static let renditions: JSON = [
            ["name": "hd", "encoder": "libx264", "encoder_option": ["preset": "ultrafast"]],
            [
                "name": "sd", "encoder": "libx264", "encoder_width": 320, "encoder_height": 180,
                "encoder_option": ["preset": "ultrafast", "maxrate": "300k", "bufsize": "300k"], "codec_config": ["bit_rate": 300_000],
            ],
        ]
        private static let video: JSON = [
            "type": "video", "frame_rate": 25, "width": .number(Double(width)), "height": .number(Double(height)), "format": "yuv420p",
            "renditions": renditions,
        ]
        private static let audio: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 1, "format": "s16", "encoder": "aac"]

        private static func pictures(_ count: Int) -> Data {
            Data((0..<count * frameBytes).map { UInt8(truncatingIfNeeded: $0 / 11 + $0 / frameBytes * 5) })
        }

        private static func sound(_ seconds: Int) -> Data {
            Data((0..<seconds * 96_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 8) })
        }

        private func send(seconds: Int, to id: String, on server: PenstockServer) async throws {
            try await server.sendChunk(Self.pictures(seconds * 25), to: id, stream: 0)
            try await server.sendChunk(Self.sound(seconds), to: id, stream: 1)
            try await server.finalize(id)
        }

        @Test func aLargePictureIsRecordedAndASmallOnePublishedOfOneUpload() async throws {
            let port = try LoopbackPort.free()
            let folder = try TemporaryFolder()
            let peer = try Peer.ffmpeg(["-f", "flv", "-i", "tcp://127.0.0.1:\(port.number)?listen=1", "-c", "copy", folder / "live.mkv"])
            try await port.isTaken()
            try await withServer(["--allow-output", "tcp://127.0.0.1:*"]) { server in
                let id = try await server.createWriter([
                    "streams": [Self.video, Self.audio], "open": true,
                    "outputs": [
                        ["name": "record", "dst": "a.mp4", "streams": ["0:hd", "1"]],
                        ["name": "live", "dst": .string("tcp://127.0.0.1:\(port.number)"), "format": "flv", "streams": ["0:sd", 1]],
                    ],
                ])
                try await send(seconds: 2, to: id, on: server)
                _ = try await peer.ended()
                for (path, width) in [(server.outputFolder + "/a.mp4", 640), (folder / "live.mkv", 320)] {
                    let streams = try await Tool.ffprobe(path)["streams"].array
                    #expect(Set(streams.map { $0["codec_name"].string }) == ["h264", "aac"], "\(path)")
                    let picture = try #require(streams.first { $0["codec_name"] == "h264" })
                    #expect(picture["width"].int == width && picture["nb_read_frames"] == "50", "\(path)")
                }
                // As a writer makes it that has nothing else to do.
                var alone = Self.video
                alone["renditions"] = [Self.renditions[0]]
                let other = try await server.createWriter(["dst": "alone.mp4", "streams": [alone, Self.audio], "open": true])
                try await send(seconds: 2, to: other, on: server)
                #expect(try server.output("a.mp4") == server.output("alone.mp4"))
                let ended = try await server.writer(id)
                let shown = ended["streams"][0]
                #expect(shown["renditions"].array.map { $0["name"] } == ["hd", "sd"])
                #expect(shown["renditions"].array.map { $0["frames_encoded"] } == [50, 50] && shown["frames_encoded"] == 50)
                #expect(shown["renditions"].array.map { $0["encoder_width"] } == [640, 320] && shown["encoder_width"] == 640)
                #expect(shown["renditions"].array.allSatisfy { $0["packets"] == 50 && ($0["bytes_encoded"].int ?? 0) > 0 })
                #expect(ended["outputs"].array.map { $0["streams"] } == [["0:hd", "1"], ["0:sd", "1"]])
                #expect(ended["result"]["verified"]["streams"].array.first?["packets"] == 50)
            }
        }

        @Test(arguments: ["hls", "dash"]) func playersChooseByWhatTheOutputSaysOfEach(format: String) async throws {
            try await withServer { server in
                let path = format == "hls" ? "show/master.m3u8" : "show/master.mpd"
                let option: JSON = format == "hls" ? ["hls_time": 1, "hls_list_size": 0] : ["seg_duration": 1]
                let id = try await server.createWriter([
                    "streams": [Self.video, Self.audio], "outputs": [["name": "abr", "dst": .string(path), "option": option]], "open": true,
                ])
                try await send(seconds: 3, to: id, on: server)
                let text = String(decoding: try server.output(path), as: UTF8.self)
                let expected = format == "hls" ? ["RESOLUTION=640x360", "RESOLUTION=320x180", "avc1.", "mp4a.40.2"] : ["width=\"640\"", "width=\"320\"", "avc1.", "mp4a.40.2"]
                for part in expected { #expect(text.contains(part), "\(part): \(text)") }
                if format == "dash" { #expect(text.components(separatedBy: "<AdaptationSet").count == 3) }
                // Every picture is played, in both sizes.
                let programs = try await Tool.ffprobe(server.outputFolder + "/" + path)["streams"].array
                let pictures = programs.filter { $0["codec_name"] == "h264" }
                #expect(Set(pictures.map { $0["width"].int }) == [640, 320])
                #expect(pictures.allSatisfy { $0["nb_read_frames"] == "75" }, "\(pictures)")
                let ended = try await server.writer(id)
                #expect(ended["streams"][0]["renditions"].array.allSatisfy { $0["key_frames"]["every"] == 1 })
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.status == 200)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder).isEmpty)
            }
        }

        @Test func ratesAndKeyFramesAreChangedByTheNameOfARendition() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Self.video, Self.audio], "open": true])
                let path = "/v1/writers/\(id)"
                let change = Curl.Body.json(["codec_config": ["bit_rate": 200_000]])
                let unnamed = try await server.curl("PATCH", path + "/streams/0", body: change)
                #expect(unnamed.status == 422 && unnamed.json["parameter"] == "rendition" && unnamed.json["supported"] == ["hd", "sd"], "\(unnamed.text)")
                let named = try await server.curl("PATCH", path + "/streams/0?rendition=sd", body: change)
                #expect(named.json["renditions"][1]["codec_config"]["bit_rate"] == 200_000, "\(named.text)")
                let other = try await server.curl("PATCH", path + "/streams/1?rendition=sd", body: change)
                #expect(other.status == 422 && other.json["parameter"] == "rendition", "\(other.text)")
                #expect(try await server.curl("POST", path + "/keyframe?stream=0&rendition=hd").status == 200)
                let unknown = try await server.curl("POST", path + "/keyframe?stream=0&rendition=uhd")
                #expect(unknown.status == 422 && unknown.json["supported"] == ["hd", "sd"], "\(unknown.text)")
                try await send(seconds: 1, to: id, on: server)
                #expect(try await server.writer(id)["streams"][0]["renditions"][1]["encoder_bit_rate"] == 200_000)
            }
        }

        @Test(arguments: [
            (["encoder": "libx264"], "encoder"), (["encoder_height": 90], "encoder_height"), (["renditions": []], "renditions"),
            (["renditions": [["name": "a"], ["name": "a"]]], "renditions.1.name"), (["renditions": [["encoder": "libx264"]]], "renditions.0.name"),
            (["renditions": [["name": "a:b"]]], "renditions.0.name"),
            (["renditions": [["name": "a", "filter_desc": "hflip"]]], "renditions.0.filter_desc"),
            (["renditions": [["name": "a"], ["name": "b", "encoder": "libx264", "encoder_option": ["crv": 3]]]], "renditions.1.encoder_option.crv"),
            (["renditions": [["name": "a"], ["name": "b", "encoder_option": ["stats": "x"]]]], "renditions.1.encoder_option.stats"),
        ] as [([String: JSON], String)])
        func whatCanNotBeIsRefusedByItsPlace(members: [String: JSON], parameter: String) async throws {
            try await withServer { server in
                let stream = members.reduce(into: Self.video) { $0[$1.key] = $1.value }
                let refused = try await server.curl("POST", "/v1/writers", body: .json(["dst": "a.mp4", "streams": [stream]]))
                #expect([403, 422].contains(refused.status) && refused.json["parameter"].string == parameter, "\(refused.text)")
                let place = "/streams/0/" + parameter.replacingOccurrences(of: ".", with: "/")
                #expect(refused.json["pointer"].string == place, "\(refused.text)")
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.isEmpty)
            }
        }

        /// The container of the first takes one picture only, and the other is another's.
        @Test func aDryRunTakesWhatACreationTakes() async throws {
            try await withServer(["--allow-output", "tcp://127.0.0.1:*"]) { server in
                let body: JSON = [
                    "streams": [Self.video, Self.audio],
                    "outputs": [
                        ["name": "small", "dst": "a.flv", "streams": ["0:sd", "1"]],
                        ["name": "large", "dst": "tcp://127.0.0.1:9", "format": "mpegts", "streams": ["0:hd"], "on_failure": "continue"],
                    ], "open": true,
                ]
                let planned = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
                #expect(planned.status == 200, "\(planned.text)")
                let id = try await server.createWriter(body)
                let made = try await server.writer(id)
                func widths(_ writer: JSON) -> [Int?] { writer["streams"][0]["renditions"].array.map { $0["encoder_width"].int } }
                #expect(widths(planned.json) == [640, 320] && widths(made) == [640, 320])
            }
        }

        @Test func anEncodingInOneRequestHasNone() async throws {
            try await withServer { server in
                let refused = try await server.curl(
                    "POST", "/v1/encode?format=mp4&frame_rate=25&width=64&height=48&renditions=hd", body: .bytes(Data(count: 64 * 48 * 3)))
                #expect(refused.status == 422 && refused.json["parameter"] == "renditions", "\(refused.text)")
            }
        }
    }
}
