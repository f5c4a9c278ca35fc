import Foundation
import Testing

extension EndToEnd {
    /// What is said when a writer is made is what comes of it.
    @Suite struct JudgementTests {
        private static func video(_ members: JSON) -> JSON {
            (["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "libx264"] as JSON).merging(members)
        }

        private static let audio: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16"]

        private func codes(_ warnings: JSON) -> [String] { warnings.array.compactMap { $0["code"].string } }

        /// SVT-AV1 crashes where it gets no memory: it gets less to do at a time, or is not begun.
        @Test func largePicturesDoNotCrashSVT() async throws {
            try await withServer { server in
                for (width, height, status) in [(5000, 3000, 200), (8000, 6000, 422)] {
                    var stream = Self.video(["encoder": "libsvtav1", "encoder_option": ["preset": "12"]])
                    stream["width"] = .number(Double(width))
                    stream["height"] = .number(Double(height))
                    let body: JSON = ["format": "mp4", "streams": [stream], "open": true]
                    let dry = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
                    #expect(dry.status == status, "\(dry.text)")
                    if status == 200 { continue }
                    #expect(dry.json["parameter"] == "encoder_width" && dry.text.contains("--max-encoder-memory"), "\(dry.text)")
                }
            }
        }

        /// libsrt: keys of 16, 24 or 32 bytes, passphrases of 10 to 79 characters.
        @Test(arguments: [("pbkeylen", "x", ["16", "24", "32"]), ("pbkeylen", "5", ["16", "24", "32"]), ("passphrase", "short", nil), ("latency", "soon", nil)] as [(String, String, [String]?)])
        func valueThatSRTDoesNotTakeNamesItsOption(option: String, value: String, supported: [String]?) async throws {
            try await withServer(["--allow-output", "srt://127.0.0.1:*"]) { server in
                let options: JSON = .object([option: .string(value)])
                let body: JSON = ["dst": "srt://127.0.0.1:9", "streams": [Self.video([:])], "open": ["option": options]]
                let made = try await server.curl("POST", "/v1/writers", body: .json(body))
                #expect(made.status == 422 && made.json["parameter"].string == "option.\(option)", "\(made.text)")
                #expect(made.json["pointer"].string == "/open/option/\(option)", "\(made.text)")
                #expect(made.json["supported"].array.compactMap(\.string) == supported ?? [])
            }
        }

        /// libavformat writes its own name in the place of `encoder`, and no container an empty title.
        @Test(arguments: ["mp4", "matroska", "flac", "ogg"]) func metadataThatIsReplacedIsSaidAndEmptyOneIsNot(format: String) async throws {
            try await withServer { server in
                let metadata: JSON = ["encoder": "mine", "title": "", "artist": "me"]
                let id = try await server.createWriter(["format": .string(format), "metadata": metadata, "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 4 * 4800), to: id, stream: 0)
                let warnings = try await server.finalize(id)["result"]["warnings"].array
                #expect(warnings.map { $0["parameter"].string } == ["metadata.encoder"], "\(warnings)")
                #expect(warnings.first?["code"] == "metadata-dropped")
            }
        }

        /// MPEG-TS keeps a language of sound alone, and no FLAC; mp4 keeps both.
        @Test func streamsOfHLSAreJudgedByTheirSegments() async throws {
            try await withServer { server in
                func dryRun(_ stream: JSON, _ segments: String) async throws -> Response {
                    let body: JSON = ["dst": "a.m3u8", "streams": [stream], "open": ["option": ["hls_segment_type": .string(segments)]]]
                    return try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
                }
                let pictures = Self.video(["language": "en"])
                let (inTS, inMP4) = (try await dryRun(pictures, "mpegts"), try await dryRun(pictures, "fmp4"))
                #expect(codes(inTS.json["streams"][0]["warnings"]) == ["metadata-dropped"], "\(inTS.text)")
                #expect(inMP4.status == 200 && codes(inMP4.json["streams"][0]["warnings"]) == [], "\(inMP4.text)")
                let sound = Self.audio.merging(["encoder": "flac"])
                let refused = try await dryRun(sound, "mpegts")
                #expect(refused.status == 422 && refused.json["parameter"] == "encoder", "\(refused.text)")
                let taken = try await dryRun(sound, "fmp4")
                #expect(taken.status == 200, "\(taken.text)")
            }
        }

        /// Only where names are of the clock is that the reason.
        @Test func adviceOnNamesOfTheClockIsForThemAlone() async throws {
            try await withServer { server in
                try Data("kept".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/1.ppm"))
                func send(_ dst: String, _ option: JSON) async throws -> Response {
                    let body: JSON = ["dst": .string(dst), "streams": [Self.video(["encoder": "ppm"])], "open": ["option": option]]
                    let id = try await server.createWriter(body)
                    let sent = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Data(count: 64 * 48 * 3 / 2 * 3)))
                    // A carrier's refusal may come after the receipt.
                    return sent.status == 200 ? try await server.curl("POST", "/v1/writers/\(id)/finalize") : sent
                }
                let there = try await send("%d.ppm", [:])
                #expect(there.problem == "destination-exists" && !there.text.contains("strftime"), "\(there.text)")
                let again = try await send("c/%Y.ppm", ["strftime": 1])
                #expect(again.problem == "destination-exists" && again.text.contains("strftime"), "\(again.text)")
            }
        }
    }
}
