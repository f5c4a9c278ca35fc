import Foundation
import Testing

extension EndToEnd {
    /// Connections whose encoder dies: their clients saw them end, and nobody counted them.
    @Suite struct LostEncoderTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        private func writer(_ id: String, on server: PenstockServer) async throws -> pid_t {
            let created = try await server.curl(
                "PUT", "/v1/writers/\(id)", body: .json(["format": "s16le", "streams": [Self.audio], "open": true]))
            #expect(created.status == 201)
            return pid_t(try #require(try await server.writer(id)["encoder_pid"].int))
        }

        @Test func aRequestWhoseEncoderIsKilledIsAnsweredWithWhatWasKept() async throws {
            try await withServer { server in
                let encoder = try await writer("a", on: server)
                let upload = try RawConnection(port: server.port)
                try await upload.send(RawConnection.head("POST", "/v1/writers/a/streams/0/chunks", contentLength: 100_000))
                try await upload.send(Data(repeating: 7, count: 2_000))
                let idle = try RawConnection(port: server.port)
                #expect(try await idle.request("GET", "/v1/writers/a").status == 200)
                let follower = try RawConnection(port: server.port)
                try await follower.send(RawConnection.head("GET", "/v1/writers/a/output"))
                #expect(try await follower.head().status == 200)
                let isTaken = try await eventually {
                    try await server.curl("HEAD", "/v1/writers/a/streams/0/chunks")["Upload-Offset"] == "2000"
                }
                #expect(isTaken)
                // What was told is known at once.
                kill(encoder, SIGKILL)
                let answer = try await upload.response(to: "POST")
                #expect(answer.status == 500)
                #expect(answer.problem == "encoder-crashed")
                #expect(answer.json["signal"] == "SIGKILL" && answer.json["offset"] == 2_000)
                #expect(answer["Connection"] == "close")
                // A connection without a request goes on, at the gateway.
                let after = try await idle.request("GET", "/v1/writers/a")
                #expect(after.status == 200 && after.json["state"] == "failed")
                // An answer that had begun can't be given another end.
                await #expect(throws: HarnessError.self) { _ = try await follower.withBody(try Response(head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"), to: "GET") }
            }
        }

        /// A receipt, and at once the end: what was told does not go back.
        @Test func aReceiptOutlivesItsEncoder() async throws {
            try await withServer { server in
                let body: JSON = ["format": "adts", "streams": [Self.audio], "open": true]
                for id in ["a", "b", "c"] {
                    #expect(try await server.curl("PUT", "/v1/writers/\(id)", body: .json(body)).status == 201)
                    let encoder = pid_t(try #require(try await server.writer(id)["encoder_pid"].int))
                    let client = try RawConnection(port: server.port)
                    try await client.send(RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: 200_000))
                    try await client.send(Data(repeating: 7, count: 200_000))
                    let receipt = try await client.response(to: "POST")
                    kill(encoder, SIGKILL)
                    #expect(receipt.json["offset"] == 200_000, "\(receipt.text)")
                    let failed = try await server.writer(id, in: "failed")
                    let stream = failed["streams"][0]
                    #expect(stream["offset"] == 200_000 && stream["frames"] == 100_000 && stream["next_pts"] == 12.5, "\(failed)")
                    #expect(try #require(failed["bytes_written"].int) >= (receipt.json["bytes_written"].int ?? .max))
                    #expect(try #require(stream["frames_encoded"].int) >= (receipt.json["frames_encoded"].int ?? .max))
                    let offset = try await server.curl("HEAD", "/v1/writers/\(id)/streams/0/chunks")
                    #expect(offset["Upload-Offset"] == "200000")
                }
            }
        }

        /// Its thread in the encoder waited for the next chunk, and the connection was reset.
        @Test func anEncoderThatIsKilledBetweenTwoRequestsLeavesItsConnectionsAnswered() async throws {
            try await withServer { server in
                for round in 0..<12 {
                    let encoder = try await writer("a\(round)", on: server)
                    let client = try RawConnection(port: server.port)
                    let chunk = RawConnection.head("POST", "/v1/writers/a\(round)/streams/0/chunks", contentLength: 320)
                    for _ in 0..<4 {
                        try await client.send(chunk)
                        try await client.send(Data(repeating: 7, count: 320))
                        #expect(try await client.response(to: "POST").status == 200)
                    }
                    // The thread has told of its answer's end when it has taken up another request.
                    #expect(try await server.curl("GET", "/v1/writers/a\(round)").status == 200)
                    kill(encoder, SIGKILL)
                    // Before the gateway knows of it, or after.
                    if round % 2 == 1 { #expect(try await eventually { try await server.writer("a\(round)")["state"] == "failed" }) }
                    try await client.send(chunk)
                    try await client.send(Data(repeating: 7, count: 320))
                    let answer = try await client.response(to: "POST")
                    // What it reads while it dies is lost with it, and said to be.
                    let isLost = round % 2 == 0 && answer.status == 500 && answer.json["type"] == "urn:penstock:problem:encoder-crashed"
                    #expect(isLost || answer.status == 409 && answer.json["state"] == "failed", "\(answer.status) \(answer.text)")
                }
            }
        }

        @Test func connectionsThatEncodersHoldCountForTheirAddress() async throws {
            try await withServer(["--max-connections-per-address", "6"]) { server in
                _ = try await writer("a", on: server)
                var held: [RawConnection] = []
                for _ in 0..<6 {
                    let client = try RawConnection(port: server.port, from: "127.0.0.9")
                    #expect(try await client.request("GET", "/v1/writers/a").status == 200)
                    held.append(client)
                }
                let next = try RawConnection(port: server.port, from: "127.0.0.9")
                try await next.send(RawConnection.head("GET", "/livez"))
                #expect(try await next.response().status == 429)
                let other = try RawConnection(port: server.port, from: "127.0.0.10")
                #expect(try await other.request("GET", "/livez").status == 200)
                // One that is closed makes room, also where an encoder has it.
                await held.removeLast().reset()
                let hasRoom = try await eventually {
                    let again = try RawConnection(port: server.port, from: "127.0.0.9")
                    try await again.send(RawConnection.head("GET", "/livez"))
                    return try await again.response().status == 200
                }
                #expect(hasRoom)
            }
        }

        @Test func aConnectionThatAnEncoderClosesEndsAtOnce() async throws {
            try await withServer { server in
                _ = try await writer("a", on: server)
                // What ends only once its client has had its time for that takes two seconds, each time.
                var fastest = Double.infinity
                for _ in 0..<10 where fastest >= 1 {
                    let client = try RawConnection(port: server.port)
                    let response = try await client.request("GET", "/v1/writers/a", headers: ["Connection: close"])
                    #expect(response.status == 200)
                    fastest = min(fastest, try await secondsOf { _ = try await client.isClosed() })
                }
                #expect(fastest < 1)
            }
        }
    }
}
