import Foundation
import Testing

extension EndToEnd {
    /// How the data is cut never changes the output.
    @Suite struct ChunkingTests {
        private static let options: JSON = ["preset": "ultrafast"]

        @Test func outputIsTheSameForAnyCutOfTheUpload() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let whole = try await encode(clip, on: server) { connection, path, bytes, _ in
                    expectTaken(try await connection.request("POST", path, body: bytes))
                }
                let singly = try await encode(clip, on: server) { connection, path, bytes, unit in
                    for range in ranges(of: bytes.count, by: unit) {
                        expectTaken(try await connection.request("POST", path, body: bytes[range]))
                    }
                }
                let pieces = try await encode(clip, on: server) { connection, path, bytes, _ in
                    try await connection.send(RawConnection.head("POST", path, headers: ["Transfer-Encoding: chunked"]))
                    try await connection.sendChunked(bytes, piece: 4_097)
                    expectTaken(try await connection.response())
                }
                #expect(singly == whole, "one frame a chunk")
                #expect(pieces == whole, "pieces of 4,097 bytes in chunked transfer coding")
                #expect(whole.count > 100_000)
            }
        }

        @Test func uploadCutOffAndResumedGivesTheSameOutput() async throws {
            let clip = try await Clip.small()
            let video = clip.video[0..<clip.bytesPerFrame * 40]
            try await withServer { server in
                func create(_ dst: String) async throws -> String {
                    let stream = clip.streams(["encoder_option": Self.options])[0]
                    return try await server.createWriter(["dst": .string(dst), "streams": [stream], "open": true])
                }
                let undisturbed = try await create("undisturbed.mp4")
                try await server.sendChunk(video, to: undisturbed, stream: 0)
                try await server.finalize(undisturbed)

                let resumed = try await create("resumed.mp4")
                let path = "/v1/writers/\(resumed)/streams/0/chunks"
                let cut = try RawConnection(port: server.port)
                try await cut.send(RawConnection.head("POST", path, contentLength: video.count))
                try await cut.send(video.prefix(clip.bytesPerFrame * 13 + 1_234))
                await cut.finishSending()
                let refusal = try await cut.response()
                #expect(refusal.status == 400)
                #expect(refusal.problem == "body-cut")
                #expect(refusal.json["frames"] == 13)

                let offset = try await server.curl("HEAD", path)
                #expect(offset["Upload-Offset"] == "\(clip.bytesPerFrame * 13)")
                let wrong = try await server.curl(
                    "POST", path, headers: ["Upload-Offset: 0"], body: .bytes(video[0..<clip.bytesPerFrame]))
                #expect(wrong.status == 409)
                #expect(wrong.problem == "offset-mismatch")
                #expect(wrong["Upload-Offset"] == "\(clip.bytesPerFrame * 13)")
                let rest = try await server.curl(
                    "POST", path, headers: ["Upload-Offset: \(clip.bytesPerFrame * 13)"],
                    body: .bytes(video[(clip.bytesPerFrame * 13)...]))
                #expect(rest.status == 200)
                #expect(rest.json["frames"] == 27)
                try await server.finalize(resumed)
                #expect(try server.output("resumed.mp4") == server.output("undisturbed.mp4"))
            }
        }

        /// Encodes the clip, each stream sent by `send` on a connection of its own; `unit` is the
        /// bytes of a frame, or of 1,000 samples.
        private func encode(
            _ clip: Clip, on server: PenstockServer,
            send: @escaping @Sendable (RawConnection, _ path: String, Data, _ unit: Int) async throws -> Void
        ) async throws -> Data {
            let dst = "\(UUID().uuidString).mp4"
            let id = try await server.createWriter([
                "dst": .string(dst), "streams": clip.streams(["encoder_option": Self.options]), "open": true,
            ])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (stream, bytes, unit) in [
                    (0, clip.video, clip.bytesPerFrame), (1, clip.audio, clip.bytesPerSample * 1_000),
                ] {
                    let connection = try RawConnection(port: server.port)
                    group.addTask {
                        try await send(connection, "/v1/writers/\(id)/streams/\(stream)/chunks", bytes, unit)
                    }
                }
                try await group.waitForAll()
            }
            try await server.finalize(id)
            return try server.output(dst)
        }

        private func expectTaken(_ response: Response) {
            #expect(response.status == 200, "\(response.text)")
            #expect(response["Upload-Offset"] == response.json["offset"].int.map { "\($0)" })
        }
    }
}
