import Foundation
import Testing

extension EndToEnd {
    /// HTTP/1.1 on one connection that moves between the server's processes.
    @Suite struct ConnectionTests {
        private static let audio: JSON = [
            "type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le",
        ]

        private func samples(_ value: UInt8, _ count: Int) -> Data { Data(repeating: value, count: count * 2) }

        private func put(_ id: String) -> JSON {
            ["dst": .string("\(id).wav"), "streams": [Self.audio], "open": true]
        }

        @Test func oneConnectionServesTheServerAndManyWritersInTurn() async throws {
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                for id in ["a", "b", "c"] {
                    let created = try await connection.request("PUT", "/v1/writers/\(id)", json: put(id))
                    try #require(created.status == 201, "\(created.text)")
                }
                for round in 1...20 {
                    for id in ["a", "b", "c"] {
                        let receipt = try await connection.request(
                            "POST", "/v1/writers/\(id)/streams/0/chunks",
                            body: samples(id.utf8.first!, 80))
                        #expect(receipt.json["offset"].int == round * 160, "\(receipt.text)")
                        let writer = try await connection.request("GET", "/v1/writers/\(id)")
                        #expect(writer.json["streams"][0]["frames"].int == round * 80)
                    }
                    let list = try await connection.request("GET", "/v1/writers")
                    #expect(list.json["writers"].array.count == 3)
                    #expect(try await connection.request("GET", "/livez").status == 200)
                }
                for id in ["a", "b", "c"] {
                    let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
                    #expect(closed.json["state"] == "closed", "\(closed.text)")
                    let output = try await connection.request("GET", "/v1/writers/\(id)/output")
                    #expect(output.status == 200)
                    #expect(output.body.suffix(3_200) == samples(id.utf8.first!, 1_600))
                }
            }
        }

        @Test func pipelinedRequestsAreAnsweredInOrderAcrossProcesses() async throws {
            try await withServer { server in
                for id in ["a", "b"] {
                    let created = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(put(id)))
                    try #require(created.status == 201, "\(created.text)")
                }
                let connection = try RawConnection(port: server.port)
                var sent = Data()
                for id in ["a", "b", "a", "b"] {
                    sent += Data(RawConnection.head("GET", "/livez").utf8)
                    let chunk = "/v1/writers/\(id)/streams/0/chunks"
                    sent += Data(RawConnection.head("POST", chunk, contentLength: 160).utf8) + samples(1, 80)
                    sent += Data(RawConnection.head("GET", "/v1/writers/\(id)").utf8)
                }
                try await connection.send(sent)
                for (id, frames) in [("a", 80), ("b", 80), ("a", 160), ("b", 160)] {
                    #expect(try await connection.response().json["status"] == "ok")
                    #expect(try await connection.response().json["offset"].int == frames * 2)
                    let writer = try await connection.response().json
                    #expect(writer["id"].string == id)
                    #expect(writer["streams"][0]["frames"].int == frames)
                }
            }
        }

        @Test func continueIsSentForABodyThatIsTaken() async throws {
            try await withServer { server in
                let id = try await server.createWriter(put("a"))
                let connection = try RawConnection(port: server.port)
                let path = "/v1/writers/\(id)/streams/0/chunks"
                for round in 1...2 {
                    try await connection.send(
                        RawConnection.head("POST", path, headers: ["Expect: 100-continue"], contentLength: 1_600))
                    #expect(try await connection.head().status == 100)
                    try await connection.send(samples(3, 800))
                    let receipt = try await connection.response()
                    #expect(receipt.status == 200)
                    #expect(receipt.json["offset"].int == round * 1_600)
                }
            }
        }

        @Test(arguments: [
            (length: 1_601, path: "streams/0/chunks", status: 400, problem: "partial-frame"),
            (length: 1_600, path: "streams/9/chunks", status: 404, problem: "stream-not-found"),
        ])
        func refusedBodyIsNotAskedFor(
            _ refused: (length: Int, path: String, status: Int, problem: String)
        ) async throws {
            try await withServer { server in
                let id = try await server.createWriter(put("a"))
                let connection = try RawConnection(port: server.port)
                try await connection.send(
                    RawConnection.head(
                        "POST", "/v1/writers/\(id)/\(refused.path)", headers: ["Expect: 100-continue"],
                        contentLength: refused.length))
                let head = try await connection.head()
                #expect(head.status == refused.status)
                let response = try await connection.withBody(head, to: "POST")
                #expect(response.problem == refused.problem)
                #expect(try await server.writer(id)["streams"][0]["frames"] == 0)
            }
        }

        @Test func curlSendsALargeChunkAfterContinue() async throws {
            try await withServer { server in
                let id = try await server.createWriter(put("a"))
                let response = try await server.curl(
                    "POST", "/v1/writers/\(id)/streams/0/chunks", headers: ["Expect: 100-continue"],
                    body: .bytes(samples(5, 2_000_000)), options: ["--expect100-timeout", "60"])
                #expect(response.json["frames"] == 2_000_000, "\(response.text)")
            }
        }
    }
}
