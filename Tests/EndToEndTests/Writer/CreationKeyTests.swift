import Foundation
import Testing

extension EndToEnd {
    /// Idempotency-Key: one writer, however often it is asked for.
    @Suite struct CreationKeyTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        private static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

        private func create(_ key: String, _ body: JSON = open, on server: PenstockServer) async throws -> Response {
            try await server.curl("POST", "/v1/writers", headers: ["Idempotency-Key: \(key)"], body: .json(body))
        }

        @Test func parallelCreationsWithOneKeyMakeOneWriter() async throws {
            try await withServer { server in
                for round in 0..<FaultScale.scaled(5) {
                    let ids = Collected<String>()
                    try await inParallel(12, width: 12) { _ in
                        var answer = try await create("round-\(round)", on: server)
                        // One that came while the first was being taken is told to come again.
                        for _ in 0..<50 where answer.status == 503 {
                            #expect(answer["Retry-After"] != nil)
                            answer = try await create("round-\(round)", on: server)
                        }
                        #expect(answer.status == 201, "\(answer.text)")
                        let id = try #require(answer.json["id"].string)
                        #expect(answer["Location"] == "/v1/writers/\(id)")
                        await ids.add(id)
                    }
                    #expect(await ids.all.count == 1)
                    #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.count == round + 1)
                }
            }
        }

        /// Each waits for the one before, which fails, and is handed on.
        @Test(arguments: [true, false])
        func creationsThatFailTogetherAllSayWhy(byKey: Bool) async throws {
            try await withServer { server in
                for round in 0..<2 {
                    let headers = byKey ? ["Idempotency-Key: failing-\(round)"] : []
                    try await inParallel(20, width: 20) { _ in
                        func create() async throws -> Response {
                            try await server.curl(
                                byKey ? "POST" : "PUT", byKey ? "/v1/writers" : "/v1/writers/failing-\(round)", headers: headers,
                                body: .json(["format": "nope"]))
                        }
                        var answer = try await create()
                        for _ in 0..<50 where answer.status == 503 { answer = try await create() }
                        #expect(answer.status == 422, "\(answer.text)")
                        #expect(answer.json["parameter"] == "format", "\(answer.text)")
                    }
                }
            }
        }

        @Test func keyHoldsThroughTheWritersLifeAndARestart() async throws {
            let folder = try TemporaryFolder()
            let id = try await withServer(in: folder) { server in
                let created = try await create("one", on: server)
                let id = try #require(created.json["id"].string)
                #expect(try await create("one", on: server).json["id"].string == id)
                let other = try await create("one", ["format": "flac"], on: server)
                #expect(other.status == 422)
                #expect(other.problem == "idempotency-key-reused")
                try await server.finalize(id)
                let repeated = try await create("one", on: server)
                #expect(repeated.status == 201)
                #expect(repeated.json["id"].string == id)
                #expect(repeated.json["state"] == "closed")
                #expect(try await create("two", on: server).json["id"].string != id)
                return id
            }
            try await withServer(in: folder) { server in
                #expect(try await create("one", on: server).json["id"].string == id)
                #expect(try await create("one", ["format": "flac"], on: server).problem == "idempotency-key-reused")
                // Deleted, the key is free again.
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                let fresh = try await create("one", on: server)
                #expect(fresh.status == 201)
                #expect(fresh.json["id"].string != id)
            }
        }

        @Test func keyOfARefusedCreationIsFree() async throws {
            try await withServer { server in
                let refused = try await create("key", ["format": "no-such-format"], on: server)
                #expect(refused.status == 422)
                let made = try await create("key", on: server)
                #expect(made.status == 201, "\(made.text)")
                for bad in ["a\u{7F}b", String(repeating: "k", count: 256), "k\u{E9}y"] {
                    let answer = try await create(bad, on: server)
                    #expect(answer.status == 400, "\(bad): \(answer.text)")
                    #expect(answer.problem == "invalid-header" || answer.problem == "malformed-request")
                }
            }
        }

        @Test func cutConnectionAndRepeatedCreationMakeOneWriter() async throws {
            try await withServer { server in
                for round in 0..<FaultScale.scaled(20) {
                    let key = "cut-\(round)"
                    let body = try Self.open.data
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(
                        RawConnection.head(
                            "POST", "/v1/writers", headers: ["Idempotency-Key: \(key)"], contentLength: body.count))
                    try await connection.send(body)
                    await connection.reset()
                    var answer = try await create(key, on: server)
                    for _ in 0..<50 where answer.status == 503 { answer = try await create(key, on: server) }
                    #expect(answer.status == 201, "\(answer.text)")
                }
                let writers = try await server.curl("GET", "/v1/writers").json["writers"].array
                #expect(writers.count == FaultScale.scaled(20))
            }
        }

        @Test func finalizeRepeatedInParallelGivesOneResult() async throws {
            try await withServer { server in
                let id = try await server.createWriter(Self.open)
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                let results = Collected<Data>()
                try await inParallel(8) { _ in
                    let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                    #expect(closed.status == 200, "\(closed.text)")
                    await results.add(closed.body)
                }
                #expect(await results.all.count == 1)
            }
        }
    }
}

private actor Collected<Element: Hashable & Sendable> {
    private(set) var all: Set<Element> = []
    func add(_ element: Element) { all.insert(element) }
}
