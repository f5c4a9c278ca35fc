import Foundation
import Testing

extension EndToEnd {
    /// Chunked bodies that are sent as they are made, and the `latency` that they are read with.
    @Suite struct LiveBodyTests {
        /// 32,000 bytes a second, written in blocks of 256 samples.
        private static func sound(latency: JSON = .null) -> JSON {
            var stream: JSON = ["type": "audio", "sample_rate": 16_000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"]
            if latency != .null { stream["latency"] = latency }
            return stream
        }

        private static let block = Data((0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7) })

        /// A writer of raw samples, and the connection that its body is sent on.
        private func begin(_ server: PenstockServer, latency: JSON = .null, format: JSON = "s16le") async throws -> (id: String, body: RawConnection) {
            let id = try await server.createWriter(["format": format, "streams": [Self.sound(latency: latency)], "open": true])
            let body = try RawConnection(port: server.port)
            try await body.send(RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", headers: ["Transfer-Encoding: chunked"]))
            return (id, body)
        }

        /// How often the threads of a process have slept.
        private static func sleeps(of pid: Int) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").reduce(0) { total, thread in
                let status = try wholeText("/proc/\(pid)/task/\(thread)/status")
                let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
                return total + (line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0)
            }
        }

        @Test func outputComesWithinTheLatencyThoughNoMoreIsSent() async throws {
            try await withServer { server in
                let (id, body) = try await begin(server, latency: 90)
                let output = try RawConnection(port: server.port)
                try await output.send(RawConnection.head("GET", "/v1/writers/\(id)/output"))
                // A block, and half of one that waits for its rest.
                try await body.sendChunked(Self.block + Self.block.prefix(256), piece: 32, ends: false)
                #expect(try await output.head().status == 200)
                let isThere = try await eventually { try await server.writer(id)["streams"][0]["offset"] == 768 }
                #expect(isThere)
                let isWritten = try await eventually { try await server.writer(id)["bytes_written"] == 512 }
                #expect(isWritten)
                try await body.send("0\r\n\r\n")
                #expect(try await body.response(to: "POST").json["offset"] == 768)
                try await server.finalize(id)
                let sent = Self.block + Self.block.prefix(256)
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").body == sent)
            }
        }

        @Test func manySmallPiecesWakeTheEncoderSeldom() async throws {
            try await withServer { server in
                let (id, body) = try await begin(server, latency: 500)
                let pid = try #require(try await server.writer(id)["encoder_pid"].int)
                try await body.sendChunked(Self.block, piece: 512, ends: false)
                let isTaken = try await eventually { try await server.writer(id)["streams"][0]["offset"] == 512 }
                #expect(isTaken)
                let before = try Self.sleeps(of: pid)
                let began = ContinuousClock.now
                // A second of sound, eight samples at a time: each is there before the next is sent.
                for _ in 0..<2_000 { try await body.sendChunked(Self.block.prefix(16), piece: 16, ends: false) }
                let seconds = Double((ContinuousClock.now - began).components.seconds) + 1
                let after = try Self.sleeps(of: pid)
                // Twice for each time that the latency passes, and what the process does once a second.
                #expect(Double(after - before) < 100 + 20 * seconds, "\(after - before) in \(seconds) s")
                try await body.send("0\r\n\r\n")
                #expect(try await body.response(to: "POST").json["offset"] == 32_512)
            }
        }

        /// Waits that would outlast the test if anything waited for their end.
        @Test func aWriterIsSteeredAndEndedWhileItsBodyIsWaitedFor() async throws {
            try await withServer { server in
                let cut = try await begin(server, latency: 10_000)
                try await cut.body.sendChunked(Self.block, piece: 100, ends: false)
                let path = "/v1/writers/\(cut.id)"
                let isReceiving = try await eventually { try await server.writer(cut.id)["upload"] == "receiving" }
                #expect(isReceiving)
                let early = try await server.curl("POST", "\(path)/finalize")
                #expect(early.status == 409 && early.json["type"].string?.hasSuffix("chunk-in-progress") == true, "\(early.text)")
                await cut.body.finishSending()
                let isSeen = try await eventually(within: 8) { try await server.writer(cut.id)["upload"] == "interrupted" }
                #expect(isSeen)
                #expect(try await server.writer(cut.id)["streams"][0]["offset"] == 512, "what came before it was cut is kept")
                let rest = try await server.curl(
                    "POST", "\(path)/streams/0/chunks", headers: ["Upload-Offset: 512"], body: .bytes(Self.block))
                #expect(rest.status == 200, "\(rest.text)")
                try await server.finalize(cut.id)
                #expect(try await server.curl("GET", "\(path)/output").body == Self.block + Self.block)

                let deleted = try await begin(server, latency: 10_000)
                try await deleted.body.sendChunked(Self.block, piece: 100, ends: false)
                let isReceivingToo = try await eventually { try await server.writer(deleted.id)["upload"] == "receiving" }
                #expect(isReceivingToo)
                let gone = try await server.curl("DELETE", "/v1/writers/\(deleted.id)")
                #expect(gone.status == 200 || gone.status == 204, "\(gone.text)")
                // Where its wait is not ended it goes with its process, and is 503.
                #expect(try await deleted.body.response(to: "POST").status == 409)
            }
        }

        /// One that is stale is ended by who goes on, although it waits.
        @Test func aBodyThatWaitsGivesWayToOneThatGoesOn() async throws {
            try await withServer { server in
                let (id, body) = try await begin(server, latency: 10_000)
                try await body.sendChunked(Self.block, piece: 512, ends: false)
                let isReceiving = try await eventually { try await server.writer(id)["upload"] == "receiving" }
                #expect(isReceiving)
                let path = "/v1/writers/\(id)/streams/0/chunks"
                let offset = try #require(try await server.curl("HEAD", path)["Upload-Offset"])
                let next = try await server.curl("POST", path, headers: ["Upload-Offset: \(offset)"], body: .bytes(Self.block))
                #expect(next.status == 200, "\(next.text)")
                #expect(try await body.response(to: "POST").status == 409)
                try await server.finalize(id)
            }
        }

        @Test func theLatencyIsShownAndPartOfADryRunAndOfAnEncoding() async throws {
            try await withServer { server in
                let (id, _) = try await begin(server)
                #expect(try await server.writer(id)["streams"][0]["latency"] == 20)
                let plan = try await server.curl(
                    "POST", "/v1/writers?dry_run=true", body: .json(["format": "wav", "streams": [Self.sound(latency: 2.5)], "open": true]))
                #expect(plan.status == 200 && plan.json["streams"][0]["latency"] == 2.5, "\(plan.text)")
                let query = "format=s16le&sample_rate=16000&num_channels=1&sample_format=s16"
                let encoded = try await server.curl("POST", "/v1/encode?\(query)&latency=5", body: .bytes(Self.block))
                #expect(encoded.status == 200 && encoded.body == Self.block, "\(encoded.text)")
                let refused = try await server.curl("POST", "/v1/encode?\(query)&latency=-5", body: .bytes(Self.block))
                #expect(refused.status == 400 || refused.status == 422, "\(refused.text)")
                #expect(refused.json["parameter"] == "latency", "\(refused.text)")
            }
        }
    }
}
