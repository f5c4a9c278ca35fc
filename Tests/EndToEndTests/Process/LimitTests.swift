import Foundation
import Testing

extension EndToEnd {
    /// What a writer may cost, up to the last unit and one beyond.
    @Suite struct LimitTests {
        private static let video: JSON = [
            "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "gray", "encoder": "ffv1",
        ]
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 2, "format": "s16", "encoder": "pcm_s16le"]

        private static func video(_ members: [String: JSON]) -> JSON { with(video, members) }
        private static func audio(_ members: [String: JSON]) -> JSON { with(audio, members) }
        private static func with(_ stream: JSON, _ members: [String: JSON]) -> JSON {
            members.reduce(into: stream) { $0[$1.key] = $1.value }
        }

        @Test(arguments: [
            (video(["width": 64, "height": 64]), video(["width": 65, "height": 64]), "width", "4160", "--max-pixels", 4_096),
            (video(["encoder_width": 64, "encoder_height": 64]), video(["encoder_width": 64, "encoder_height": 66]), "encoder_width", "4224", "--max-pixels", 4_096),
            (video(["filter_desc": "scale=64:64,scale=32:32"]), video(["filter_desc": "scale=66:64,scale=32:32"]), "filter_desc", "4224", "--max-pixels", 4_096),
            (video(["filter_desc": "pad=64:64"]), video(["filter_desc": "tile=2x2"]), "filter_desc", "12288", "--max-pixels", 4_096),
            (audio(["num_channels": 8]), audio(["num_channels": 9]), "num_channels", "9", "--max-channels", 8),
            (audio(["encoder_num_channels": 8]), audio(["encoder_num_channels": 9]), "encoder_num_channels", "9", "--max-channels", 8),
            (
                audio(["filter_desc": "asplit=4[a][b][c][d];[a][b][c][d]amerge=4,pan=mono|c0=c0"]),
                audio(["filter_desc": "asplit=5[a][b][c][d][e];[a][b][c][d][e]amerge=5,pan=mono|c0=c0"]), "filter_desc", "10",
                "--max-channels", 8
            ),
            (video(["encoder_option": ["threads": 3]]), video(["encoder_option": ["threads": 4]]), "encoder_option.threads", "4", "--max-threads", 3),
            (
                video(["encoder": "libx264", "encoder_option": ["x264-params": "threads=3:lookahead-threads=3"]]),
                video(["encoder": "libx264", "encoder_option": ["x264-params": "keyint=5:lookahead_threads=4"]]),
                "encoder_option.x264-params", "4", "--max-threads", 3
            ),
            (
                video(["encoder": "libx264", "encoder_option": ["x264opts": "threads=3"]]),
                video(["encoder": "libx264", "encoder_option": ["x264opts": "threads=4"]]), "encoder_option.x264opts", "4", "--max-threads", 3
            ),
            (
                video(["encoder": "libx265", "width": 128, "height": 32, "encoder_option": ["x265-params": "pools=2,1"]]),
                video(["encoder": "libx265", "width": 128, "height": 32, "encoder_option": ["x265-params": "pools=2,2"]]),
                "encoder_option.x265-params", "4", "--max-threads", 3
            ),
            (video(["filter_desc": "hflip=threads=3"]), video(["filter_desc": "hflip=threads=4"]), "filter_desc", "4", "--max-threads", 3),
        ] as [(JSON, JSON, String, String, String, Int)])
        func oneBeyondALimitIsRefusedByNameValueAndFlag(
            within: JSON, beyond: JSON, parameter: String, value: String, flag: String, limit: Int
        ) async throws {
            let options = ["--max-pixels", "4096", "--max-channels", "8", "--max-threads", "3"]
            try await withServer(options) { server in
                for dryRun in ["", "?dry_run=true"] {
                    let taken = try await server.curl(
                        "POST", "/v1/writers" + dryRun, body: .json(["format": "matroska", "streams": [within]]))
                    #expect(taken.status == (dryRun.isEmpty ? 201 : 200), "\(taken.text)")
                    let refused = try await server.curl(
                        "POST", "/v1/writers" + dryRun, body: .json(["format": "matroska", "streams": [beyond]]))
                    #expect(refused.status == 422, "\(refused.text)")
                    #expect(refused.problem == "limit-exceeded", "\(refused.text)")
                    #expect(refused.json["parameter"].string == parameter, "\(refused.text)")
                    #expect(refused.json["limit"].int == limit, "\(refused.text)")
                    let detail = refused.json["detail"].string ?? ""
                    #expect(detail.contains(value) && detail.contains("\(limit)") && detail.contains(flag), "\(detail)")
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.count == 1)
            }
        }

        @Test func streamsAreCountedHoweverTheyAreAdded() async throws {
            try await withServer(["--max-streams", "2"]) { server in
                let three = try await server.curl(
                    "POST", "/v1/writers", body: .json(["format": "matroska", "streams": [Self.audio, Self.audio, Self.audio]]))
                #expect(three.status == 422)
                #expect(three.problem == "limit-exceeded")
                #expect(three.json["pointer"] == "/streams")
                #expect(three.json["detail"].string?.contains("--max-streams") == true, "\(three.text)")
                let id = try await server.createWriter(["format": "matroska", "streams": [Self.audio, Self.audio]])
                let third = try await server.curl("POST", "/v1/writers/\(id)/streams", body: .json(Self.audio))
                #expect(third.problem == "limit-exceeded")
                #expect(try await server.curl("POST", "/v1/writers/\(id)/open").status == 200)
            }
        }

        @Test func ratesThatNothingPlaysAreRefusedWithinFiltersToo() async throws {
            try await withServer { server in
                for (stream, says) in [
                    (Self.video(["frame_rate": 1_000_000_000]), "1000"), (Self.video(["frame_rate": "1001/1"]), "1000"),
                    (Self.video(["encoder_frame_rate": 1_001]), "1000"), (Self.video(["filter_desc": "fps=1001,fps=25"]), "1000"),
                    (Self.audio(["sample_rate": 768_001]), "768000"), (Self.audio(["encoder_sample_rate": 2_000_000]), "768000"),
                    (Self.audio(["filter_desc": "asetrate=1000000,aresample=8000"]), "768000"),
                ] {
                    let refused = try await server.curl(
                        "POST", "/v1/writers", body: .json(["format": "matroska", "streams": [stream]]))
                    #expect(refused.status == 422, "\(refused.text)")
                    // The last one is a value of the filter's own.
                    #expect(["invalid-parameter", "invalid-filter"].contains(refused.problem), "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains(says) == true, "\(refused.text)")
                }
                for stream in [Self.video(["frame_rate": 1_000]), Self.audio(["sample_rate": 768_000])] {
                    _ = try await server.createWriter(["format": "matroska", "streams": [stream], "open": true])
                }
            }
        }

        @Test func largestPictureOfTheDefaultIsTakenAndEncoded() async throws {
            try await withServer { server in
                let large = Self.video(["width": 8_192, "height": 8_192, "encoder": "rawvideo"])
                let id = try await server.createWriter(["format": "rawvideo", "streams": [large], "open": true])
                try await server.sendChunk(Data(count: 8_192 * 8_192), to: id, stream: 0)
                #expect(try await server.finalize(id)["result"]["bytes"] == 67_108_864)
                let larger = Self.video(["width": 8_194, "height": 8_192])
                let refused = try await server.curl("POST", "/v1/writers", body: .json(["format": "nut", "streams": [larger]]))
                #expect(refused.json["limit"] == 67_108_864)
            }
        }

        /// As the kernel sees them, of a server with these options.
        private func threads(_ encoderOption: [String: JSON], _ options: String...) async throws -> Int {
            try await withServer(options) { server in
                let stream = Self.video(["width": 640, "height": 480, "encoder": "libx264", "encoder_option": .object(encoderOption)])
                // One connection, so that one thread serves it.
                let connection = try RawConnection(port: server.port)
                let made = try await connection.request(
                    "POST", "/v1/writers", json: ["format": "matroska", "streams": [stream]])
                let pid = try #require(made.json["encoder_pid"].int, "\(made.text)")
                return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
            }
        }

        @Test func encodersHaveTheServersThreadsUnlessTheyAreTold() async throws {
            let one = try await threads([:])
            #expect(try await threads([:], "--default-threads", "1") == one)
            let three = try await threads(["threads": 3])
            #expect(three > one)
            #expect(try await threads([:], "--default-threads", "3") == three)
            #expect(try await threads(["threads": 1], "--default-threads", "3") == one)
            #expect(try await threads([:], "--default-threads", "16", "--max-threads", "3") == three)
            let processors = min(16, ProcessInfo.processInfo.activeProcessorCount)
            #expect(try await threads([:], "--default-threads", "0", "--max-threads", "16") == threads(["threads": .number(Double(processors))]))
        }

        @Test func autoThreadsAreOneForEachProcessorWithinTheLimit() async throws {
            func threads(_ option: String, _ value: JSON, limit: Int) async throws -> Int {
                try await self.threads([option: value], "--max-threads", "\(limit)")
            }
            let one = try await threads("threads", 1, limit: 4)
            #expect(try await threads("threads", "auto", limit: 1) == one)
            #expect(try await threads("threads", 4, limit: 4) > one)
            let limit = 16
            let processors = ProcessInfo.processInfo.activeProcessorCount
            let each = try await threads("threads", .number(Double(min(limit, processors))), limit: limit)
            #expect(try await threads("threads", 0, limit: limit) == each)
            #expect(try await threads("x264-params", "threads=auto", limit: limit) == each)
        }

        @Test func asManyThreadsAsFFmpegUsesAreTakenByDefault() async throws {
            try await withServer { server in
                for (count, status) in [(16, 201), (max(16, ProcessInfo.processInfo.activeProcessorCount) + 1, 422)] {
                    let stream = Self.video(["encoder_option": ["threads": .number(Double(count))]])
                    let answer = try await server.curl(
                        "POST", "/v1/writers", body: .json(["format": "matroska", "streams": [stream]]))
                    #expect(answer.status == status, "\(answer.text)")
                }
            }
        }

        @Test func writerWhoseTimeIsOverIsFinalizedAndSaysSo() async throws {
            try await withServer(["--max-run-time", "3"]) { server in
                let open: JSON = ["format": "wav", "streams": [Self.audio], "open": true]
                let id = try await server.createWriter(open)
                let unopened = try await server.createWriter(["format": "wav"])
                // Not even an upload that goes on lives longer; its whole frames are kept.
                let busy = try await server.createWriter(open)
                let connection = try RawConnection(port: server.port)
                let head = RawConnection.head("POST", "/v1/writers/\(busy)/streams/0/chunks", contentLength: 16_000)
                try await connection.send(Data(head.utf8) + Data(count: 8_002))
                let isOver = try await eventually {
                    (try? await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Data(count: 400))))?.status != 200
                }
                #expect(isOver)
                for (writer, frames) in [(busy, 2_000), (id, nil as Int?)] {
                    let closed = try await server.writer(writer, in: "closed")
                    #expect(closed["result"]["ended_by"] == "run_time", "\(closed)")
                    if let frames { #expect(closed["streams"][0]["frames"].int == frames) }
                    let output = try await server.curl("GET", "/v1/writers/\(writer)/output")
                    #expect(output.body.count > 4 * (closed["streams"][0]["frames"].int ?? .max))
                }
                withExtendedLifetime(connection) {}
                let failed = try await server.writer(unopened, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:limit-exceeded")
                #expect(failed["failure"]["detail"].string?.contains("--max-run-time") == true)
                // One request is a writer too.
                let seconds = try await secondsOf {
                    let encode = try RawConnection(port: server.port)
                    try await encode.send(
                        RawConnection.head("POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=1&sample_format=s16", contentLength: 1_000))
                    _ = try? await encode.response()
                }
                // Without it, --body-timeout ends it after 60 s.
                #expect((2...30).contains(seconds), "\(seconds)")
                _ = try await server.createWriter(open)
            }
        }

        @Test func limitsThatAreNoneAreRefusedAtTheStart() async throws {
            for (option, value) in [
                ("--max-pixels", "0"), ("--max-channels", "513"), ("--max-streams", "0"), ("--max-outputs", "0"), ("--max-outputs", "257"), ("--max-threads", "-1"),
                ("--max-load", "101"), ("--call-timeout", "-1"), ("--encoder-timeout", "nan"), ("--max-run-time", "-5"),
            ] {
                let (process, log) = try PenstockServer.launch(["serve", "--port", "0", "\(option)=\(value)"])
                #expect(try await process.ended(within: 20) == .exited(64), "\(option) \(value)")
                _ = await log.ended(within: 20)
                #expect(log.text.contains(option), "\(log.text)")
            }
        }
    }
}
