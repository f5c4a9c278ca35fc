import Foundation
import Testing

extension EndToEnd {
    /// Muxers that write several files.
    @Suite struct FolderOutputTests {
        struct Folder: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let dst: String
            var format: JSON = .null
            let option: JSON
            /// How many files come of 60 frames, and what they are called.
            let count: Int
            let pattern: String
        }

        static let folders = [
            Folder(
                testDescription: "hls", dst: "show/live.m3u8", option: ["hls_time": "0.8", "hls_list_size": 0],
                count: 4, pattern: #"show/live(\d+\.ts|\.m3u8)"#),
            Folder(
                testDescription: "dash", dst: "show/live.mpd", option: ["seg_duration": "0.8"],
                count: 5, pattern: #"show/(live\.mpd|(init|chunk)-stream0.*\.m4s)"#),
            Folder(
                testDescription: "segment", dst: "show/part%02d.mkv", format: "segment",
                option: ["segment_time": "0.8", "segment_list": "show/list.ffconcat", "segment_list_type": "ffconcat"],
                count: 4, pattern: #"show/(part\d\d\.mkv|list\.ffconcat)"#),
        ]

        @Test(arguments: folders)
        func playlistPlaysEveryFrameAndDeleteRemovesItAll(_ folder: Folder) async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": .string(folder.dst), "format": folder.format, "streams": [Pictures.stream(gop: 20)],
                    "open": ["option": folder.option],
                ])
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                let closed = try await server.finalize(id)
                let names = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/show")
                    .map { "show/" + $0 }.sorted()
                #expect(names.count == folder.count, "\(names)")
                #expect(closed["result"]["files"].array.compactMap(\.string) == names)
                let pattern = try Regex(folder.pattern)
                for name in names { #expect(name.wholeMatch(of: pattern) != nil, "\(name)") }
                let bytes = try names.reduce(0) { try $0 + server.output($1).count }
                #expect(closed["result"]["bytes"].int == bytes)
                // Playlists are written anew with each segment.
                let written = try #require(closed["bytes_written"].int)
                #expect(bytes <= written && written < bytes * 2, "\(written) bytes written for \(bytes)")

                let playlist = names.first { !$0.contains("part") && !$0.hasSuffix(".ts") && !$0.hasSuffix(".m4s") } ?? ""
                let played = try await Pictures.decoded(server.outputFolder + "/" + playlist)
                #expect(played == pictures.frames)

                let other = server.outputFolder + "/show/of-somebody-else.ts"
                try Data("kept".utf8).write(to: URL(fileURLWithPath: other))
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                let left = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/show")
                #expect(left == ["of-somebody-else.ts"])
            }
        }

        @Test func deletingAnOpenWriterRemovesItsPlaylistAndSegments() async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "live.m3u8", "streams": [Pictures.stream(gop: 20)],
                    "open": ["option": ["hls_time": "0.8"]],
                ])
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await eventually("its carrier makes files") { try FileManager.default.contentsOfDirectory(atPath: server.outputFolder).count > 1 }
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == [])
            }
        }

        @Test func numberedPicturesArePNGsOfEveryFrame() async throws {
            let clip = try await Clip.small()
            let sent = clip.frames(0..<10)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "stills/img%03d.png", "streams": [clip.streams()[0]], "open": true,
                ])
                #expect(try await server.writer(id)["streams"][0]["encoder"] == "png")
                try await server.sendChunk(sent, to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.count == 10)
                #expect(try server.output("stills/img001.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
                try await Tool.ffmpeg(
                    "-v", "error", "-i", server.outputFolder + "/stills/img%03d.png", "-f", "rawvideo",
                    "-pix_fmt", "rgb24", server.outputFolder + "/back")
                #expect(try server.output("back") == sent)
                let output = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(output.status == 404, "there is no one file to send")
            }
        }

        /// What is told of a writer while it is open does not grow with its files, over HTTP or on disk.
        @Test func thousandsOfPicturesAreListedAtTheEndAndNotBefore() async throws {
            let count = 3_000
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "stills/%d.png", "open": true,
                    "streams": [["type": "video", "frame_rate": 25, "width": 2, "height": 2, "encoder": "png"]],
                ])
                try await server.sendChunk(Data(count: 12), to: id, stream: 0)
                let early = try await server.curl("GET", "/v1/writers/\(id)").body.count
                try await server.sendChunk(Data(count: 12 * (count - 1)), to: id, stream: 0)
                let late = try await server.curl("GET", "/v1/writers/\(id)").body.count
                #expect(late < early + 40, "\(early) bytes of JSON with one file and \(late) with \(count)")
                let record = server.folder / "state/writers/\(id)/record.json"
                #expect(try Data(contentsOf: URL(fileURLWithPath: record)).count < 4_096)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.count == count)
                #expect(try await server.curl("GET", "/v1/writers/\(id)").json == closed)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(!FileManager.default.fileExists(atPath: server.outputFolder + "/stills"))
            }
        }

        struct Correction: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let dst: String
            var format: JSON = .null
            /// The option with a name that can't be used; nil: dst is that.
            var option: (String, String)?
            let files: [String]
        }

        static let corrections = [
            Correction(
                testDescription: "hls", dst: "x/live.m3u8", option: ("hls_segment_filename", "/tmp/s%d.ts"),
                files: ["x/live.m3u8", "x/s0.ts", "x/s1.ts", "x/s2.ts"]),
            Correction(
                testDescription: "hls, without a number", dst: "x/live.m3u8", option: ("hls_segment_filename", "s.ts"),
                files: ["x/live.m3u8", "x/s0.ts", "x/s1.ts", "x/s2.ts"]),
            Correction(
                testDescription: "dash", dst: "x/live.mpd", option: ("media_seg_name", "deep/a.m4s"),
                files: ["x/deep/a-1.m4s", "x/deep/a-2.m4s", "x/deep/a-3.m4s", "x/init-stream0.m4s", "x/live.mpd"]),
            Correction(
                testDescription: "segment", dst: "50%/p%d.mkv", format: "segment", files: ["50%/p0.mkv", "50%/p1.mkv", "50%/p2.mkv"]),
            Correction(testDescription: "segment, without a number", dst: "x/p.mkv", format: "segment", files: ["x/p0.mkv", "x/p1.mkv", "x/p2.mkv"]),
        ]

        /// What the refusal says to write instead is pasted, and works.
        @Test(arguments: corrections) func whatARefusalSaysWorks(_ correction: Correction) async throws {
            try await withServer { server in
                let length = correction.format == "segment" ? "segment_time" : correction.dst.hasSuffix("mpd") ? "seg_duration" : "hls_time"
                let time: JSON = .object([length: "0.8"])
                func body(_ dst: String, _ value: String?) -> JSON {
                    let named: JSON = correction.option.map { .object([$0.0: .string(value ?? $0.1)]) } ?? .object([:])
                    return [
                        "dst": .string(dst), "format": correction.format, "streams": [Pictures.stream(gop: 20)],
                        "open": ["option": time.merging(named)],
                    ]
                }
                var refused: Response?
                for path in ["/v1/writers?dry_run=true", "/v1/writers"] {
                    refused = try await server.curl("POST", path, body: .json(body(correction.dst, nil)))
                    #expect([403, 422].contains(refused?.status), "\(path): \(refused?.text ?? "")")
                }
                let detail = try #require(refused?.json["detail"].string)
                // The last that is in quotation marks.
                let quoted = try #require(detail.split(separator: "\"", omittingEmptySubsequences: false).dropLast().last.map(String.init))
                let id = try await server.createWriter(correction.option == nil ? body(quoted, nil) : body(correction.dst, quoted))
                try await server.sendChunk(Pictures(60).data, to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.compactMap(\.string) == correction.files)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }

        @Test func picturesLieInAFolderWithAPercentSign() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let writer: JSON = ["dst": "50%/img%03d.png", "streams": [clip.streams()[0]], "open": true]
                let refused = try await server.curl("POST", "/v1/writers", body: .json(writer))
                #expect(refused.status == 422 && refused.json["parameter"] == "dst", "\(refused.text)")
                let right = try #require(refused.json["supported"][0].string)
                let id = try await server.createWriter(writer.merging(["dst": .string(right)]))
                try await server.sendChunk(clip.frames(0..<3), to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.compactMap(\.string) == ["50%/img001.png", "50%/img002.png", "50%/img003.png"])
                #expect(closed["bytes_written"] == closed["result"]["bytes"])
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }

        @Test func muxerIsNotLedOutOfTheOutputDirectory() async throws {
            try await withServer { server in
                let outside = server.folder / "outside"
                try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
                for name in ["\(outside)/s%d.ts", "../outside/s%d.ts", "file:\(outside)/s%d.ts", "udp://127.0.0.1:9/%d"] {
                    let response = try await server.curl(
                        "POST", "/v1/writers",
                        body: .json([
                            "dst": "live.m3u8", "streams": [Pictures.stream(gop: 20)],
                            "open": ["option": ["hls_segment_filename": .string(name)]],
                        ]))
                    if response.status == 201, let id = response.json["id"].string {
                        let chunk = try await server.curl(
                            "POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(60).data))
                        let end = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                        #expect(chunk.status >= 400 || end.status >= 400, "\(name)")
                    }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [], "\(name)")
                }
            }
        }
    }
}
