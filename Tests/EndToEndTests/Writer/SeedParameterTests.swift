import Foundation
import Testing

extension EndToEnd {
    /// Every parameter of the seed's add_audio_stream and add_video_stream, over HTTP, as it shows in
    /// the file. docs/reference/seed-parameters.md points here.
    @Suite struct SeedParameterTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let testDescription: String
            /// Added to the stream.
            let parameters: JSON
            let dst: String
            /// Of ffprobe's view of the stream.
            var shows: [String: JSON] = [:]
            /// Of the API's view of it.
            var chooses: [String: JSON] = [:]

            init(_ name: String, _ parameters: JSON, in dst: String, shows: [String: JSON] = [:], chooses: [String: JSON] = [:]) {
                testDescription = name
                self.parameters = parameters
                self.dst = dst
                self.shows = shows
                self.chooses = chooses
            }
        }

        /// Encodes one stream; the file's path, the stream as the API has it and as ffprobe has it.
        private func encode(
            _ stream: JSON, _ dst: String, _ body: Data, on server: PenstockServer, open: JSON = true
        ) async throws -> (path: String, chosen: JSON, probed: JSON) {
            let id = try await server.createWriter(["dst": .string(dst), "overwrite": true, "streams": [stream], "open": open])
            try await server.sendChunk(body, to: id, stream: 0)
            let closed = try await server.finalize(id)
            let path = server.outputFolder + "/" + dst
            return (path, closed["streams"][0], try await Tool.ffprobe(path)["streams"][0])
        }

        private func expect(_ test: Case, base: JSON, body: Data) async throws {
            try await withServer { server in
                var stream = base
                for (name, value) in test.parameters.object { stream[name] = value }
                let (_, chosen, probed) = try await encode(stream, test.dst, body, on: server)
                for (name, value) in test.shows { #expect(probed[name] == value, "\(name)") }
                for (name, value) in test.chooses { #expect(chosen[name] == value, "\(name)") }
            }
        }

        // MARK: Audio

        private static let rate = 48_000

        /// A second of two unlike tones.
        private static let tones: Data = {
            var data = Data()
            for index in 0..<rate {
                for frequency in [440.0, 660.0] {
                    let value = Int16(12_000 * sin(2 * Double.pi * frequency * Double(index) / Double(rate)))
                    withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
                }
            }
            return data
        }()

        private static let audio: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16"]

        static let audioCases = [
            Case("encoder", ["encoder": "flac"], in: "a.mkv", shows: ["codec_name": "flac"]),
            Case("the muxer's encoder without one", [:], in: "a.mp3", shows: ["codec_name": "mp3"], chooses: ["encoder": "libmp3lame"]),
            Case("encoder_option", ["encoder": "flac", "encoder_option": ["frame_size": 1_152]], in: "a.flac", chooses: ["frame_size": 1_152]),
            Case("encoder_sample_rate", ["encoder_sample_rate": 32_000], in: "a.m4a", shows: ["sample_rate": "32000", "duration_ts": 32_000]),
            Case("encoder_num_channels", ["encoder_num_channels": 1], in: "a.m4a", shows: ["channels": 1]),
            Case("encoder_format", ["encoder_format": "s32"], in: "a.flac", shows: ["sample_fmt": "s32"]),
            Case("codec_config.bit_rate", ["codec_config": ["bit_rate": 64_000]], in: "a.mp3", shows: ["bit_rate": "64000"]),
            Case("opus is 48 kHz", ["encoder": "libopus", "sample_rate": 44_100], in: "a.ogg", shows: ["sample_rate": "48000"]),
            Case(
                "mp3 falls back to 44.1 kHz, and says so", ["sample_rate": 50_000], in: "a.mp3", shows: ["sample_rate": "44100"],
                chooses: [
                    "warnings": [
                        [
                            "code": "sample-rate-changed", "parameter": "encoder_sample_rate",
                            "detail": "libmp3lame does not take 50000 samples a second: they become 44100",
                        ]
                    ]
                ]),
            Case(
                "channel_layout", ["num_channels": 4, "channel_layout": "quad(side)"], in: "a.wav", shows: ["channel_layout": "quad(side)"],
                chooses: ["channel_layout": "quad(side)", "warnings": []]),
            Case("codec_tag", ["codec_tag": "mp4a"], in: "a.m4a", shows: ["codec_tag_string": "mp4a"], chooses: ["codec_tag": "mp4a"]),
            Case("mp3 keeps 22.05 kHz", ["sample_rate": 22_050], in: "a.mp3", shows: ["sample_rate": "22050"]),
            Case("vorbis is stereo", ["encoder": "vorbis", "encoder_option": ["strict": "experimental"], "num_channels": 1], in: "a.ogg", shows: ["channels": 2]),
            Case("g722 is 16 kHz mono", ["encoder": "g722"], in: "a.mkv", shows: ["sample_rate": "16000", "channels": 1]),
            Case("wav takes any rate", ["sample_rate": 12_345], in: "a.wav", shows: ["sample_rate": "12345", "codec_name": "pcm_s16le"]),
        ]

        @Test(arguments: audioCases)
        func audioParameterShowsInTheFile(_ test: Case) async throws {
            try await expect(test, base: Self.audio, body: Self.tones)
        }

        @Test func audioQualityAndEffortShowInTheSize() async throws {
            try await withServer { server in
                func size(_ config: JSON, _ dst: String) async throws -> Int {
                    var stream = Self.audio
                    stream["codec_config"] = config
                    _ = try await encode(stream, dst, Self.tones, on: server)
                    return try server.output(dst).count
                }
                let (coarse, fine) = (try await size(["qscale": 9], "a.mp3"), try await size(["qscale": 0], "a.mp3"))
                #expect(coarse * 3 / 2 < fine)
                let (fast, thorough) = (
                    try await size(["compression_level": 0], "a.flac"), try await size(["compression_level": 12], "a.flac")
                )
                #expect(thorough < fast)
            }
        }

        @Test func audioFilterChangesTheSamples() async throws {
            try await withServer { server in
                var stream = Self.audio
                stream["filter_desc"] = "volume=0,atrim=end_sample=24000"
                let (path, _, _) = try await encode(stream, "a.wav", Self.tones, on: server)
                try await Tool.ffmpeg("-v", "error", "-i", path, "-f", "s16le", path + ".raw")
                #expect(try server.output("a.wav.raw") == Data(count: 24_000 * 4))
            }
        }

        // MARK: Video

        private static let video: JSON = [
            "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p",
        ]

        static let videoCases = [
            Case("frame_rate 30000/1001", ["frame_rate": "30000/1001"], in: "v.mp4", shows: ["avg_frame_rate": "30000/1001", "nb_read_frames": "50"]),
            Case("frame_rate 5000/167", ["frame_rate": "5000/167"], in: "v.mkv", shows: ["avg_frame_rate": "5000/167"]),
            Case("encoder", ["encoder": "mpeg4"], in: "v.mp4", shows: ["codec_name": "mpeg4"]),
            Case("the muxer's encoder without one", [:], in: "v.mp4", shows: ["codec_name": "h264"], chooses: ["encoder": "libx264"]),
            Case("encoder_option", ["encoder_option": ["profile": "baseline"]], in: "v.mp4", shows: ["profile": "Constrained Baseline"]),
            Case(
                "threads and thread_type", ["encoder_option": ["threads": 2, "thread_type": "slice", "preset": "ultrafast"]],
                in: "v.mp4", shows: ["nb_read_frames": "50"], chooses: ["frames_encoded": 50]),
            Case("encoder_frame_rate", ["encoder_frame_rate": 5], in: "v.mp4", shows: ["avg_frame_rate": "5/1", "nb_read_frames": "10"]),
            Case("encoder_width, encoder_height", ["encoder_width": 32, "encoder_height": 24], in: "v.mp4", shows: ["width": 32, "height": 24]),
            Case("encoder_format", ["encoder_format": "yuv444p"], in: "v.mp4", shows: ["pix_fmt": "yuv444p"]),
            Case("filter_desc", ["filter_desc": "crop=16:16,hflip"], in: "v.mp4", shows: ["width": 16, "height": 16]),
            Case("codec_config.max_b_frames none", ["codec_config": ["max_b_frames": 0]], in: "v.mp4", shows: ["has_b_frames": 0]),
            Case("codec_config.max_b_frames", ["codec_config": ["max_b_frames": 2]], in: "v.mp4", shows: ["has_b_frames": 2]),
            Case("field_order", ["field_order": "tt"], in: "v.mkv", shows: ["field_order": "tt"], chooses: ["field_order": "tt"]),
            Case("codec_tag", ["codec_tag": "avc3"], in: "v.mp4", shows: ["codec_tag_string": "avc3"], chooses: ["codec_tag": "avc3"]),
            Case(
                "content_light_level", ["content_light_level": "1000,400"], in: "v.mkv",
                chooses: ["content_light_level": "1000,400", "warnings": []]),
            Case("mpeg1 takes the next rate it knows", ["encoder": "mpeg1video", "frame_rate": 7], in: "v.mpg", shows: ["codec_name": "mpeg1video"]),
        ]

        @Test(arguments: videoCases)
        func videoParameterShowsInTheFile(_ test: Case) async throws {
            try await expect(test, base: Self.video, body: Pictures(50).data)
        }

        @Test func videoQualityAndGroupsShowInThePackets() async throws {
            let pictures = Pictures(50)
            try await withServer { server in
                func packets(_ members: JSON) async throws -> (bytes: Int, keys: Int) {
                    var stream = Self.video
                    for (name, value) in members.object { stream[name] = value }
                    let (path, _, _) = try await encode(stream, "v.mkv", pictures.data, on: server)
                    let result = try await Tool.run(
                        "ffprobe", ["-v", "error", "-show_entries", "packet=size,flags", "-of", "csv=p=0", path])
                    let rows = result.text.split(separator: "\n").map { $0.split(separator: ",") }
                    return (
                        rows.reduce(0) { $0 + (Int($1[0]) ?? 0) }, rows.filter { $0.count > 1 && $0[1].hasPrefix("K") }.count
                    )
                }
                let everyTenth = try await packets(["codec_config": ["gop_size": 10], "encoder_option": ["sc_threshold": 0]])
                #expect(everyTenth.keys == 5)
                let intraOnly = try await packets(["encoder": "mpeg4", "codec_config": ["gop_size": 0]])
                #expect(intraOnly.keys == 50)
                let (coarse, fine) = (
                    try await packets(["encoder": "mpeg4", "codec_config": ["qscale": 20]]).bytes,
                    try await packets(["encoder": "mpeg4", "codec_config": ["qscale": 2]]).bytes
                )
                #expect(coarse * 3 / 2 < fine)
                let (small, large) = (
                    try await packets(["encoder_option": ["crf": 40]]).bytes, try await packets(["encoder_option": ["crf": 5]]).bytes
                )
                #expect(small * 2 < large)
            }
        }

        @Test func videoBitRateShowsInTheSize() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                var sizes: [Int] = []
                for rate in [100_000, 1_000_000] {
                    let stream = clip.streams(["encoder": "mpeg4", "codec_config": ["bit_rate": .number(Double(rate))]])[0]
                    _ = try await encode(stream, "v.mkv", clip.frames(0..<100), on: server)
                    sizes.append(try server.output("v.mkv").count)
                }
                #expect(sizes[0] * 3 < sizes[1], "\(sizes)")
            }
        }

        @Test func hardwareThatIsNotThereIsNamed() async throws {
            try await withServer { server in
                for (device, encoder) in [("cuda:0", "h264_nvenc"), ("vaapi:/dev/dri/nosuch", "h264_vaapi"), ("tpu:0", "libx264")] {
                    var stream = Self.video
                    stream["hw_accel"] = .string(device)
                    stream["encoder"] = .string(encoder)
                    let response = try await server.curl(
                        "POST", "/v1/writers", body: .json(["dst": "v.mp4", "streams": [stream], "open": true]))
                    guard response.status != 201 else { continue }  // There is such hardware here.
                    #expect(response.status == 422, "\(response.text)")
                    #expect(["unsupported-hardware", "unknown-encoder", "invalid-parameter"].contains(response.problem), "\(response.text)")
                }
            }
        }

        @Test func whatIsChangedIsInTheResultWithItsStream() async throws {
            try await withServer { server in
                var rgb = Self.video
                rgb["format"] = "rgb24"
                let id = try await server.createWriter(["dst": "v.mp4", "streams": [Self.audio, rgb], "open": true])
                try await server.sendChunk(Self.tones, to: id, stream: 0)
                try await server.sendChunk(Data(count: 64 * 48 * 3 * 5), to: id, stream: 1)
                let closed = try await server.finalize(id)
                #expect(closed["streams"][0]["warnings"] == [])
                let codes = ["color-converted", "chroma-subsampled"]
                #expect(closed["streams"][1]["warnings"].array.map { $0["code"].string } == codes)
                let listed = closed["result"]["warnings"].array
                #expect(listed.map { $0["code"].string } == codes && listed.allSatisfy { $0["stream"] == 1 }, "\(closed)")
                #expect(listed.last?["detail"].string?.contains("encoder_format yuv444p keeps them") == true)
            }
        }

        // MARK: The writer

        @Test func formatOverridesTheNameAndBufferSizeChangesNothing() async throws {
            try await withServer { server in
                var files: [Data] = []
                for size in [512, 4_096, 1_000_000] {
                    let id = try await server.createWriter([
                        "dst": "any.thing", "format": "wav", "buffer_size": .number(Double(size)), "overwrite": true,
                        "streams": [Self.audio], "open": true,
                    ])
                    try await server.sendChunk(Self.tones, to: id, stream: 0)
                    try await server.finalize(id)
                    files.append(try server.output("any.thing"))
                }
                #expect(files[0].starts(with: Data("RIFF".utf8)))
                #expect(files[0].suffix(Self.tones.count) == Self.tones)
                #expect(files[1] == files[0] && files[2] == files[0])
            }
        }

        @Test func seedTableNamesTestsThatExist() throws {
            let table = try String(contentsOfFile: Repository.root + "/docs/reference/seed-parameters.md", encoding: .utf8)
            var named = 0
            for match in table.matches(of: /((?:`\w+`, )*`\w+`) in (\w+(?:\/\w+)+\.swift)/) {
                let source = try String(contentsOfFile: Repository.root + "/Tests/" + match.2, encoding: .utf8)
                for name in match.1.split(whereSeparator: { "`, ".contains($0) }) {
                    #expect(source.contains("func \(name)("), "\(name) in \(match.2)")
                    named += 1
                }
            }
            #expect(named >= 60)
        }
    }
}
