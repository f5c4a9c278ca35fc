import Foundation
import Testing

extension EndToEnd {
    /// A request that something else ends in its middle is answered: it saw its connection end, while the
    /// log told of an answer.
    @Suite struct InterruptedRequestTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        /// An upload that has sent 1,000 of its samples, and how many of them the server has taken.
        private func upload(to writer: String, on server: PenstockServer) async throws -> RawConnection {
            let client = try RawConnection(port: server.port)
            try await client.send(
                RawConnection.head("POST", "/v1/writers/\(writer)/streams/0/chunks", contentLength: 100_000))
            try await client.send(Data(repeating: 7, count: 2_000))
            let isTaken = try await eventually {
                try await server.curl("HEAD", "/v1/writers/\(writer)/streams/0/chunks")["Upload-Offset"] == "2000"
            }
            #expect(isTaken)
            return client
        }

        private func expectInterrupted(_ client: RawConnection) async throws {
            let response = try await client.response(to: "POST")
            #expect(response.status == 409)
            #expect(response.problem == "chunk-interrupted")
            #expect(response.json["frames"] == 1_000 && response.json["offset"] == 2_000)
            #expect(response["Connection"] == "close")
            #expect(try await client.isClosed())
        }

        @Test func anUploadThatIsTakenOverIsAnsweredWithWhatIsKept() async throws {
            try await withServer { server in
                let writer = try await server.createWriter(["format": "s16le", "streams": [Self.audio], "open": true])
                let stale = try await upload(to: writer, on: server)
                let next = try RawConnection(port: server.port)
                let response = try await next.request(
                    "POST", "/v1/writers/\(writer)/streams/0/chunks", headers: ["Upload-Offset: 2000"],
                    body: Data(repeating: 9, count: 200))
                #expect(response.status == 200 && response.json["offset"] == 2_200)
                try await expectInterrupted(stale)
                try await server.finalize(writer)
                let bytes = try await server.curl("GET", "/v1/writers/\(writer)/output").body
                #expect(bytes == Data(repeating: 7, count: 2_000) + Data(repeating: 9, count: 200))
            }
        }

        @Test func anUploadToAWriterThatIsDeletedIsAnswered() async throws {
            try await withServer { server in
                let writer = try await server.createWriter(["format": "s16le", "streams": [Self.audio], "open": true])
                let stale = try await upload(to: writer, on: server)
                #expect(try await server.curl("DELETE", "/v1/writers/\(writer)").isDeleted)
                try await expectInterrupted(stale)
            }
        }

        @Test func anAnswerThatEndsTheConnectionSaysSo() async throws {
            try await withServer { server in
                let client = try RawConnection(port: server.port)
                try await client.send(
                    RawConnection.head("PUT", "/v1/writers/big", headers: ["Transfer-Encoding: chunked"]))
                // The server may close before all of it is sent.
                try? await client.sendChunked(Data(repeating: 0x20, count: 8 << 20), piece: 65_536)
                let response = try await client.response(to: "PUT")
                #expect(response.status == 413)
                #expect(response["Connection"] == "close")
            }
        }

        @Test func aProbeMayHaveAQuery() async throws {
            try await withServer { server in
                for path in ["/livez", "/readyz", "/metrics"] {
                    let probe = try await server.curl("GET", path + "?x=1&verbose")
                    #expect(probe.status == 200, "\(path)")
                }
                let version = try await server.curl("GET", "/v1/version?x=1")
                #expect(version.status == 422)
            }
        }
    }
}
