import Foundation
import Testing

extension EndToEnd {
    /// Why a writer failed, from the log and the metrics alone: one line for each, whatever ended it.
    @Suite struct FailureLogTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        private static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

        private func expectOneLine(
            _ server: PenstockServer, _ id: String, code: String, by cause: String, level: String = "warning", state: String = "failed",
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let line = try await server.log.end(of: id)
            #expect(line["code"].string == code && line["ended_by"].string == cause && line["state"].string == state, "\(line)", sourceLocation: sourceLocation)
            #expect(line["level"].string == level && line["detail"].string?.isEmpty == false, "\(line)", sourceLocation: sourceLocation)
            #expect(server.log.failures(of: id).count == 1, "\(server.log.failures(of: id))", sourceLocation: sourceLocation)
        }

        private func put(_ id: String, _ body: JSON, on server: PenstockServer) async throws -> JSON {
            let made = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(body))
            #expect(made.status == 201, "\(made.text)")
            return made.json
        }

        @Test func everyWayToFailIsOneLineWithItsReason() async throws {
            let trap = try TrapPort(.tcp)
            let refusing = try LoopbackPort.free()
            let options = [
                "--log-format", "json", "--allow-output", "tcp://127.0.0.1:*", "--allow-output", "rtmp://127.0.0.1:*/*", "--call-timeout", "3",
                "--max-output-bytes", "1048576",
            ]
            try await withServer(options) { server in
                // Damaged by another program, and found so when it is read back.
                _ = try await put("damaged", Self.open.merging(["dst": "damaged.wav", "format": "wav"]), on: server)
                try await server.sendChunk(Data(count: 16_000), to: "damaged", stream: 0)
                truncate(server.outputFolder + "/damaged.wav", 10)
                #expect(try await server.curl("POST", "/v1/writers/damaged/finalize").status == 500)
                try await expectOneLine(server, "damaged", code: "output-damaged", by: "error", level: "error")

                _ = try await put("large", Self.open, on: server)
                #expect(try await server.curl("POST", "/v1/writers/large/streams/0/chunks", body: .bytes(Data(count: 2_000_000))).status == 507)
                try await expectOneLine(server, "large", code: "output-limit", by: "error")

                let killed = try await put("killed", Self.open, on: server)
                kill(pid_t(try #require(killed["encoder_pid"].int)), SIGKILL)
                try await expectOneLine(server, "killed", code: "encoder-crashed", by: "crash", level: "error")

                // The peer takes the connection, and the client does not wait for more.
                let left = try RawConnection(port: server.port)
                let body: JSON = ["dst": .string("rtmp://127.0.0.1:\(trap.port)/live/secretkey"), "streams": [Pictures.stream()], "open": true]
                let bytes = try body.data
                try await left.send(RawConnection.head("PUT", "/v1/writers/left", headers: ["Content-Type: application/json"], contentLength: bytes.count))
                try await left.send(bytes)
                let hasArrived = try await eventually { trap.arrivals > 0 }
                #expect(hasArrived)
                await left.reset()
                try await expectOneLine(server, "left", code: "destination-failed", by: "client_left", state: "unmade")

                let refused = try await server.curl(
                    "PUT", "/v1/writers/refused", body: .json(["dst": .string("tcp://127.0.0.1:\(refusing.number)"), "format": "adts", "streams": [Self.audio], "open": true]))
                #expect(refused.status == 502)
                try await expectOneLine(server, "refused", code: "destination-failed", by: "error", state: "unmade")
                // There is no writer that could be asked where it was to go.
                for (id, dst) in [("left", "rtmp://127.0.0.1:\(trap.port)"), ("refused", "tcp://127.0.0.1:\(refusing.number)")] {
                    #expect(try await server.log.end(of: id)["dst"].string?.hasPrefix(dst) == true)
                }
                // A request that is at fault alone is none.
                #expect(try await server.curl("PUT", "/v1/writers/wrong", body: .json(["format": "nosuch"])).status == 422)

                _ = try await put("stuck", ["format": "avi", "open": true, "streams": [[
                    "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "gray", "encoder": "mpeg4",
                    "filter_desc": "geq=lum='if(gt(N,2),while(1,1),1)'",
                ]]], on: server)
                #expect(try await server.curl("POST", "/v1/writers/stuck/streams/0/chunks", body: .bytes(Data(count: 20 * 64 * 48))).status == 504)
                try await expectOneLine(server, "stuck", code: "encoder-stalled", by: "stall", level: "error")

                #expect(server.log.failures(of: "wrong").isEmpty && !server.log.text.contains("secretkey"))
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                #expect(metrics["penstock_writers_ended_total", ["state": "failed", "ended_by": "error"]] == 2)
                #expect(metrics["penstock_writers_ended_total", ["state": "unmade", "ended_by": "client_left"]] == 1)
                for (code, count) in [("output-damaged", 1.0), ("output-limit", 1), ("encoder-crashed", 1), ("encoder-stalled", 1), ("destination-failed", 2), ("no-space", 0)] {
                    #expect(metrics["penstock_failures_total", ["code": code]] == count, "\(code)")
                }
            }
        }

        @Test func aWriterThatEndsWellIsOneLineOfInfo() async throws {
            try await withServer(["--log-format", "json", "--idle-timeout", "4"]) { server in
                _ = try await put("unopened", ["format": "wav"], on: server)
                _ = try await put("closed", Self.open.merging(["dst": "a/closed.wav"]), on: server)
                try await server.sendChunk(Data(count: 16_000), to: "closed", stream: 0)
                let result = try await server.finalize("closed")["result"]
                let line = try await server.log.end(of: "closed")
                #expect(line["level"] == "info" && line["state"] == "closed" && line["ended_by"] == "finalize" && line["dst"] == "a/closed.wav", "\(line)")
                #expect(line["bytes"] == result["bytes"] && line["duration_s"] == 1 && line["sha256"] == result["verified"]["sha256"] && line["sha256"] != .null, "\(line)")
                _ = try await put("gone", Self.open, on: server)
                #expect(try await server.curl("DELETE", "/v1/writers/gone").status == 204)
                #expect(try await server.log.end(of: "gone")["ended_by"] == "delete")
                try await expectOneLine(server, "unopened", code: "idle-timeout", by: "idle_timeout")
                #expect(server.log.failures(of: "closed").isEmpty && server.log.failures(of: "gone").isEmpty)
            }
        }

        /// Found dead: the gateway and the encoder at once.
        @Test func aWriterThatIsFoundDeadAtTheStartIsOneLine() async throws {
            let folder = try TemporaryFolder()
            let first = try await PenstockServer.start(in: folder)
            let pid = pid_t(try #require(try await put("dead", Self.open, on: first)["encoder_pid"].int))
            // The gateway hears of nothing any more.
            first.process.signal(SIGSTOP)
            kill(pid, SIGKILL)
            first.process.signal(SIGKILL)
            try await first.process.ended()
            #expect(await first.log.ended(within: 20))
            try await withServer(["--log-format", "json"], in: folder) { server in
                try await expectOneLine(server, "dead", code: "encoder-crashed", by: "restart", level: "error")
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                #expect(metrics["penstock_writers_ended_total", ["state": "failed", "ended_by": "restart"]] == 1)
            }
        }

        /// Without a gateway that could, the encoder itself says how its writer ended.
        @Test func anEncoderThatOutlivesItsGatewayLogsItsWritersEnd() async throws {
            let server = try await PenstockServer.start(["--log-format", "json"])
            _ = try await put("orphan", Self.open, on: server)
            try await server.sendChunk(Data(count: 16_000), to: "orphan", stream: 0)
            server.process.signal(SIGKILL)
            try await server.process.ended()
            #expect(await server.log.ended(within: 20))
            let lines = server.log.records.filter { $0["writer"] == "orphan" && $0["state"] == "closed" }
            #expect(lines.count == 1 && lines[0]["ended_by"] == "gateway_lost" && lines[0]["duration_s"] == 1, "\(lines)")
        }

        // MARK: Requests

        private static let stream = "/v1/encode?format=s16le&encoder=pcm_s16le&sample_rate=8000&num_channels=1&sample_format=s16"

        /// Its response has begun, and then its client leaves, or the encoding fails, or its process dies.
        @Test func anEncodingThatBreaksOffIsNoSuccess() async throws {
            try await withServer(["--log-format", "json", "--max-output-bytes", "1048576"]) { server in
                func begun() async throws -> RawConnection {
                    let client = try RawConnection(port: server.port)
                    try await client.send(RawConnection.head("POST", Self.stream, contentLength: 8_000_000))
                    try await client.send(Data(count: 200_000))
                    #expect(try await client.head().status == 200)
                    return client
                }
                let gone = try await begun()
                await gone.reset()
                let full = try await begun()
                try? await full.send(Data(count: 4_000_000))
                _ = try? await full.readToEnd()
                var lines: [JSON] = []
                let isLogged = try await eventually {
                    lines = server.log.records.filter { $0["route"] == "encode" }
                    return lines.count == 2
                }
                #expect(isLogged, "\(lines)")
                let (cut, failed) = (lines.first { $0["outcome"] == "cut" }, lines.first { $0["outcome"] == "failed" })
                #expect(cut?["status"] == 200 && cut?["level"] == "info" && cut?["code"].string != nil, "\(lines)")
                #expect(failed?["status"] == 200 && failed?["level"] == "warning" && failed?["code"] == "output-limit", "\(lines)")
                #expect(failed?["detail"].string?.contains("1048576") == true && failed?["duration_ms"].double != nil && failed?["bytes_in"].int != nil, "\(lines)")

                func count(_ metric: String, _ labels: [String: String]) async throws -> Double? {
                    try Exposition(try await server.curl("GET", "/metrics").text)[metric, labels]
                }
                let requests = "penstock_http_requests_total"
                let isCounted = try await eventually {
                    let cut = try await count(requests, ["route": "encode", "status": "200", "outcome": "cut"])
                    let failed = try await count(requests, ["route": "encode", "status": "200", "outcome": "failed"])
                    return cut == 1 && failed == 1
                }
                #expect(isCounted)
                #expect(try await count("penstock_failures_total", ["code": "output-limit"]) == 1)

                let killed = try await begun()
                for pid in PenstockServer.processes(marked: server.marker) where PenstockServer.name(of: pid)?.hasPrefix("enc w_") == true { kill(pid, SIGKILL) }
                _ = try? await killed.readToEnd()
                let isKilledCounted = try await eventually {
                    try await count(requests, ["route": "encode", "status": "200", "outcome": "failed"]) == 2
                }
                #expect(isKilledCounted)
                #expect(try await count(requests, ["route": "encode", "status": "200", "outcome": "complete"]) == nil)
                #expect(try await count("penstock_failures_total", ["code": "encoder-crashed"]) == 1)
                #expect(server.log.records.filter { $0["level"] == "error" && $0["code"] == "encoder-crashed" }.count == 1)
            }
        }

        @Test func aClientThatLeavesBeforeItsResponseIs499() async throws {
            try await withServer(["--log-format", "json"]) { server in
                _ = try await put("w", ["format": "mp4", "streams": [Self.audio], "open": true], on: server)
                let follower = try RawConnection(port: server.port)
                // Of an output that is not there before it is finalized.
                try await follower.send(RawConnection.head("GET", "/v1/writers/w/output"))
                #expect(try await server.writer("w")["state"] == "open")
                await follower.reset()
                let line = await server.log.line(containing: "GET /v1/writers/w/output 499", within: 20)
                let record = try JSON(Data((line ?? "{}").utf8))
                #expect(record["status"] == 499 && record["outcome"] == "cut" && record["method"] == "GET" && record["path"] == "/v1/writers/w/output", "\(record)")
                let isCounted = try await eventually {
                    try Exposition(try await server.curl("GET", "/metrics").text)["penstock_http_requests_total", ["route": "getOutput", "status": "499"]] == 1
                }
                #expect(isCounted)
            }
        }

        @Test func aNameThatAClientChoseForgesNoLine() async throws {
            try await withServer { server in
                let name = "a\n2026-01-01T00:00:00.000Z ERROR forged \u{1B}[31m\u{2028}x\u{9B}.wav"
                _ = try await put("w", ["dst": .string(name), "streams": [Self.audio], "open": true], on: server)
                _ = try await server.finalize("w")
                let line = await server.log.line(containing: "a writer closed", within: 20)
                #expect(line?.contains("dst=\"a\\n2026") == true && line?.contains("sha256=") == true, "\(line ?? "")")
                let text = server.log.text
                #expect(!text.split(separator: "\n").contains { $0.hasPrefix("2026-01-01T00:00:00.000Z ERROR") })
                #expect(!text.unicodeScalars.contains { [0x1B, 0x2028, 0x9B].contains($0.value) })
            }
        }
    }
}
