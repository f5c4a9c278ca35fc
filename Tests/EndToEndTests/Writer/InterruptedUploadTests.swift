import Foundation
import Testing

extension EndToEnd {
    /// A client that dies under its upload is seen, in the writer and in the metrics, until another goes on.
    @Suite struct InterruptedUploadTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"]
        private static let open: JSON = ["format": "matroska", "streams": [audio, audio], "open": true]

        private func writer(_ server: PenstockServer, _ id: String, where holds: (JSON) -> Bool) async throws -> JSON {
            var writer = JSON.null
            let isSo = try await eventually {
                writer = try await server.writer(id)
                return holds(writer)
            }
            #expect(isSo, "\(writer)")
            return writer
        }

        @Test func anUploadThatIsCutIsShownUntilItIsResumed() async throws {
            try await withServer { server in
                let id = try await server.createWriter(Self.open)
                let fresh = try await server.writer(id)
                #expect(fresh["upload"] == "none" && fresh["streams"][0]["upload"] == "none" && fresh["streams"][0]["last_request_at"] == .null, "\(fresh)")
                let path = "/v1/writers/\(id)/streams/0/chunks"
                let client = try RawConnection(port: server.port)
                try await client.send(RawConnection.head("POST", path, contentLength: 100_000))
                try await client.send(Data(count: 2_000))
                let receiving = try await writer(server, id) { $0["streams"][0]["offset"] == 2_000 }
                #expect(receiving["upload"] == "receiving" && receiving["streams"][0]["upload"] == "receiving" && receiving["streams"][1]["upload"] == "none", "\(receiving)")
                #expect(receiving["streams"][0]["interruption"] == .null)
                await client.reset()
                let cut = try await writer(server, id) { $0["upload"] == "interrupted" }
                let interruption = cut["streams"][0]["interruption"]
                #expect(interruption["offset"] == 2_000 && interruption["at"] == cut["streams"][0]["last_request_at"], "\(cut)")
                #expect(cut["last_request_at"] == interruption["at"] && cut["streams"][1]["upload"] == "none" && cut["state"] == "open", "\(cut)")
                // Looking at it is no sign of life.
                #expect(try await server.writer(id)["last_request_at"] == cut["last_request_at"])
                // The gateway knows it, too.
                let isListed = try await eventually { try await server.curl("GET", "/v1/writers").json["writers"][0]["upload"] == "interrupted" }
                #expect(isListed)
                let resumed = try await server.curl("POST", path, headers: ["Upload-Offset: 2000"], body: .bytes(Data(count: 2_000)))
                #expect(resumed.status == 200, "\(resumed.text)")
                let after = try await server.writer(id)
                #expect(after["upload"] == "none" && after["streams"][0]["upload"] == "none" && after["streams"][0]["interruption"] == .null, "\(after)")
                try await server.sendChunk(Data(count: 2_000), to: id, stream: 1)
                try await server.finalize(id)
                let isCounted = try await eventually {
                    let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                    return metrics["penstock_uploads_interrupted_total", ["reason": "cut"]] == 1 && metrics["penstock_uploads_resumed_total"] == 1
                        && metrics["penstock_stream_bytes_received_total", ["kind": "audio"]] == 6_000
                        && (metrics["penstock_stream_bytes_encoded_total", ["kind": "audio"]] ?? 0) == 6_000
                }
                #expect(isCounted)
            }
        }

        @Test func anArrayThatIsCutWithinItsHeadIsInterrupted() async throws {
            try await withServer { server in
                let id = try await server.createWriter(Self.open)
                let client = try RawConnection(port: server.port)
                let head = "POST /v1/writers/\(id)/streams/0/chunks HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-npy\r\nContent-Length: 1000\r\n\r\n"
                try await client.send(Data(head.utf8) + Data([0x93]) + Data("NUMPY".utf8) + Data([1]))
                _ = try await writer(server, id) { $0["upload"] == "receiving" }
                await client.reset()
                let cut = try await writer(server, id) { $0["upload"] == "interrupted" }
                #expect(cut["streams"][0]["interruption"]["offset"] == 0 && cut["streams"][0]["offset"] == 0 && cut["state"] == "open", "\(cut)")
            }
        }

        @Test func anUploadThatStopsOrLosesItsEncoderIsInterruptedToo() async throws {
            try await withServer(["--body-timeout", "2"]) { server in
                func begin() async throws -> (id: String, client: RawConnection) {
                    let id = try await server.createWriter(Self.open)
                    let client = try RawConnection(port: server.port)
                    let head = RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: 100_000)
                    try await client.send(Data(head.utf8) + Data(count: 2_000))
                    return (id, client)
                }
                let slow = try await begin()
                let stopped = try await writer(server, slow.id) { $0["upload"] == "interrupted" }
                #expect(stopped["streams"][0]["interruption"]["offset"] == 2_000, "\(stopped)")
                #expect(try await slow.client.response(to: "POST").status == 408)
                let isCounted = try await eventually {
                    try Exposition(try await server.curl("GET", "/metrics").text)["penstock_uploads_interrupted_total", ["reason": "timed_out"]] == 1
                }
                #expect(isCounted)
            }
            try await withServer { server in
                let id = try await server.createWriter(Self.open)
                let pid = pid_t(try #require(try await server.writer(id)["encoder_pid"].int))
                let client = try RawConnection(port: server.port)
                try await client.send(RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: 100_000))
                try await client.send(Data(count: 2_000))
                // Told to the gateway, which makes the record.
                let isTold = try await eventually { try await server.curl("GET", "/v1/writers").json["writers"][0]["upload"] == "receiving" }
                #expect(isTold)
                kill(pid, SIGKILL)
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["upload"] == "interrupted" && failed["streams"][0]["interruption"]["at"] == failed["ended_at"], "\(failed)")
                #expect(failed["streams"][0]["interruption"]["offset"] == failed["streams"][0]["offset"])
            }
        }
    }
}
