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
                // Playlists are written anew with each segment.
                let written = try #require(closed["bytes_written"].int)
                #expect(bytes <= written && written < bytes * 2, "\(written) bytes written for \(bytes)")
                let pattern = try Regex(folder.pattern)
                for name in names { #expect(name.wholeMatch(of: pattern) != nil, "\(name)") }
                let bytes = try names.reduce(0) { try $0 + server.output($1).count }
                #expect(closed["result"]["bytes"].int == bytes)

                let playlist = names.first { !$0.contains("part") && !$0.hasSuffix(".ts") && !$0.hasSuffix(".m4s") } ?? ""
                let played = try await Pictures.decoded(server.outputFolder + "/" + playlist)
                #expect(played == pictures.frames)

                let other = server.outputFolder + "/show/of-somebody-else.ts"
                try Data("kept".utf8).write(to: URL(fileURLWithPath: other))
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 204)
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
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder).count > 1)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 204)
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
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 204)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/stills") == [])
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
