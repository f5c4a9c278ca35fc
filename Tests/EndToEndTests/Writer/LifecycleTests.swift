import Foundation
import Testing

extension EndToEnd {
    /// Writers through stops and restarts of the server.
    @Suite struct LifecycleTests {
        @Test func endedWriterIsKnownAfterARestart() async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let (id, before, output) = try await withServer(in: folder) { server in
                let id = try await server.createWriter([
                    "format": "mp4", "metadata": ["title": "kept"], "streams": [clip.streams()[1]], "open": true,
                ])
                try await server.sendChunk(clip.samples(0..<48_000), to: id, stream: 0)
                let closed = try await server.finalize(id)
                let output = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(output.status == 200)
                return (id, closed, output.body)
            }
            try await withServer(in: folder) { server in
                let after = try await server.writer(id)
                #expect(after == before)
                let list = try await server.curl("GET", "/v1/writers?state=closed")
                #expect(list.json["writers"].array == [before])
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").body == output)
                let range = try await server.curl("GET", "/v1/writers/\(id)/output", headers: ["Range: bytes=4-7"])
                #expect(range.status == 206)
                #expect(range.text == "ftyp")
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").json == before)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").status == 404)
            }
        }

        @Test func terminatedServerFinalizesOpenWriters() async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let ids = try await withServer(in: folder) { server in
                var ids: [String] = []
                for index in 0..<3 {
                    let streams = clip.streams(["encoder_option": ["preset": "ultrafast"]])
                    let id = try await server.createWriter([
                        "dst": .string("\(index).mp4"), "streams": streams, "open": true,
                    ])
                    try await server.sendChunk(clip.frames(0..<50), to: id, stream: 0)
                    try await server.sendChunk(clip.samples(0..<96_000), to: id, stream: 1)
                    ids.append(id)
                }
                return ids
            }
            for index in 0..<3 {
                let probe = try await Tool.ffprobe(folder / "output/\(index).mp4")
                #expect(probe["streams"][0]["nb_read_frames"] == "50")
                let duration = probe["streams"][1]["duration"].string.flatMap { Double($0) } ?? 0
                #expect(abs(duration - 2) <= 1024.0 / 48_000)
            }
            try await withServer(in: folder) { server in
                for id in ids {
                    let writer = try await server.writer(id)
                    #expect(writer["state"] == "closed")
                    #expect(writer["streams"][0]["frames"] == 50)
                    #expect(writer["result"]["bytes"].int ?? 0 > 0)
                }
            }
        }

        @Test func flushedWriterStaysUsable() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "flushed.mkv", "streams": [clip.streams()[0]], "open": true,
                ])
                try await server.sendChunk(clip.frames(0..<30), to: id, stream: 0)
                let flushed = try await server.curl("POST", "/v1/writers/\(id)/flush")
                #expect(flushed.status == 200, "\(flushed.text)")
                #expect(flushed.json["state"] == "open")
                #expect(flushed.json["streams"][0]["frames_encoded"] == 30)
                try await server.sendChunk(clip.frames(30..<60), to: id, stream: 0)
                try await server.finalize(id)
                let probe = try await Tool.ffprobe(server.outputFolder + "/flushed.mkv")
                #expect(probe["streams"][0]["nb_read_frames"] == "60")
            }
        }

        @Test func deletedWriterLeavesNoFile() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "gone/away.mp4", "streams": [clip.streams()[0]], "open": true,
                ])
                try await server.sendChunk(clip.frames(0..<10), to: id, stream: 0)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
                #expect(!FileManager.default.fileExists(atPath: server.outputFolder + "/gone/away.mp4"))
            }
        }

        /// Beside finalize a DELETE was told that the writer was closed, and deleted nothing.
        @Test func aDeleteBesideAFinalizeOrAnotherDeleteDeletes() async throws {
            try await withServer { server in
                let audio: JSON = [
                    "type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16", "encoder": "pcm_s16le",
                ]
                for round in 0..<12 {
                    let id = try await server.createWriter(["dst": .string("d\(round).wav"), "streams": [audio], "open": true])
                    try await server.sendChunk(Data(count: 48_000 * 4 * 10), to: id, stream: 0)
                    try await inParallel(3) { index in
                        let path = "/v1/writers/\(id)"
                        let answer = try await index == 0
                            ? server.curl("POST", path + "/finalize") : server.curl("DELETE", path)
                        // "Just ending: try again" is the one answer that is not about how it ended.
                        let expected = index == 0 ? [200, 404, 409, 503] : [200, 204, 404, 503]
                        #expect(expected.contains(answer.status), "\(index): \(answer.text)")
                        #expect(!answer.text.contains("configuring"), "\(answer.text)")
                    }
                    let left = try await server.curl("DELETE", "/v1/writers/\(id)")
                    #expect([200, 204, 404].contains(left.status), "\(left.text)")
                    #expect(!FileManager.default.fileExists(atPath: server.outputFolder + "/d\(round).wav"))
                }
            }
        }

        @Test func writersAreListedNewestFirstInPages() async throws {
            try await withServer { server in
                var created: [String] = []
                for _ in 0..<5 { created.append(try await server.createWriter(["format": "wav"])) }
                var listed: [String] = []
                var path = "/v1/writers?limit=2"
                while true {
                    let page = try await server.curl("GET", path).json
                    listed += page["writers"].array.compactMap { $0["id"].string }
                    #expect(page["writers"].array.count <= 2)
                    guard let cursor = page["next_cursor"].string else { break }
                    path = "/v1/writers?limit=2&cursor=\(cursor)"
                }
                #expect(listed == created.reversed())
                let none = try await server.curl("GET", "/v1/writers?state=open").json
                #expect(none["writers"].array == [])
            }
        }
    }
}
