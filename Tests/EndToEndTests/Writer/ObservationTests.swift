import Foundation
import Testing

extension EndToEnd {
    /// What the server says of itself: metrics, request ids, the access log, scopes, idle writers.
    @Suite struct ObservationTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        private static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

        private func metrics(_ server: PenstockServer) async throws -> Exposition {
            let answer = try await server.curl("GET", "/metrics")
            #expect(answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            return try Exposition(answer.text)
        }

        @Test func metricsTellWhatWasDone() async throws {
            try await withServer { server in
                let before = try await metrics(server)
                #expect(before["penstock_writers", ["state": "open"]] == 0)
                var ids: [String] = []
                for _ in 0..<4 { ids.append(try await server.createWriter(Self.open)) }
                for id in ids { try await server.sendChunk(Data(count: 8_000), to: id, stream: 0) }
                let partial = try await server.curl(
                    "POST", "/v1/writers/\(ids[0])/streams/0/chunks", body: .bytes(Data(count: 3)))
                #expect(partial.status == 400)
                #expect(try await server.curl("GET", "/nowhere").status == 404)
                let pid = pid_t(try #require(await server.writer(ids[3])["encoder_pid"].int))
                let open = try await metrics(server)
                #expect(open["penstock_writers", ["state": "open"]] == 4)
                for id in ids.prefix(3) { try await server.finalize(id) }
                // Its last second of counting dies with an encoder.
                let isCounted = try await eventually {
                    let now = try await metrics(server)
                    return now["penstock_frames_taken_total"] == 16_000
                        && now["penstock_http_requests_total", ["route": "createWriter", "status": "201"]] == 4
                        && now["penstock_http_requests_total", ["route": "writeChunk", "status": "200"]] == 4
                }
                #expect(isCounted)
                kill(pid, SIGKILL)
                _ = try await server.writer(ids[3], in: "failed")

                let isSettled = try await eventually {
                    let now = try await metrics(server)
                    return now["penstock_encoder_exits_total", ["reason": "SIGKILL"]] == 1
                        && now["penstock_encoder_exits_total", ["reason": "exit_0"]] == 3
                        && now["penstock_http_requests_total", ["route": "finalizeWriter", "status": "200"]] == 3
                }
                let after = try await metrics(server)
                #expect(isSettled, "\(after.values)")
                for (route, status, count) in [
                    ("createWriter", "201", 4.0), ("writeChunk", "200", 4), ("writeChunk", "400", 1),
                    ("finalizeWriter", "200", 3), ("other", "404", 1),
                ] {
                    let counted = after["penstock_http_requests_total", ["route": route, "status": status]]
                    #expect(counted == count, "\(route) \(status)")
                }
                #expect(after["penstock_writers", ["state": "closed"]] == 3)
                #expect(after["penstock_writers", ["state": "failed"]] == 1)
                #expect(after["penstock_writers", ["state": "open"]] == 0)
                #expect(after["penstock_frames_taken_total"] == 16_000)
                // What the killed one had not given to its encoder yet is not there.
                #expect((12_000...16_000).contains(after["penstock_frames_encoded_total"] ?? 0))
                #expect(after["penstock_http_body_bytes_read_total"] ?? 0 >= 32_000)
                #expect(after["penstock_encoder_exits_total", ["reason": "exit_0"]] == 3)
                #expect(after["penstock_encoder_fork_seconds_count"] == 4)
                #expect(after["penstock_http_request_duration_seconds_count", ["route": "writeChunk"]] == 5)
                // Counters and histograms never go back.
                for (earlier, later) in [(before, open), (open, after)] {
                    let now = later.values
                    for (name, value) in earlier.values where !name.hasPrefix("penstock_writers") && !name.hasPrefix("penstock_gateway_connections") {
                        #expect(now[name] ?? -1 >= value, "\(name)")
                    }
                }
            }
        }

        @Test func everyAnswerAndItsLogLineNameTheRequest() async throws {
            try await withServer { server in
                let id = try await server.createWriter(Self.open)
                let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                for (index, path) in ["/livez", "/v1/writers", "/v1/writers/\(id)", "/v1/muxers"].enumerated() {
                    let answer = try await server.curl(
                        "GET", path, headers: ["X-Request-Id: mine-\(index)", "traceparent: \(trace)"])
                    #expect(answer.status == 200)
                    #expect(answer["X-Request-Id"] == "mine-\(index)")
                    let line = await server.log.line(containing: "mine-\(index)", within: 20)
                    #expect(line?.contains(trace) == true && line?.contains("GET \(path) 200") == true, "\(line ?? "no line")")
                }
                let made = try await server.curl("GET", "/v1/writers/none")
                let name = try #require(made["X-Request-Id"])
                #expect(made.json["request_id"].string == name)
                #expect(await server.log.line(containing: name, within: 20) != nil)
                // What could stand for something else in the log is not taken over.
                for bad in ["two words", "quo\"te", String(repeating: "x", count: 129)] {
                    let answer = try await server.curl("GET", "/livez", headers: ["X-Request-Id: \(bad)"])
                    #expect(answer["X-Request-Id"] != bad)
                    #expect(answer["X-Request-Id"]?.isEmpty == false)
                }
            }
        }

        @Test func refusalBeforeAnyRequestIsNamedLoggedAndCounted() async throws {
            try await withServer(["--head-timeout", "1"]) { server in
                for (text, status) in [("GET / HTTP/1.1\r\nHost: a\r\nBad Field: 1\r\n\r\n", 400), ("GET / HT", 408)] {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(text)
                    let answer = try await connection.response()
                    #expect(answer.status == status)
                    let name = try #require(answer["X-Request-Id"], "\(status)")
                    #expect(answer.json["request_id"].string == name)
                    #expect(await server.log.line(containing: name, within: 20)?.contains("\(status)") == true)
                    let counted = try await metrics(server)["penstock_http_requests_total", ["route": "other", "status": "\(status)"]]
                    #expect(counted == 1)
                }
            }
        }

        @Test func tokenThatMayOnlyReadChangesNothing() async throws {
            let folder = try TemporaryFolder()
            try "reader read\nwriter write\nboth read,write\nall\n".write(
                toFile: folder / "tokens", atomically: true, encoding: .utf8)
            try await withServer(["--token-file", folder / "tokens", "--protect-operations"], in: folder) { server in
                func call(_ method: String, _ path: String, _ token: String, _ body: Curl.Body = .none) async throws -> Response {
                    try await server.curl(method, path, headers: ["Authorization: Bearer \(token)"], body: body)
                }
                #expect(try await server.curl("GET", "/metrics").status == 401)
                #expect(try await call("GET", "/metrics", "reader").status == 200)
                for token in ["writer", "both", "all"] {
                    #expect(try await call("PUT", "/v1/writers/\(token)", token, .json(Self.open)).status == 201)
                }
                #expect(try await call("PUT", "/v1/writers/reader", "reader", .json(Self.open)).status == 403)
                // At the gateway, at a writer's encoder, and at the one that knows libav.
                for path in ["/v1/writers", "/v1/writers/all", "/v1/muxers"] {
                    #expect(try await call("GET", path, "reader").status == 200, "\(path)")
                    let refused = try await call("GET", path, "writer")
                    #expect(refused.status == 403, "\(path)")
                    #expect(refused.problem == "insufficient-scope")
                    #expect(refused["WWW-Authenticate"]?.contains("insufficient_scope") == true)
                }
                let chunk = "/v1/writers/all/streams/0/chunks"
                #expect(try await call("POST", chunk, "reader", .bytes(Data(count: 2))).status == 403)
                #expect(try await call("POST", chunk, "writer", .bytes(Data(count: 2))).status == 200)
                #expect(try await call("POST", "/v1/writers/all/finalize", "reader").status == 403)
                #expect(try await call("DELETE", "/v1/writers/all", "reader").status == 403)
                #expect(try await call("DELETE", "/v1/writers/all", "both").isDeleted)

                // A token that is taken away is refused on a connection that an encoder keeps.
                let kept = try RawConnection(port: server.port)
                let token = ["Authorization: Bearer both"]
                #expect(try await kept.request("GET", "/v1/writers/both", headers: token).status == 200)
                try "reader read\nwriter write\nall\n".write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
                let isRefused = try await eventually {
                    let connection = try RawConnection(port: server.port)
                    return try await connection.request("GET", "/v1/writers/both", headers: token).status == 401
                }
                #expect(isRefused)
                #expect(try await kept.request("GET", "/v1/writers/both", headers: token).status == 401)
            }
        }

        @Test func idleWriterIsFinalizedAndSaysSo() async throws {
            try await withServer(["--idle-timeout", "4"]) { server in
                let id = try await server.createWriter(Self.open)
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                let unopened = try await server.createWriter(["format": "wav"])
                // One whose upload lasts is not idle.
                let busy = try await server.createWriter(Self.open)
                let connection = try RawConnection(port: server.port)
                try await connection.send(
                    RawConnection.head("POST", "/v1/writers/\(busy)/streams/0/chunks", contentLength: 1_600))
                let isClosed = try await eventually {
                    let list = try await server.curl("GET", "/v1/writers?state=closed").json
                    return list["writers"].array.map { $0["id"].string } == [id]
                }
                #expect(isClosed)
                let closed = try await server.writer(id)
                #expect(closed["result"]["ended_by"] == "idle_timeout", "\(closed)")
                #expect(closed["streams"][0]["frames"] == 8_000)
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").body.count >= 16_000)
                let failed = try await server.writer(unopened, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:idle-timeout")
                try await connection.send(Data(count: 1_600))
                #expect(try await connection.response().json["frames"] == 800)
            }
        }

        @Test func optionsTellWhatAPathTakes() async throws {
            try await withServer { server in
                for (path, methods) in [
                    ("/v1/writers", ["GET", "HEAD", "OPTIONS", "POST"]),
                    ("/v1/writers/a", ["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]),
                    ("/v1/writers/a/streams/0/chunks", ["HEAD", "OPTIONS", "POST"]),
                ] {
                    let answer = try await server.curl("OPTIONS", path)
                    #expect(answer.status == 204)
                    let allowed = answer["Allow"]?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                    #expect(allowed?.sorted() == methods, "\(path)")
                }
                #expect(try await server.curl("OPTIONS", "/nowhere").status == 404)
                let whole = try RawConnection(port: server.port)
                #expect(try await whole.request("OPTIONS", "*").status == 204)
            }
        }
    }
}
