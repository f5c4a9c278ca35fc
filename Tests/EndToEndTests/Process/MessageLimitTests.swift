import Foundation
import Testing

extension EndToEnd {
    /// What the gateway and an encoder say to each other is bounded by what a writer may be told.
    @Suite struct MessageLimitTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"]

        /// The largest of each: 32,650 backspaces, which are "\b" and once became "\u0008" (65 KB and 196 KB of
        /// JSON), and what can't be said shorter than in six bytes.
        @Test(arguments: [("\\b", 32_650), ("\\f", 32_650), ("\\u0001", 10_800), ("\\\\", 32_650), ("x", 65_300), ("\\u00e9", 10_800), ("é", 32_600)])
        func metadataAsLargeAsABodyMakesAWriterThatAnswers(escaped: String, count: Int) async throws {
            try await withServer { server in
                let body = "{\"format\":\"wav\",\"metadata\":{\"title\":\"\(String(repeating: escaped, count: count))\"}}"
                let made = try await server.curl("PUT", "/v1/writers/a", body: .text(body))
                #expect(made.status == 201, "\(made.text.prefix(300))")
                #expect(try await server.curl("POST", "/v1/writers/a/streams", body: .json(Self.audio)).status == 201)
                #expect(try await server.curl("POST", "/v1/writers/a/open").status == 200)
                try await server.sendChunk(Data(count: 1_600), to: "a", stream: 0)
                let list = try await server.curl("GET", "/v1/writers")
                #expect(list.json["writers"][0]["metadata"] == made.json["metadata"])
                let closed = try await server.finalize("a")
                #expect(closed["metadata"] == made.json["metadata"])
                #expect(try await server.curl("GET", "/v1/writers/a").json == closed)
                #expect(try await server.curl("DELETE", "/v1/writers/a").isDeleted)
                #expect(try await server.curl("GET", "/v1/writers/a").status == 404)
                #expect(!server.log.text.contains("longer than"))
            }
        }

        /// Numbers are kept as text, which may be longer, and bodies may be twice as large as by default.
        @Test func whatIsTooLongForARecordIsRefusedByName() async throws {
            try await withServer(["--max-json-bytes", "131072"]) { server in
                let numbers = (0..<9_000).map { "\"\($0)\":1e15" }.joined(separator: ",")
                let long = String(repeating: "x", count: 130_000)
                for (body, parameter) in [
                    ("{\"format\":\"wav\",\"metadata\":{\(numbers)}}", "metadata"), ("{\"format\":\"wav\",\"metadata\":{\"title\":\"\(long)\"}}", "metadata"),
                ] {
                    for dryRun in ["", "?dry_run=true"] {
                        let refused = try await server.curl("POST", "/v1/writers" + dryRun, body: .text(body))
                        #expect(refused.status == 422, "\(refused.text.prefix(300))")
                        #expect(refused.problem == "limit-exceeded")
                        #expect(refused.json["parameter"].string == parameter && refused.json["limit"].int == 131_072)
                        #expect(refused.json["detail"].string?.contains("131072") == true)
                    }
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.isEmpty)
                // Little by little it is the same, and the writer stays as it was.
                let id = try await server.createWriter(["format": "matroska", "metadata": ["title": .string(String(repeating: "x", count: 60_000))]])
                var stream = Self.audio
                stream["metadata"] = ["title": .string(String(repeating: "y", count: 60_000))]
                #expect(try await server.curl("POST", "/v1/writers/\(id)/streams", body: .json(stream)).status == 201)
                let third = try await server.curl("POST", "/v1/writers/\(id)/streams", body: .json(stream))
                #expect(third.problem == "limit-exceeded" && third.json["parameter"] == "metadata", "\(third.text.prefix(300))")
                let larger = try await server.curl("PUT", "/v1/writers/\(id)/metadata", body: .json(["title": .string(long)]))
                #expect(larger.problem == "limit-exceeded" && larger.json["parameter"] == "metadata", "\(larger.text.prefix(300))")
                #expect(try await server.writer(id)["metadata"]["title"].string?.count == 60_000)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/open").status == 200)
                try await server.sendChunk(Data(count: 1_600), to: id, stream: 0)
                try await server.finalize(id)
            }
        }

        /// All there may be of everything at once, and then it fails, with a log as long as it gets.
        @Test func theLargestWriterThereIsCanFailToo() async throws {
            try await withServer(["--max-json-bytes", "131072", "--max-streams", "256", "--max-head-bytes", "131072"]) { server in
                let id = try await server.createWriter(["dst": "a.mkv", "metadata": ["title": .string(String(repeating: "\u{8}", count: 8_000))]])
                var added = 0
                var last = try await server.curl("GET", "/v1/writers/\(id)")
                while added < 256 {
                    last = try await server.curl("POST", "/v1/writers/\(id)/streams", body: .json(Self.audio))
                    guard last.status == 201 else { break }
                    added += 1
                }
                #expect(added > 100, "\(added) streams, then \(last.text)")
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["nosuch": .string(String(repeating: "z", count: 100_000))]]))
                #expect(opened.status == 422, "\(opened.text.prefix(300))")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["streams"].array.count == added)
                #expect(failed["failure"]["status"].int != nil)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(!server.log.text.contains("longer than"), "\(server.log.text)")
            }
        }

        /// A head as long as one may be, with as much behind it, passes to an encoder and back.
        @Test func theLargestHeadGoesToTheEncoderAndBack() async throws {
            try await withServer(["--max-head-bytes", "131072"]) { server in
                for id in ["a", "b"] {
                    _ = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(["format": "wav"]))
                }
                let connection = try RawConnection(port: server.port)
                let field = "X-Long: " + String(repeating: "x", count: 120_000)
                for id in ["a", "b", "a", "none"] {
                    let answer = try await connection.request("GET", "/v1/writers/\(id)", headers: [field])
                    #expect(answer.status == (id == "none" ? 404 : 200))
                }
                // Pipelined: what is behind a head goes along.
                try await connection.send(
                    String(repeating: RawConnection.head("GET", "/v1/writers/a"), count: 1_000) + RawConnection.head("GET", "/v1/writers/b", headers: [field])
                        + RawConnection.head("GET", "/livez"))
                for _ in 0..<1_001 { #expect(try await connection.response().status == 200) }
                #expect(try await connection.response().json["status"] == "ok")
            }
        }

        /// Thousands of segments: what is told each second does not grow with them, and DELETE finds them all,
        /// also when the encoder was killed.
        @Test(arguments: [false, true])
        func aPlaylistOfThousandsOfSegmentsIsListedAndRemovedWhole(isKilled: Bool) async throws {
            try await withServer { server in
                let name = String(repeating: "n", count: 60)
                let id = try await server.createWriter([
                    "dst": .string("show/\(name).m3u8"), "streams": [Pictures.stream(gop: 1)],
                    "open": ["option": ["hls_time": "0.01", "hls_list_size": "10", "hls_playlist_type": "event"]],
                ])
                let pictures = Pictures(50)
                let rounds = 34
                for _ in 0..<rounds { try await server.sendChunk(pictures.data, to: id, stream: 0) }
                let count = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/show").count
                #expect(count > rounds * 45, "\(count)")
                if isKilled {
                    kill(pid_t(try #require(try await server.writer(id)["encoder_pid"].int)), SIGKILL)
                    _ = try await server.writer(id, in: "failed")
                } else {
                    let closed = try await server.finalize(id)
                    #expect(closed["result"]["files"].array.count >= count)
                }
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                // Of one that was killed, what it had not told yet may be left.
                #expect(deleted.isDeleted || (isKilled && deleted.status == 200), "\(deleted.text)")
                let left = (try? FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/show")) ?? []
                #expect(left.count <= (isKilled ? 60 : 0), "\(left.count) of \(count)")
                #expect(!server.log.text.contains("longer than"), "\(server.log.text)")
            }
        }

        @Test func whatEncodersCouldNotBeToldStopsTheServerAtItsStart() async throws {
            let folder = try TemporaryFolder()
            let patterns = (0..<200).flatMap { ["--allow-output", "rtmp://\(String(repeating: "x", count: 1_100))\($0).example.com/*"] }
            let (process, log) = try PenstockServer.launch(
                ["serve", "--port", "0", "--output-dir", folder / "output", "--state-dir", folder / "state"] + patterns)
            #expect(try await process.ended(within: 20) == .exited(1))
            _ = await log.ended(within: 20)
            #expect(log.text.contains("--allow-output") && log.text.contains("more than an encoder can be told"), "\(log.text)")
        }

        @Test func catalogIsAnIDLikeAnyOther() async throws {
            try await withServer { server in
                #expect(try await server.curl("GET", "/v1/version").status == 200)
                let made = try await server.curl("PUT", "/v1/writers/catalog", body: .json(["format": "wav", "streams": [Self.audio], "open": true]))
                #expect(made.status == 201, "\(made.text)")
                #expect(try await server.curl("GET", "/v1/muxers/wav").status == 200)
                try await server.sendChunk(Data(count: 1_600), to: "catalog", stream: 0)
                kill(pid_t(try #require(made.json["encoder_pid"].int)), SIGKILL)
                _ = try await server.writer("catalog", in: "failed")
                #expect(try await server.curl("GET", "/v1/version").status == 200)
                #expect(try await server.curl("DELETE", "/v1/writers/catalog").isDeleted)
                for path in ["/v1/writers/+catalog", "/v1/writers/%2Bcatalog"] {
                    #expect(try await server.curl("PUT", path, body: .json(["format": "wav"])).status == 422)
                }
            }
        }
    }
}
