import Foundation
import Testing

extension EndToEnd {
    /// Writers belong to the name whose token made them; for every other name they do not exist.
    @Suite struct TenantTests {
        private static let lines = [
            "acme-token name=acme", "acme-reader name=acme scope=read", "beta-token name=beta", "old-full", "old-reader read",
            "boss-token name=boss scope=admin",
        ]

        /// Every request there is about a writer.
        private static let requests: [(method: String, path: String, body: JSON?)] = [
            ("GET", "", nil), ("HEAD", "", nil), ("POST", "/streams", Tenants.audio), ("PUT", "/metadata", ["title": "x"]),
            ("POST", "/open", [:]), ("HEAD", "/streams/0/chunks", nil), ("HEAD", "/streams/7/chunks", nil),
            ("POST", "/streams/0/chunks?pts=0", [:]), ("POST", "/flush", nil), ("POST", "/finalize", nil), ("GET", "/output", nil),
            ("HEAD", "/output", nil), ("DELETE", "", nil),
        ]

        /// All of an answer that could tell one from another, with `id` as it would be for "XXXX".
        private static func shape(_ response: Response, id: String) -> [String] {
            let fields = response.headers.filter { !["date", "x-request-id"].contains($0.name.lowercased()) }
            var body = response.json
            if body["request_id"].string != nil { body["request_id"] = "r" }
            let text = (try? String(decoding: body.data, as: UTF8.self)).map { $0.count } ?? 0
            return ["\(response.status)", "\(text)", response.json["detail"].string?.replacingOccurrences(of: id, with: "XXXX") ?? ""]
                + fields.filter { $0.name.lowercased() != "content-length" }.map { "\($0.name.lowercased()): \($0.value)" }.sorted()
        }

        @Test func writersOfOtherNamesAnswerAsIfTheyDidNotExist() async throws {
            try await Tenants.run(Self.lines) { tenants in
                // One that lives, one that is being configured, one that has ended; and one that nobody has.
                try await tenants.make("acme-token", "live")
                try await tenants.make("acme-token", "conf", ["format": "wav"])
                try await tenants.make("acme-token", "done")
                #expect(try await tenants.call("acme-token", "POST", "/v1/writers/done/finalize").status == 200)
                for request in Self.requests {
                    let none = try await tenants.call("beta-token", request.method, "/v1/writers/none\(request.path)", request.body)
                    #expect(none.status == 404)
                    for id in ["live", "conf", "done"] {
                        let other = try await tenants.call("beta-token", request.method, "/v1/writers/\(id)\(request.path)", request.body)
                        #expect(Self.shape(other, id: id) == Self.shape(none, id: "none"), "\(request.method) \(id)\(request.path)")
                    }
                }
                for (id, state) in [("live", "open"), ("conf", "configuring"), ("done", "closed")] {
                    #expect(try await tenants.call("acme-reader", "GET", "/v1/writers/\(id)").json["state"].string == state)
                }
            }
        }

        @Test func keptConnectionIsOfNoName() async throws {
            try await Tenants.run(Self.lines) { tenants in
                let connection = try RawConnection(port: tenants.server.port)
                func call(_ token: String, _ method: String, _ path: String, _ body: JSON? = nil) async throws -> Response {
                    try await connection.request(
                        method, path, headers: Tenants.field(token) + ["Content-Type: application/json"], body: try body?.data)
                }
                #expect(try await call("acme-token", "PUT", "/v1/writers/x", Tenants.open).status == 201)
                for _ in 0..<3 {
                    // The connection is with the encoder of acme's writer whenever one of acme's requests was the last.
                    #expect(try await call("acme-token", "GET", "/v1/writers/x").status == 200)
                    for request in Self.requests where request.method != "HEAD" {
                        let answer = try await call("beta-token", request.method, "/v1/writers/x\(request.path)", request.body)
                        #expect(answer.status == 404, "\(request.method) \(request.path): \(answer.text)")
                        #expect(try await call("acme-token", "GET", "/v1/writers/x").json["state"] == "open")
                    }
                    #expect(try await call("acme-reader", "DELETE", "/v1/writers/x").status == 403)
                    #expect(try await call("nobodys", "GET", "/v1/writers/x").status == 401)
                    #expect(try await connection.request("GET", "/v1/writers/x").status == 401)
                    #expect(try await call("old-reader", "GET", "/v1/writers/x").json["name"] == "acme")
                    #expect(try await call("old-reader", "DELETE", "/v1/writers/x").status == 403)
                }
                #expect(try await call("beta-token", "PUT", "/v1/writers/x", ["format": "flac"]).status == 201)
                #expect(try await call("beta-token", "GET", "/v1/writers/x").json["format"] == "flac")
                #expect(try await call("acme-token", "GET", "/v1/writers/x").json["format"] == "wav")
                // Who sees both says whose, also where the connection is with one of them.
                for _ in 0..<2 {
                    #expect(try await call("old-full", "GET", "/v1/writers/x?name=beta").json["format"] == "flac")
                    let which = try await call("old-full", "DELETE", "/v1/writers/x")
                    #expect(which.status == 422 && which.json["parameter"] == "name", "\(which.text)")
                    #expect(try await call("boss-token", "GET", "/v1/writers/x?name=acme").json["name"] == "acme")
                }
                #expect(try await call("old-full", "PUT", "/v1/writers/x", ["format": "mp3"]).status == 201)
                #expect(try await call("boss-token", "GET", "/v1/writers/x?name=acme").json["format"] == "wav")
                // One's own comes first.
                #expect(try await call("old-full", "DELETE", "/v1/writers/x").isDeleted)
                #expect(try await call("boss-token", "DELETE", "/v1/writers/x?name=beta").isDeleted)
                #expect(try await call("beta-token", "GET", "/v1/writers/x").status == 404)
                #expect(try await call("old-full", "GET", "/v1/writers/x").json["name"] == "acme")
            }
        }

        @Test func oneIDAndOneKeyAreEachNamesOwn() async throws {
            try await Tenants.run(Self.lines) { tenants in
                try await tenants.make("acme-token", "x")
                // Another body, and yet no conflict: that would tell of acme's.
                try await tenants.make("beta-token", "x", ["format": "flac"])
                #expect(try await tenants.call("acme-token", "PUT", "/v1/writers/x", ["format": "flac"]).status == 409)
                #expect(try await tenants.call("acme-token", "PUT", "/v1/writers/x", Tenants.open).status == 200)
                var made: [String: String] = [:]
                for (token, format) in [("acme-token", "wav"), ("beta-token", "flac"), ("old-full", "mp3"), ("boss-token", "ogg")] {
                    let key = ["Idempotency-Key: one"]
                    let created = try await tenants.call(token, "POST", "/v1/writers", ["format": .string(format)], headers: key)
                    #expect(created.status == 201, "\(created.text)")
                    made[token] = created.json["id"].string
                    let again = try await tenants.call(token, "POST", "/v1/writers", ["format": .string(format)], headers: key)
                    #expect(again.json["id"].string == made[token])
                }
                #expect(Set(made.values).count == 4)
                #expect(try await tenants.call("acme-token", "DELETE", "/v1/writers/x").isDeleted)
                #expect(try await tenants.call("beta-token", "GET", "/v1/writers/x").json["format"] == "flac")
            }
        }

        @Test func listShowsOwnWritersAndAdminsSeeAll() async throws {
            try await Tenants.run(Self.lines) { tenants in
                for index in 0..<3 { try await tenants.make("acme-token", "a\(index)") }
                for index in 0..<2 { try await tenants.make("beta-token", "b\(index)") }
                try await tenants.make("old-full", "o")
                #expect(try await tenants.call("acme-token", "POST", "/v1/writers/a0/finalize").status == 200)
                #expect(try await tenants.ids("acme-token") == ["a0", "a1", "a2"])
                #expect(try await tenants.ids("acme-reader") == ["a0", "a1", "a2"])
                #expect(try await tenants.ids("beta-token") == ["b0", "b1"])
                for token in ["old-full", "old-reader", "boss-token"] {
                    #expect(try await tenants.ids(token) == ["a0", "a1", "a2", "b0", "b1", "o"])
                    #expect(try await tenants.ids(token, "?name=acme") == ["a0", "a1", "a2"])
                    #expect(try await tenants.ids(token, "?name=acme&state=closed") == ["a0"])
                    #expect(try await tenants.ids(token, "?name=") == ["o"])
                    #expect(try await tenants.ids(token, "?name=nobody") == [])
                    let all = try await tenants.call(token, "GET", "/v1/writers").json["writers"].array
                    #expect(all.compactMap { $0["name"].string }.sorted() == ["acme", "acme", "acme", "beta", "beta"])
                }
                // The same whether there is such a name or not.
                for name in ["beta", "nobody"] {
                    let other = try await tenants.call("acme-token", "GET", "/v1/writers?name=\(name)")
                    #expect(other.status == 403 && other.problem == "insufficient-scope")
                    #expect(try await tenants.call("acme-token", "GET", "/v1/writers/b0?name=\(name)").status == 403)
                }
                #expect(try await tenants.ids("acme-token", "?name=acme") == ["a0", "a1", "a2"])
                let own = try await tenants.call("acme-token", "GET", "/v1/writers").json["writers"].array
                #expect(own.allSatisfy { $0["name"] == .null })
                // Pages of one name are cut without the others'.
                let first = try await tenants.call("acme-token", "GET", "/v1/writers?limit=2")
                let cursor = try #require(first.json["next_cursor"].string)
                #expect(!cursor.contains("beta"))
                #expect(try await tenants.ids("acme-token", "?limit=2&cursor=\(cursor)") == ["a0"])
                #expect(try await tenants.ids("beta-token", "?limit=2&cursor=\(cursor)").allSatisfy { $0.hasPrefix("b") })
                #expect(try await tenants.call("beta-token", "GET", "/v1/writers?limit=2").json["next_cursor"] == .null)
            }
        }

        @Test func ownersOfWritersOutliveARestart() async throws {
            let folder = try TemporaryFolder()
            let key = ["Idempotency-Key: k"]
            try await Tenants.run(Self.lines, in: folder) { tenants in
                try await tenants.make("acme-token", "x")
                try await tenants.make("beta-token", "x", ["format": "flac", "streams": [Tenants.audio], "open": true])
                #expect(try await tenants.send("acme-token", "x", Data(count: 1_600)).status == 200)
                #expect(try await tenants.call("acme-token", "POST", "/v1/writers/x/finalize").status == 200)
                #expect(try await tenants.call("acme-token", "POST", "/v1/writers", Tenants.open, headers: key).status == 201)
            }
            try await Tenants.run(Self.lines, in: folder) { (tenants) async throws -> Void in
                #expect(try await tenants.call("acme-token", "GET", "/v1/writers/x").json["format"] == "wav")
                #expect(try await tenants.call("beta-token", "GET", "/v1/writers/x").json["format"] == "flac")
                #expect(try await tenants.call("acme-token", "GET", "/v1/writers/x/output").body.count == 44 + 1_600 + 34 + 36)
                #expect(try await tenants.ids("beta-token") == ["x"])
                #expect(try await tenants.ids("acme-token").count == 2)
                #expect(try await tenants.ids("boss-token").count == 3)
                #expect(try await tenants.call("beta-token", "POST", "/v1/writers", ["format": "flac"], headers: key).status == 201)
                #expect(try await tenants.call("acme-token", "POST", "/v1/writers", ["format": "flac"], headers: key).status == 422)
                #expect(try await tenants.call("beta-token", "DELETE", "/v1/writers/x").isDeleted)
                #expect(try await tenants.call("acme-token", "GET", "/v1/writers/x").status == 200)
            }
        }

        @Test func metricsTellOfNamesToAdminsAlone() async throws {
            for options in [[], ["--protect-operations"]] {
                try await Tenants.run(Self.lines, options: options) { tenants in
                    try await tenants.make("acme-token", "x")
                    #expect(try await tenants.send("acme-token", "x", Data(count: 1_600)).status == 200)
                    #expect(try await tenants.call("acme-token", "POST", "/v1/writers/x/finalize").status == 200)
                    for token in ["acme-token", "old-reader", "acme-reader"] {
                        let text = try await tenants.call(token, "GET", "/metrics").text
                        #expect(text.contains("penstock_writers") && !text.contains("acme"))
                    }
                    let open = try await tenants.server.curl("GET", "/metrics")
                    #expect(open.status == (options.isEmpty ? 200 : 401) && !open.text.contains("acme"))
                    for token in ["old-full", "boss-token"] {
                        try await eventually("acme's frames in the metrics") {
                            let metrics = try Exposition(try await tenants.call(token, "GET", "/metrics").text)
                            return metrics["penstock_name_frames_taken_total", ["name": "acme"]] == 800
                                && metrics["penstock_name_writers", ["name": "acme", "state": "closed"]] == 1
                        }
                    }
                }
            }
        }
    }
}
