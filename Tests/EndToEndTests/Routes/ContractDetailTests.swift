import Foundation
import Testing

extension EndToEnd {
    /// What openapi.yaml says of single answers.
    @Suite struct ContractDetailTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        @Test func repeatedKeyIsAnsweredAsTheFirstRequestWasAlsoInADryRun() async throws {
            try await withServer { server in
                let key = ["Idempotency-Key: k"]
                let body: JSON = ["format": "wav", "streams": [Self.audio]]
                let first = try await server.curl("POST", "/v1/writers", headers: key, body: .json(body))
                for path in ["/v1/writers", "/v1/writers?dry_run=true"] {
                    let again = try await server.curl("POST", path, headers: key, body: .json(body))
                    #expect(again.status == 201 && again["Location"] == first["Location"], "\(again.text)")
                    #expect(again.json["id"] == first.json["id"])
                }
            }
        }

        @Test func memberThatIsNullCountsAsAbsentWhereverItStands() async throws {
            try await withServer { server in
                let stream = Self.audio.merging(["encoder_option": ["b": nil], "metadata": ["language": nil], "encoder": nil])
                let made = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "dst": "a.flac", "format": nil, "metadata": ["title": nil, "artist": 7], "streams": [stream],
                        "open": ["option": ["movflags": nil]],
                    ]))
                #expect(made.status == 201, "\(made.text)")
                #expect(made.json["metadata"] == ["artist": "7"])
                #expect(made.json["streams"][0]["encoder_option"] == .null)
            }
        }

        @Test func outputThatWasRemovedOrRenamedIsGone() async throws {
            try await withServer { server in
                for (dst, body) in [("a.wav", JSON.string("a.wav")), ("managed", .null)] {
                    let id = try await server.createWriter(["dst": body, "format": "wav", "streams": [Self.audio], "open": true])
                    try await server.finalize(id)
                    let file = body == .null ? server.folder / "state/writers/\(id)/output.wav" : server.outputFolder + "/" + dst
                    try FileManager.default.moveItem(atPath: file, toPath: file + ".away")
                    let answer = try await server.curl("GET", "/v1/writers/\(id)/output")
                    #expect(answer.status == 410 && answer.problem == "output-replaced", "\(dst): \(answer.text)")
                }
            }
        }

        @Test func resultNamesTheOutputOfAMuxerThatHasLeftOneFile() async throws {
            try await withServer { server in
                let picture: JSON = ["type": "video", "frame_rate": 25, "width": 16, "height": 16]
                for (dst, option, isOne) in [("one.png", ["update": 1] as JSON, true), ("two%d.png", [:], false)] {
                    let id = try await server.createWriter(["dst": .string(dst), "streams": [picture], "open": ["option": option]])
                    try await server.sendChunk(Data(count: 2 * 768), to: id, stream: 0)
                    let result = try await server.finalize(id)["result"]
                    #expect(result["output"] == (isOne ? .string("/v1/writers/\(id)/output") : .null), "\(dst)")
                    #expect(result["files"].array.count == (isOne ? 1 : 2))
                    #expect(try await server.curl("GET", "/v1/writers/\(id)/output").status == (isOne ? 200 : 404))
                }
            }
        }

        /// RFC 9110 §14.2: a Range is of GET alone.
        @Test func rangeOfAHeadIsIgnored() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["format": "wav", "streams": [Self.audio], "open": true])
                let size = try #require(try await server.finalize(id)["result"]["bytes"].int)
                for range in ["0-1", "\(size)-"] {
                    let response = try await server.curl("HEAD", "/v1/writers/\(id)/output", headers: ["Range: bytes=\(range)"])
                    #expect(response.status == 200 && response["Content-Length"] == "\(size)", "\(response.headers)")
                }
            }
        }

        /// It was called one that another program has removed.
        @Test func outputOfAWriterThatFailedBeforeItWasOpenedIsNotFound() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["format": "wav", "streams": [Self.audio]])
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["nope": 1]]))
                #expect(opened.status == 422, "\(opened.text)")
                _ = try await server.writer(id, in: "failed")
                let output = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(output.status == 404 && output.problem == "not-found", "\(output.text)")
            }
        }

        @Test func outputSaysWhetherItsWriterFailed() async throws {
            try await withServer { server in
                let body: JSON = ["format": "mp4", "streams": [Self.audio], "open": true]
                let (failed, closed) = (try await server.createWriter(body), try await server.createWriter(body))
                for id in [failed, closed] { try await server.sendChunk(Data(count: 64_000), to: id, stream: 0) }
                let live = try await server.curl("HEAD", "/v1/writers/\(failed)/output")
                #expect(live["Penstock-Writer-State"] == "open")
                let process = try #require(try await server.writer(failed)["encoder_pid"].int)
                kill(pid_t(process), SIGKILL)
                _ = try await server.writer(failed, in: "failed")
                try await server.finalize(closed)
                for (id, state) in [(failed, "failed"), (closed, "closed")] {
                    for (method, headers, status) in [("GET", [], 200), ("HEAD", [], 200), ("GET", ["Range: bytes=0-3"], 206)] {
                        let answer = try await server.curl(method, "/v1/writers/\(id)/output", headers: headers)
                        #expect(answer.status == status && answer["Penstock-Writer-State"] == state, "\(method) \(headers): \(answer.headers)")
                    }
                }
            }
        }
    }
}
