import Foundation
import Testing

extension EndToEnd {
    /// When frames are, and what may be said of them when.
    @Suite struct TimingTests {
        private func times(_ path: String) async throws -> [Double] {
            let result = try await Tool.run(
                "ffprobe", ["-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path])
            return result.text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }
        }

        @Test(arguments: ["mkv", "mp4", "mov", "nut", "ts"])
        func gapsSurviveToTheOutput(_ container: String) async throws {
            let pictures = Pictures(9)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": .string("gaps." + container), "streams": [Pictures.stream()], "open": true,
                ])
                let path = "/v1/writers/\(id)/streams/0/chunks"
                func send(_ frames: Range<Int>, at pts: String? = nil) async throws -> Response {
                    let body = pictures.frames[frames].reduce(Data(), +)
                    return try await server.curl("POST", path + (pts.map { "?pts=" + $0 } ?? ""), body: .bytes(body))
                }
                #expect(try await send(0..<3).json["pts"] == ["start": 0, "end": 0.12])
                // 1.013 is between two frames of 25 a second.
                #expect(try await send(3..<5, at: "1.013").json["pts"] == ["start": 1, "end": 1.08])
                #expect(try await send(5..<6).json["pts"] == ["start": 1.08, "end": 1.12])
                #expect(try await send(6..<9, at: "60").json["pts"] == ["start": 60, "end": 60.12])
                let closed = try await server.finalize(id)
                #expect(closed["result"]["duration"] == 60.12)
                let output = server.outputFolder + "/gaps." + container
                let found = try await times(output)
                let first = found.first ?? 0
                let wanted = [0, 0.04, 0.08, 1, 1.04, 1.08, 60, 60.04, 60.08]
                #expect(found.count == wanted.count)
                for (time, wanted) in zip(found, wanted) { #expect(abs(time - first - wanted) < 0.002, "\(found)") }
                #expect(try await Pictures.decoded(output) == pictures.frames)
                if container == "mp4" || container == "mkv" {
                    let duration = try await Tool.ffprobe(output)["format"]["duration"].string.flatMap { Double($0) } ?? 0
                    #expect(abs(duration - 60.12) < 0.002, "the last frame keeps its duration")
                }
            }
        }

        @Test func silentGapKeepsSoundInItsPlace() async throws {
            let samples = Data((0..<4_000).flatMap { [UInt8(truncatingIfNeeded: $0), 1] })
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "gap.mkv",
                    "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"]],
                    "open": true,
                ])
                try await server.sendChunk(samples, to: id, stream: 0)
                let second = try await server.curl(
                    "POST", "/v1/writers/\(id)/streams/0/chunks?pts=2", body: .bytes(samples))
                #expect(second.json["pts"] == ["start": 2, "end": 2.5], "\(second.text)")
                try await server.finalize(id)
                let packets = try await Tool.run(
                    "ffprobe", ["-v", "error", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0", server.outputFolder + "/gap.mkv"])
                let rows = packets.text.split(separator: "\n").map { $0.split(separator: ",").compactMap { Double($0) } }
                let early = rows.filter { $0[0] < 1 }.reduce(0) { $0 + $1[1] }
                let late = rows.filter { $0[0] >= 2 }.reduce(0) { $0 + $1[1] }
                // What is left of the encoder's frame is silence, as the gap is.
                #expect((8_000..<16_000).contains(early), "\(packets.text)")
                #expect(late == 8_000)
                try await Tool.ffmpeg("-v", "error", "-i", server.outputFolder + "/gap.mkv", "-f", "s16le", server.outputFolder + "/raw")
                let decoded = try server.output("raw")
                #expect(decoded.prefix(8_000) == samples && decoded.suffix(8_000) == samples)
                #expect(decoded.dropFirst(8_000).dropLast(8_000).allSatisfy { $0 == 0 })
            }
        }

        @Test func timeThatIsGoneIsRefusedWithTheNextOne() async throws {
            let pictures = Pictures(5)
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Pictures.stream()], "open": true])
                let path = "/v1/writers/\(id)/streams/0/chunks"
                try await server.sendChunk(pictures.frames[0] + pictures.frames[1], to: id, stream: 0)
                for pts in ["0", "0.04", "0.0599"] {
                    let early = try await server.curl("POST", path + "?pts=\(pts)", body: .bytes(pictures.frames[2]))
                    #expect(early.status == 409, "\(pts): \(early.text)")
                    #expect(early.problem == "pts-too-early")
                    #expect(early.json["expected_pts"] == 0.08)
                    #expect(early.json["parameter"] == "pts")
                }
                for pts in ["nan", "inf", "-0.1", "1e400", "soon", ""] {
                    let wrong = try await server.curl("POST", path + "?pts=\(pts)", body: .bytes(pictures.frames[2]))
                    #expect(wrong.status == 422, "\(pts): \(wrong.text)")
                }
                let exact = try await server.curl("POST", path + "?pts=0.08", body: .bytes(pictures.frames[2]))
                #expect(exact.status == 200, "\(exact.text)")
                try await server.finalize(id)
                #expect(try await Pictures.decoded(server.outputFolder + "/a.mkv") == Array(pictures.frames[..<3]))
            }
        }

        @Test(arguments: ["zerolatency", nil]) func flushBringsOutWhatIsEncodedAndTheWriterGoesOn(_ tune: String?) async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                var encoder: [String: JSON] = ["encoder": "libx264"]
                if let tune { encoder["encoder_option"] = ["tune": .string(tune)] }
                let stream = clip.streams(encoder)[0]
                let id = try await server.createWriter(["dst": "a.ts", "streams": [stream], "open": true])
                try await server.sendChunk(clip.frames(0..<30), to: id, stream: 0)
                let flushed = try await server.curl("POST", "/v1/writers/\(id)/flush")
                #expect(flushed.status == 200, "\(flushed.text)")
                #expect(flushed.json["state"] == "open")
                #expect(flushed.json["streams"][0]["frames_encoded"] == 30)
                if tune == nil {
                    #expect(try server.output("a.ts").count < 10_000, "x264 looks 40 frames ahead, and goes on holding them")
                } else {
                    let early = try await Tool.ffprobe(server.outputFolder + "/a.ts")
                    #expect(early["streams"][0]["nb_read_frames"] == "30", "all of it is in the file")
                }
                try await server.sendChunk(clip.frames(30..<60), to: id, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/flush").status == 200)
                try await server.sendChunk(clip.frames(60..<70), to: id, stream: 0)
                try await server.finalize(id)
                let found = try await times(server.outputFolder + "/a.ts")
                #expect(found.count == 70)
                for (earlier, later) in zip(found, found.dropFirst()) { #expect(abs(later - earlier - 0.04) < 0.001) }
            }
        }

        @Test func gapsThatAContainerCannotHoldAreFilledAndNamed() async throws {
            let samples = Data((0..<4_000).flatMap { [UInt8(truncatingIfNeeded: $0), 1] })
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "gap.wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]],
                    "open": true,
                ])
                let path = "/v1/writers/\(id)/streams/0/chunks"
                let late = try await server.curl("POST", path + "?pts=2.5", body: .bytes(samples))
                #expect(late.json["pts"] == ["start": 2.5, "end": 3], "\(late.text)")
                let tooLate = try await server.curl("POST", path + "?pts=9000", body: .bytes(samples))
                #expect(tooLate.status == 422 && tooLate.json["parameter"] == "pts", "\(tooLate.text)")
                let result = try await server.finalize(id)["result"]
                #expect(result["duration"] == 3)
                #expect(result["warnings"][0]["code"] == "gap-filled" && result["warnings"][0]["stream"] == 0, "\(result)")
                try await Tool.ffmpeg("-v", "error", "-i", server.outputFolder + "/gap.wav", "-f", "s16le", server.outputFolder + "/raw")
                #expect(try server.output("raw") == Data(count: 40_000) + samples)
            }
        }

        @Test func timeBaseAndDurationSayWhereEachPictureIs() async throws {
            let pictures = Pictures(4)
            try await withServer { server in
                let stream = Pictures.stream().merging(["time_base": "1/1000"])
                let id = try await server.createWriter(["dst": "own.mkv", "streams": [stream], "open": true])
                let path = "/v1/writers/\(id)/streams/0/chunks"
                for (index, query) in ["?pts=0", "?pts=0.031", "?pts=0.077&duration=0.5", "?duration=1"].enumerated() {
                    let sent = try await server.curl("POST", path + query, body: .bytes(pictures.frames[index]))
                    #expect(sent.status == 200, "\(sent.text)")
                }
                for wrong in ["0", "-1", "nan", "0.0001", ""] {
                    let refused = try await server.curl("POST", path + "?duration=\(wrong)", body: .bytes(pictures.frames[0]))
                    #expect(refused.status == 422 && refused.json["parameter"] == "duration", "\(wrong): \(refused.text)")
                }
                let closed = try await server.finalize(id)
                #expect(closed["streams"][0]["time_base"] == "1/1000")
                #expect(closed["result"]["duration"] == 1.577)
                let found = try await times(server.outputFolder + "/own.mkv")
                #expect(found == [0, 0.031, 0.077, 0.577])
            }
        }

        @Test func lastMetadataWinsAndComesBeforeOpen() async throws {
            let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.flac", "metadata": ["title": "first", "artist": "gone"], "streams": [audio],
                ])
                for metadata in [["title": "second", "album": "gone too"], ["title": "third", "track": 7]] as [JSON] {
                    let answer = try await server.curl("PUT", "/v1/writers/\(id)/metadata", body: .json(metadata))
                    #expect(answer.status == 200, "\(answer.text)")
                }
                #expect(try await server.writer(id)["metadata"] == ["title": "third", "track": "7"])
                #expect(try await server.curl("POST", "/v1/writers/\(id)/open").status == 200)
                let late = try await server.curl("PUT", "/v1/writers/\(id)/metadata", body: .json(["title": "late"]))
                #expect(late.status == 409)
                #expect(late.problem == "wrong-state")
                #expect(late.json["state"] == "open")
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                try await server.finalize(id)
                let tags = try await Tool.ffprobe(server.outputFolder + "/a.flac")["format"]["tags"].object
                #expect(Set(tags.map { $0.key.lowercased() }) == ["title", "track", "encoder"])
                #expect(tags.first { $0.key.lowercased() == "title" }?.value == "third")
            }
        }

        @Test func flacWithoutAHeaderHasNoMetadata() async throws {
            let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
            try await withServer { server in
                for (name, option) in [("with", [:]), ("without", ["write_header": "false"])] as [(String, JSON)] {
                    let id = try await server.createWriter([
                        "dst": .string(name + ".flac"), "metadata": ["artist": "torchaudio contributors"],
                        "streams": [audio], "open": ["option": option],
                    ])
                    try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                    try await server.finalize(id)
                }
                let artist = Data("torchaudio contributors".utf8)
                #expect(try server.output("with.flac").range(of: artist) != nil)
                #expect(try server.output("without.flac").range(of: artist) == nil)
            }
        }
    }
}
