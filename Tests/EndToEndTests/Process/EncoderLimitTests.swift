import Foundation
import Testing

extension EndToEnd {
    /// What one encoder may use.
    @Suite struct EncoderLimitTests {
        private static let frameBytes = 640 * 480 * 3

        private static func video(_ filter: String? = nil, encoder: String = "rawvideo") -> JSON {
            var video: JSON = [
                "type": "video", "frame_rate": 25, "width": 640, "height": 480, "format": "rgb24",
                "encoder": .string(encoder),
            ]
            if let filter { video["filter_desc"] = .string(filter) }
            return video
        }

        /// Sends frames until one is not taken; what was answered, nil when it was nothing.
        private func fill(_ id: String, on server: PenstockServer, frames: Int) async throws -> Response? {
            let connection = try RawConnection(port: server.port)
            let chunk = Data(repeating: 0x42, count: Self.frameBytes * 4)
            for _ in 0..<frames / 4 {
                let answer = try? await connection.request("POST", "/v1/writers/\(id)/streams/0/chunks", body: chunk)
                if answer?.status != 200 { return answer }
            }
            throw HarnessError("\(frames) frames were taken")
        }

        @Test func filterThatKeepsEveryFrameFailsItsWriterAndNoOther() async throws {
            let bound = 256 << 20
            try await withServer(["--max-encoder-memory", "\(bound)"]) { server in
                let greedy = try await server.createWriter([
                    "dst": "greedy.nut", "streams": [Self.video("reverse")], "open": true,
                ])
                let other = try await server.createWriter(["dst": "other.nut", "streams": [Self.video()], "open": true])
                try await server.sendChunk(Data(count: Self.frameBytes), to: other, stream: 0)
                let pid = try #require(await server.writer(greedy)["encoder_pid"].int)
                let refused = try await fill(greedy, on: server, frames: 4 * bound / Self.frameBytes)
                #expect(refused?.status == 422, "\(refused?.text ?? "no answer")\n\(server.log.text)")
                let failed = try await server.writer(greedy, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:memory-limit", "\(failed)")
                #expect(failed["failure"]["detail"].string?.contains("--max-encoder-memory") == true)
                let isGone = try await eventually { PenstockServer.isGone(pid_t(pid)) }
                #expect(isGone)

                try await server.sendChunk(Data(count: Self.frameBytes), to: other, stream: 0)
                let closed = try await server.finalize(other)
                #expect(closed["streams"][0]["frames"] == 2)
                #expect(try await server.curl("DELETE", "/v1/writers/\(greedy)").isDeleted)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == ["other.nut"])
            }
        }

        /// libav would leave out what there is no memory for, and end well.
        @Test func fragmentThatHasNoMemoryFailsItsWriter() async throws {
            let bound = 128 << 20
            try await withServer(["--max-encoder-memory", "\(bound)"]) { server in
                let id = try await server.createWriter([
                    "dst": "large.mov", "verify": false, "streams": [Self.video()],
                    "open": ["option": ["movflags": "frag_custom+empty_moov"]],
                ])
                let refused = try await fill(id, on: server, frames: 2 * bound / Self.frameBytes)
                #expect(refused?.status == 422, "\(refused?.text ?? "no answer")")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:memory-limit", "\(failed)")
                #expect(failed["failure"]["detail"].string?.contains("fragment") == true, "\(failed)")
            }
        }

        @Test(arguments: ["large.rgb", "shots/large-%d.rgb", nil])
        func outputLargerThanAllowedFailsItsWriter(dst: String?) async throws {
            let bound = 1 << 20
            try await withServer(["--max-output-bytes", "\(bound)"]) { server in
                var description: JSON = ["format": "rawvideo", "streams": [Self.video()], "open": true]
                if let dst {
                    description["dst"] = .string(dst)
                    if dst.contains("%d") {
                        description["format"] = "segment"
                        description["open"] = ["option": ["segment_format": "rawvideo", "segment_time": 60]]
                    }
                }
                let id = try await server.createWriter(description)
                let refused = try await fill(id, on: server, frames: 40)
                #expect(refused?.status == 507, "\(refused?.text ?? "no answer")")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:output-limit", "\(failed)")
                #expect(failed["failure"]["detail"].string?.contains("--max-output-bytes") == true)
                if dst == "large.rgb" { #expect(try server.output("large.rgb").count == bound) }
                try await server.expectWell()
            }
        }

        @Test(arguments: [
            ["--max-encoder-memory", "1000"], ["--max-output-bytes", "1000"], ["--max-output-bytes", "-1"],
        ])
        func limitThatNoEncoderCouldLiveWithIsRefused(options: [String]) async throws {
            let result = try await Tool.run(Repository.programs + "/penstock", ["serve"] + options)
            #expect(result.end == .exited(64))
            #expect(result.errors.contains(options[0]), "\(result.errors)")
        }
    }
}
