import Foundation
import Testing

extension EndToEnd {
    /// libav's filters and encoders read memory that they never wrote, and rows beyond pictures, and what
    /// they read is in the output. It must be nothing that another client of the same process sent.
    @Suite struct OverreadTests {
        /// The row beyond a picture of one row of chroma is behind the end of its memory, the farther the wider.
        private static let filter = "separatefields"
        private static let widths = (2...17).map { $0 * 256 }
        private static let height = 2

        private static func frames(_ count: Int, width: Int) -> Data { Data(repeating: 0x11, count: width * height * 3 / 2 * count) }

        @Test func outputsHoldNothingOfWhatOtherClientsSent() async throws {
            let folder = try TemporaryFolder()
            let canaries = Canaries()
            let tokens = (0..<24).map { _ in canaries.next() }
            let own = "t0ken-of-the-attacker"
            try (([own] + tokens).joined(separator: "\n") + "\n").write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
            try await withServer(["--token-file", folder / "tokens", "--no-access-log"], in: folder) { server in
                let attacker = Attacker(server: server, authorization: "Authorization: Bearer \(own)")
                let streams = Self.widths.map { width -> JSON in
                    [
                        "type": "video", "frame_rate": 25, "width": .number(Double(width)), "height": .number(Double(Self.height)),
                        "format": "yuv420p", "encoder": "rawvideo", "filter_desc": .string(Self.filter),
                    ]
                }
                try await attacker.send("PUT", "/v1/writers/a", ["format": "nut", "streams": .array(streams), "open": true], 201)
                try await attacker.send("PUT", "/v1/writers/b", ["format": "wav", "streams": [RefusalTests.audio], "open": true], 201)
                var others = Bystanders(server: server, canaries: canaries, tokens: tokens)
                try await others.follow("a", count: 20)
                for _ in 0..<6 {
                    try await others.call("a", "b", count: 3)
                    for (index, width) in Self.widths.enumerated() {
                        try await attacker.send("POST", "/v1/writers/a/streams/\(index)/chunks", Self.frames(5, width: width))
                    }
                }
                try await attacker.send("POST", "/v1/writers/a/finalize", Data())
                let output = try await server.curl(
                    "GET", "/v1/writers/a/output", headers: [attacker.authorization])
                #expect(output.status == 200)
                // A row of luma of each field, and what takes the place of one of chroma.
                #expect(output.body.count > Self.widths.reduce(0, +) * Self.height * 6 * 5)
                let pieces = canaries.pieces(in: output.body)
                #expect(pieces.isEmpty, "\(pieces.count) pieces of what others sent: \(pieces.prefix(5))")
                #expect(canaries.all.count > 200)
                withExtendedLifetime(others) {}
            }
        }

        @Test func whatClientsSendIsKeptWhereNoLibraryAllocatesAndWipedAfterwards() async throws {
            let canaries = Canaries()
            try await withServer { server in
                let stream: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "rawvideo"]
                let attacker = Attacker(server: server, authorization: "X-None: none")
                try await attacker.send("PUT", "/v1/writers/a", ["format": "nut", "streams": [stream], "open": true], 201)
                try await attacker.send("PUT", "/v1/writers/b", ["format": "wav", "streams": [RefusalTests.audio], "open": true], 201)
                let encoder = try #require(PenstockServer.processes(marked: server.marker).first { PenstockServer.name(of: $0) == "enc a" })
                var others = Bystanders(server: server, canaries: canaries, tokens: [canaries.next()])
                try await others.follow("a", count: 3)
                try await others.call("a", "b", count: 5)
                let during = try ProcessMemory(of: encoder).occurrences(of: canaries.mark)
                #expect(during.inProgramHeap > 0, "requests that are being answered are in memory")
                #expect(during.elsewhere == [])

                await others.leave()
                // Followers notice that nobody reads when there is something to send.
                var after = during
                let isWiped = try await eventually {
                    try await attacker.send("POST", "/v1/writers/a/streams/0/chunks", Data(count: 64 * 48 * 3 / 2))
                    after = try ProcessMemory(of: encoder).occurrences(of: canaries.mark)
                    return after == (0, [])
                }
                #expect(isWiped, "\(after)")
            }
        }
    }
}

/// The client whose writer reads what it should not.
private struct Attacker {
    let server: PenstockServer
    let authorization: String

    func send(_ method: String, _ path: String, _ json: JSON, _ status: Int) async throws {
        let answer = try await server.curl(method, path, headers: [authorization], body: .json(json))
        try #require(answer.status == status, "\(answer.text)")
    }

    func send(_ method: String, _ path: String, _ bytes: Data) async throws {
        let answer = try await RawConnection(port: server.port).request(method, path, headers: [authorization], body: bytes)
        try #require(answer.status == 200, "\(answer.text)")
    }
}

/// Clients whose requests pass through the writer's process, each with secrets wherever it can have some.
private struct Bystanders {
    let server: PenstockServer
    let canaries: Canaries
    let tokens: [String]
    private var connections: [RawConnection] = []
    private var turn = 0

    init(server: PenstockServer, canaries: Canaries, tokens: [String]) {
        (self.server, self.canaries, self.tokens) = (server, canaries, tokens)
    }

    private mutating func secrets() -> [String] {
        turn += 1
        return ["Authorization: Bearer \(tokens[turn % tokens.count])", "X-Secret: \(canaries.next())", "Cookie: id=\(canaries.next())"]
    }

    private mutating func connect() throws -> RawConnection {
        let connection = try RawConnection(port: server.port)
        connections.append(connection)
        return connection
    }

    /// Requests that wait.
    mutating func follow(_ writer: String, count: Int) async throws {
        for _ in 0..<count {
            try await connect().send(RawConnection.head("GET", "/v1/writers/\(writer)/output", headers: secrets()))
        }
    }

    /// Requests to the writer's process and, on the same connections, to others; connections that are kept,
    /// and ones in the midst of a request.
    mutating func call(_ writer: String, _ other: String, count: Int) async throws {
        let path = "/v1/writers/\(writer)"
        let destination: JSON = ["dst": .string("rtmp://127.0.0.1/live/\(canaries.next())"), "metadata": ["title": .string(canaries.next())]]
        let kept = try connect()
        _ = try await kept.request("GET", path, headers: secrets())
        _ = try await kept.request("PUT", "/v1/writers/c\(turn)", headers: secrets(), body: destination.data)
        for _ in 0..<count {
            let connection = try connect()
            for target in ["\(path)?key=\(canaries.next())", "/v1/writers/\(other)", path] {
                _ = try await connection.request("GET", target, headers: secrets())
            }
            let late = try connect()
            _ = try await late.request("PUT", path + "/metadata", headers: secrets(), body: JSON.object(["title": .string(canaries.next())]).data)
            let pausing = try connect()
            try await pausing.send(RawConnection.head("PUT", path + "/metadata", headers: secrets(), contentLength: 100))
            try await pausing.send("{\"title\": \"\(canaries.next())")
        }
    }

    mutating func leave() async {
        for connection in connections { await connection.reset() }
        connections = []
    }
}
