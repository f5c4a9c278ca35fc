import Foundation
import Testing

extension EndToEnd {
    /// Thousands of connections that want nothing, or want it slowly.
    @Suite struct SlowConnectionTests {
        /// Bytes of the gateway's memory for one connection that waits. Measured: about 1,200.
        private static let mostPerConnection = 4_096
        private static let slowWriters = 16

        @Test func tenThousandSlowConnectionsHurtNobody() async throws {
            // Times so long that nobody is thrown out while this lasts.
            let options = [
                "--max-connections", "12000", "--head-timeout", "600", "--idle-connection-timeout", "600",
                "--body-timeout", "600",
            ]
            try await withServer(options) { server in
                try await makeSlowWriters(on: server)
                let upload = try await RawUpload(to: server)
                try await upload.send(frames: 60)
                let before = try await upload.rate()
                let idleBytes = try PenstockServer.residentBytes(of: server.pid)
                guard let clients = try await Self.clients(server) else { return }
                // Their heads are read once a later connection is answered.
                #expect(try await server.curl("GET", "/livez").status == 200)
                let heldBytes = try PenstockServer.residentBytes(of: server.pid)
                let perConnection = (heldBytes - idleBytes) / clients.count
                // Half of the machine may go to the slow clients themselves.
                let during = try await upload.rate(reaching: before * 0.4)
                let answerSeconds = try await secondsOf { try await server.expectWell("among slow connections") }
                print(
                    "\(clients.count) slow connections: gateway \(idleBytes >> 20) MB, then \(heldBytes >> 20) MB,",
                    "\(perConnection) bytes each; upload \(before.short) GB/s before, \(during.short) GB/s meanwhile",
                    "(\((during / before).short)); a writer made, fed and closed in \(answerSeconds.short) s")
                #expect(perConnection < Self.mostPerConnection)
                #expect(during > before * 0.4)
                #expect(answerSeconds < 20)

                let ended = try await clients.stop()
                #expect(ended["idle"] == 0 && ended["half"] == 0 && ended["drip"] == 0, "\(ended)")
                try await expectEmpty(server, but: 1)
                let after = try await upload.rate(reaching: before * 0.4)
                #expect(after > before * 0.4)
                try await upload.finish()

                // A second wave finds the memory of the first.
                guard let again = try await Self.clients(server) else { return }
                #expect(try await server.curl("GET", "/livez").status == 200)
                let secondBytes = try PenstockServer.residentBytes(of: server.pid)
                print("the second wave: \(secondBytes >> 20) MB")
                #expect(secondBytes < heldBytes + heldBytes / 4)
                _ = try await again.stop()
                // The finished upload's connection is back at the gateway.
                try await expectEmpty(server, but: 1)
                try await server.expectWell("after slow connections")
            }
        }

        private static func clients(_ server: PenstockServer) async throws -> SlowClients? {
            let count = min(FaultScale.scaled(10_000), 11_000)
            let clients = try await SlowClients.start(
                port: server.port,
                [
                    "idle": count * 4 / 10, "half": count * 3 / 10, "drip": count * 3 / 10 - 448,
                    "body": slowWriters, "json": 32, "unwanted": 400,
                ])
            if clients == nil {
                withKnownIssue("this machine does not let a process have so many descriptors", isIntermittent: true) {
                    Issue.record("skipped")
                }
            }
            return clients
        }

        private func makeSlowWriters(on server: PenstockServer) async throws {
            let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
            for index in 0..<Self.slowWriters {
                let created = try await server.curl(
                    "PUT", "/v1/writers/slow-\(index)",
                    body: .json(["format": "wav", "streams": [audio], "open": true]))
                try #require(created.status == 201, "\(created.text)")
            }
        }

        /// That the server has no connection any more, here or at an encoder, but the one that asks, and `known` others.
        private func expectEmpty(_ server: PenstockServer, but known: Double = 0) async throws {
            var left = 0.0
            let isEmpty = try await eventually(within: 20) {
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                left = (metrics["penstock_gateway_connections"] ?? 0) - 1
                return left == known
            }
            #expect(isEmpty, "\(left) connections are left")
        }
    }
}

/// A raw upload whose speed is measured, again and again on one connection.
private struct RawUpload {
    private static let frameBytes = 1920 * 1080 * 3
    private let server: PenstockServer
    private let connection: RawConnection
    private let id: String
    private let frame = Data(repeating: 0x35, count: frameBytes)

    init(to server: PenstockServer) async throws {
        self.server = server
        connection = try RawConnection(port: server.port)
        id = try await server.createWriter([
            "format": "null", "open": true,
            "streams": [
                [
                    "type": "video", "frame_rate": 25, "width": 1_920, "height": 1_080, "format": "yuv444p",
                    "encoder": "rawvideo",
                ]
            ],
        ])
    }

    func send(frames: Int) async throws {
        try await connection.send(
            RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: frames * Self.frameBytes))
        for _ in 0..<frames { try await connection.send(frame) }
        let receipt = try await connection.response()
        #expect(receipt.json["frames"].int == frames, "\(receipt.text)")
    }

    /// GB/s, the best of three.
    func rate() async throws -> Double {
        var best = 0.0
        for _ in 0..<3 { best = max(best, try await rateOnce()) }
        return best
    }

    /// GB/s, as soon as that is reached; the best of many where it is not, as other programs have the processors for seconds.
    func rate(reaching wanted: Double) async throws -> Double {
        var best = 0.0
        for _ in 0..<40 where best <= wanted { best = max(best, try await rateOnce()) }
        return best
    }

    private func rateOnce() async throws -> Double {
        let seconds = try await secondsOf { try await send(frames: 100) }
        return Double(100 * Self.frameBytes) / seconds / 1e9
    }

    func finish() async throws { try await server.finalize(id) }
}
