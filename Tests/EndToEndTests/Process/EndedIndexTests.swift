import Foundation
import Testing

extension EndToEnd {
    /// A start with the writers of an earlier run: the same, whatever became of the index.
    @Suite struct EndedIndexTests {
        private static let index = "state/ended"

        private func makeWriters(_ tenants: Tenants) async throws {
            for (token, id) in [("a-token", "closed"), ("b-token", "closed"), ("a-token", "second")] {
                try await tenants.make(token, id)
                #expect(try await tenants.send(token, id, Data(count: 1_600)).status == 200)
                #expect(try await tenants.call(token, "POST", "/v1/writers/\(id)/finalize").status == 200)
            }
            let keyed = try await tenants.call("a-token", "POST", "/v1/writers", Tenants.open, headers: ["Idempotency-Key: one"])
            let id = try #require(keyed.json["id"].string)
            #expect(try await tenants.call("a-token", "POST", "/v1/writers/\(id)/finalize").status == 200)
            try await tenants.make("a-token", "gone")
            #expect(try await tenants.call("a-token", "POST", "/v1/writers/gone/finalize").status == 200)
            #expect(try await tenants.call("a-token", "DELETE", "/v1/writers/gone").isDeleted)
        }

        /// All that can be asked of writers that have ended.
        private func responses(_ tenants: Tenants) async throws -> [String] {
            var found: [String] = []
            for (token, method, path, body, headers) in [
                ("a-token", "GET", "/v1/writers", nil, []), ("b-token", "GET", "/v1/writers", nil, []),
                ("root-token", "GET", "/v1/writers?limit=2", nil, []), ("root-token", "GET", "/v1/writers?state=failed", nil, []),
                ("a-token", "GET", "/v1/writers/closed", nil, []), ("a-token", "GET", "/v1/writers/closed/output", nil, []),
                ("a-token", "GET", "/v1/writers/gone", nil, []), ("root-token", "GET", "/v1/writers/closed", nil, []),
                ("a-token", "PUT", "/v1/writers/closed", Tenants.open, []), ("a-token", "PUT", "/v1/writers/closed", ["format": "mp3"], []),
                ("a-token", "POST", "/v1/writers", Tenants.open, ["Idempotency-Key: one"]),
                ("a-token", "POST", "/v1/writers/second/finalize", nil, []),
            ] as [(String, String, String, JSON?, [String])] {
                let response = try await tenants.call(token, method, path, body, headers: headers)
                let json = response.json
                let isProblem = json["request_id"] != .null
                let text = isProblem ? [json["type"].string, json["detail"].string].compactMap { $0 }.joined(separator: " ") : response.text
                found.append("\(method) \(path) \(response.status) \(json == .null ? "\(response.body.count)" : text)")
            }
            return found
        }

        @Test func everyStartKnowsTheSame() async throws {
            let folder = try TemporaryFolder()
            let lines = ["a-token name=a", "b-token name=b", "root-token scope=admin"]
            var before: [String] = []
            try await Tenants.run(lines, in: folder) { tenants in
                try await makeWriters(tenants)
                before = try await responses(tenants)
            }
            #expect(before.count { $0.contains(" 200 ") } == 8 && before.count { $0.contains(" 201 ") } == 1)
            let path = folder / Self.index
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let changes: [(String, Data?)] = [
                ("as it was", whole), ("missing", nil), ("empty", Data()), ("torn", whole.dropLast(200)),
                ("damaged", Data(whole.enumerated().map { $0.offset == whole.count / 2 ? $0.element ^ 1 : $0.element })), ("other", Data("{}".utf8)),
            ]
            for (change, bytes) in changes {
                try? FileManager.default.removeItem(atPath: path)
                try bytes?.write(to: URL(fileURLWithPath: path))
                try await Tenants.run(lines, in: folder) { tenants in
                    let now = try await responses(tenants)
                    #expect(now == before, "\(change)")
                    let unread = change == "as it was" ? "unread=0" : "unread=4"
                    #expect(tenants.server.log.text.contains(unread), "\(change): \(tenants.server.log.text)")
                }
            }
        }

        /// The files of the state directory as a server leaves them that is killed while it removes a writer.
        @Test func halfOfAWriterIsNone() async throws {
            let folder = try TemporaryFolder()
            try await withServer(in: folder) { server in
                let made = try await server.curl("PUT", "/v1/writers/w", body: .json(Tenants.open))
                #expect(made.status == 201)
                try await server.finalize("w")
            }
            let writers = folder / "state/writers"
            try FileManager.default.moveItem(atPath: writers + "/w", toPath: writers + "/.gone.w")
            try FileManager.default.removeItem(atPath: writers + "/.gone.w/record.json")
            try await withServer(in: folder) { server in
                #expect(try await server.curl("GET", "/v1/writers").json["writers"] == [])
                try await eventually("the rest's end") {
                    try FileManager.default.contentsOfDirectory(atPath: writers) == []
                }
            }
        }

        @Test func aKilledServersWritersAreKnownByTheIndexToo() async throws {
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(in: folder)
            for id in ["a", "b"] {
                #expect(try await server.curl("PUT", "/v1/writers/\(id)", body: .json(Tenants.open)).status == 201)
                try await server.finalize(id)
            }
            #expect(try await server.curl("DELETE", "/v1/writers/a").isDeleted)
            server.process.signal(SIGKILL)
            #expect(await server.log.ended(within: 20))
            try await withServer(in: folder) { next in
                let listed = try await next.curl("GET", "/v1/writers").json["writers"].array
                #expect(listed.map { $0["id"] } == ["b"])
                #expect(next.log.text.contains("unread=0"), "\(next.log.text)")
            }
        }

        /// The index is of a server that was killed, and a version that knows none has worked on the folder since: the
        /// deletion of a writer left its file, and the list was that of before.
        @Test func whatTheWritersFilesSayCounts() async throws {
            let folder = try TemporaryFolder()
            let index = URL(fileURLWithPath: folder / Self.index)
            func run(_ body: (PenstockServer) async throws -> Void) async throws {
                let server = try await PenstockServer.start(in: folder)
                try await body(server)
                server.process.signal(SIGKILL)
                #expect(await server.log.ended(within: 20))
            }
            func make(_ file: String, on server: PenstockServer) async throws {
                let body: JSON = ["dst": .string(file), "streams": [Tenants.audio], "open": true]
                #expect(try await server.curl("PUT", "/v1/writers/w", body: .json(body)).status == 201)
                try await server.finalize("w")
            }
            try await run { try await make("old.wav", on: $0) }
            let before = try Data(contentsOf: index)
            try await run { server in
                #expect(try await server.curl("DELETE", "/v1/writers/w").isDeleted)
                try await make("new.wav", on: server)
            }
            try before.write(to: index)
            try await run { server in
                let shown = try await server.curl("GET", "/v1/writers/w")
                #expect(shown.json["dst"] == "new.wav", "\(shown.text)")
            }
            try before.write(to: index)
            try await run { server in
                let deleted = try await server.curl("DELETE", "/v1/writers/w")
                #expect(deleted.json["removed"] == ["new.wav"], "\(deleted.text)")
                #expect(!FileManager.default.fileExists(atPath: server.outputFolder + "/new.wav"))
            }
        }
    }
}
