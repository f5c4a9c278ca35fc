import Foundation
import Testing

extension EndToEnd {
    /// `100 Continue` comes before the final answer or not at all (RFC 9110 §15.2), whichever thread reads
    /// the body and whichever sends the answer. One in five of curl's uploads broke.
    @Suite struct InterimResponseTests {
        private static let samples = Data((0..<72_000 * 4).map { UInt8(truncatingIfNeeded: $0 % 4 == 3 ? 0x3C : $0 >> 3) })

        /// The query of an encoding for each muxer that answers while the body comes.
        private func liveEncodings(_ server: PenstockServer) async throws -> [(query: String, body: Data)] {
            let picture = Data((0..<64 * 48 * 3 / 2).map { UInt8(truncatingIfNeeded: $0) })
            let sound = "sample_rate=24000&num_channels=1&sample_format=flt"
            let video = "frame_rate=25&width=64&height=48&pixel_format=yuv420p"
            var found: [(query: String, body: Data)] = []
            for muxer in try await server.curl("GET", "/v1/muxers").json["muxers"].array {
                guard let name = muxer["name"].string, muxer["allowed"] != false else { continue }
                for (rest, body) in [(sound, Self.samples), (video, picture)] {
                    let query = "format=\(name)&\(rest)"
                    // One that can't write what it gets cuts its answer.
                    let response = try? await server.curl("POST", "/v1/encode?\(query)", body: .bytes(body))
                    if let response, response.status == 200, response["Transfer-Encoding"] == "chunked" { found.append((query, body)) }
                }
            }
            return found
        }

        @Test func noContinueComesWithinAFinalAnswer() async throws {
            try await withServer { server in
                let encodings = try await liveEncodings(server)
                print("\(encodings.count) encodings answer while the body comes")
                #expect(encodings.contains { $0.query.hasPrefix("format=ogg&") })
                #expect(encodings.contains { $0.query.hasPrefix("format=nut&") })
                let rounds = 1_000 / encodings.count + 1
                try await inParallel(encodings.count * rounds) { index in
                    let (query, body) = encodings[index % encodings.count]
                    let client = try RawConnection(port: server.port)
                    let isChunked = index / encodings.count % 2 == 0
                    let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)"
                    try await client.send(
                        RawConnection.head("POST", "/v1/encode?\(query)", headers: ["Expect: 100-continue", framing]))
                    let interim = try await client.head()
                    #expect(interim.status == 100, "\(query)")
                    if isChunked { try await client.sendChunked(body, piece: 65_536) } else { try await client.send(body) }
                    // Anything that is not a chunk within the body throws.
                    let response = try await client.response(to: "POST")
                    #expect(response.status == 200 && !response.body.isEmpty, "\(query)")
                    #expect(response.body.range(of: Data("HTTP/1.1".utf8)) == nil, "\(query)")
                    #expect(await !client.hasUnread, "\(query)")
                }
            }
        }

        @Test func aThousandUploadsByCurlEndWell() async throws {
            try await withServer { server in
                let folder = try TemporaryFolder()
                try Self.samples.write(to: URL(fileURLWithPath: folder / "speech.f32"))
                let batch = 50
                try await inParallel(1_000 / batch, width: 4) { index in
                    let format = ["opus", "ogg", "nut", "opus"][index % 4]
                    var arguments: [String] = []
                    for _ in 0..<batch {
                        if !arguments.isEmpty { arguments.append("--next") }
                        arguments += [
                            "--silent", "--show-error", "--fail", "--noproxy", "*", "-X", "POST", "-T", folder / "speech.f32",
                            "-H", "Expect: 100-continue", "-o", folder / "out-\(index)", "-w", "%{http_code} ",
                            server.address + "/v1/encode?format=\(format)&sample_rate=24000&num_channels=1",
                        ]
                    }
                    let result = try await Tool.run("curl", arguments)
                    #expect(result.end == .exited(0), "\(format): \(result.errors)")
                    #expect(result.text == String(repeating: "200 ", count: batch))
                    let probe = try await Tool.ffprobe(folder / "out-\(index)")
                    #expect(probe["streams"][0]["codec_type"] == "audio")
                }
            }
        }
    }
}
