import Foundation
import Testing

extension EndToEnd {
    /// What clients do or leave undone, while others want to be served. Each of these held every thread of
    /// the gateway, or of a writer's encoder.
    @Suite struct HeldServerTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        /// What a quiet server needs is a thousandth of it.
        private static let promptly = 20.0
        /// How long clients hold what they hold: longer than any bound here.
        private static let longTimes = ["--head-timeout", "120", "--body-timeout", "120", "--response-timeout", "120", "--open-timeout", "120"]

        /// Operational requests, and a writer's whole life, while the clients hold what they hold.
        private func expectPrompt(_ server: PenstockServer, _ what: String) async throws {
            for path in ["/livez", "/readyz", "/metrics", "/openapi.yaml", "/v1/writers?limit=1", "/v1/version"] {
                var status = 0
                let seconds = try await secondsOf { status = try await server.curl("GET", path).status }
                #expect(status == 200, "\(path) beside \(what)")
                #expect(seconds < Self.promptly, "\(path) beside \(what)")
            }
            let seconds = try await secondsOf { try await server.expectWell("beside other clients") }
            #expect(seconds < 2 * Self.promptly, "a writer beside \(what)")
        }

        @Test func answersThatNobodyReadsHoldNoThread() async throws {
            let folder = try TemporaryFolder()
            try "secret-token\n".write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
            try await withServer(Self.longTimes, in: folder) { server in
                let before = try PenstockServer.residentBytes(of: server.pid)
                let request = RawConnection.head("GET", "/openapi.yaml")
                var clients: [RawConnection] = []
                for _ in 0..<300 {
                    let client = try RawConnection(port: server.port)
                    try await client.send(String(repeating: request, count: 400))
                    clients.append(client)
                }
                for _ in 0..<3 { try await expectPrompt(server, "300 clients that do not read") }
                let grown = try PenstockServer.residentBytes(of: server.pid) - before
                print("300 unread answers: gateway \(grown >> 20) MB larger")
                #expect(grown < 100 << 20)
                // The one that reads after all gets what it asked for.
                let first = try await clients[0].response()
                #expect(first.status == 200 && first.text.hasPrefix("openapi:"))
            }
        }

        private static func raiseDescriptors() {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }

        /// They ended others' downloads, and the gateway kept the memory.
        @Test func partsOfHeadsWithoutATokenHurtNobodyWithOne() async throws {
            Self.raiseDescriptors()
            let folder = try TemporaryFolder()
            try "secret-token\n".write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
            try await withServer(Self.longTimes, in: folder) { server in
                let ended = try await server.createWriter(["format": "s16le", "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 24_000_000), to: ended, stream: 0)
                try await server.finalize(ended)
                let token = ["Authorization: Bearer secret-token"]
                let download = try RawConnection(port: server.port, receiveBuffer: 65_536)
                try await download.send(RawConnection.head("GET", "/v1/writers/\(ended)/output", headers: token))
                let before = try PenstockServer.residentBytes(of: server.pid)
                let part = "GET /v1/version HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 30_000)
                var clients: [RawConnection] = []
                for _ in 0..<3_000 {
                    let client = try RawConnection(port: server.port)
                    try? await client.send(part)
                    clients.append(client)
                }
                // Of the 90 MB that were sent 64 MiB may be held.
                let grown = try PenstockServer.residentBytes(of: server.pid) - before
                print("3,000 parts of heads: gateway \(grown >> 20) MB larger")
                #expect(grown < 96 << 20)
                #expect(try await clients[0].response().status == 503)
                for client in clients { await client.reset() }
                let isGivenBack = try await eventually {
                    try PenstockServer.residentBytes(of: server.pid) - before < 16 << 20
                }
                #expect(isGivenBack)
                #expect(try await download.response().body.count == 24_000_000)
            }
        }

        @Test func bodiesThatNeverComeHoldNoThread() async throws {
            try await withServer(Self.longTimes) { server in
                let ended = try await server.createWriter(["format": "wav", "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 1_600), to: ended, stream: 0)
                try await server.finalize(ended)
                let live = try await server.createWriter(["format": "wav", "streams": [Self.audio], "open": true])
                var clients: [RawConnection] = []
                for index in 0..<240 {
                    let (method, path) = [
                        ("PUT", "/v1/writers/\(ended)"), ("POST", "/v1/writers/\(ended)/finalize"),
                        ("PUT", "/v1/writers/\(live)"), ("POST", "/v1/writers/\(live)/flush"),
                        ("PUT", "/v1/writers/new-\(index)"), ("POST", "/v1/writers/none/flush"),
                    ][index % 6]
                    let client = try RawConnection(port: server.port)
                    try await client.send(RawConnection.head(method, path, contentLength: 10))
                    if index % 12 < 6 { try await client.send("{") }
                    clients.append(client)
                }
                try await expectPrompt(server, "240 bodies that do not come")
                // The live writer has as many of them.
                let seconds = try await secondsOf {
                    try await server.sendChunk(Data(count: 1_600), to: live, stream: 0)
                    #expect(try await server.writer(live)["streams"][0]["frames"] == 800)
                    try await server.finalize(live)
                }
                #expect(seconds < Self.promptly)
                try await clients[0].send(String(repeating: " ", count: 8) + "}")
                #expect(try await clients[0].response(to: "PUT").status == 409, "another body than the writer's")
            }
        }

        /// 300 with a token that may only read, closed at once: the writer took nothing more.
        @Test func followersThatLeaveHoldNoThread() async throws {
            try await withServer(Self.longTimes) { server in
                let live = try await server.createWriter(["format": "adts", "streams": [Self.audio], "open": true])
                let unopened = try await server.createWriter(["format": "adts", "streams": [Self.audio]])
                let spooled = try await server.createWriter(["format": "mp4", "streams": [Self.audio], "open": true])
                for _ in 0..<300 {
                    for writer in [live, unopened, spooled] {
                        let client = try RawConnection(port: server.port)
                        try await client.send(RawConnection.head("GET", "/v1/writers/\(writer)/output"))
                        await client.reset()
                    }
                }
                let staying = try RawConnection(port: server.port)
                try await staying.send(RawConnection.head("GET", "/v1/writers/\(unopened)/output"))
                for writer in [live, spooled, unopened] {
                    let seconds = try await secondsOf {
                        if writer == unopened {
                            #expect(try await server.curl("POST", "/v1/writers/\(writer)/open").status == 200)
                        }
                        try await server.sendChunk(Data(count: 16_000), to: writer, stream: 0)
                        try await server.finalize(writer)
                    }
                    #expect(seconds < Self.promptly)
                }
                #expect(try await staying.response().body == server.curl("GET", "/v1/writers/\(unopened)/output").body)
                for writer in [live, unopened, spooled] {
                    #expect(try await server.curl("DELETE", "/v1/writers/\(writer)").isDeleted)
                }
            }
        }

        @Test func slowReadersOfOutputsHoldNoThread() async throws {
            let second = Data((0..<2 * 192_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) })
            try await withServer(Self.longTimes) { server in
                var stream = Self.audio
                stream["sample_rate"] = 192_000
                let description: JSON = ["format": "s16le", "streams": [stream], "open": true]
                let (ended, live) = (try await server.createWriter(description), try await server.createWriter(description))
                for writer in [ended, live] {
                    for _ in 0..<30 { try await server.sendChunk(second, to: writer, stream: 0) }
                }
                try await server.finalize(ended)
                var clients: [RawConnection] = []
                for index in 0..<600 {
                    let client = try RawConnection(port: server.port, receiveBuffer: 4_096)
                    try await client.send(RawConnection.head("GET", "/v1/writers/\([ended, live][index % 2])/output"))
                    clients.append(client)
                }
                try await expectPrompt(server, "600 slow readers")
                let seconds = try await secondsOf {
                    try await server.sendChunk(second, to: live, stream: 0)
                    try await server.finalize(live)
                }
                #expect(seconds < Self.promptly)
                // Who reads after all has every byte.
                for (client, count) in [(clients[598], 30), (clients[599], 31)] {
                    let body = try await client.response().body
                    #expect(body.count == count * second.count)
                    #expect(body.suffix(second.count) == second)
                }
            }
        }

        /// One client's threads are not all: others, with another token, are served beside it.
        @Test func waitsForOneWriterLeaveItsOtherRequestsAlone() async throws {
            try await withServer(["--allow-output", "rtmp://127.0.0.1:*/*"] + Self.longTimes) { server in
                // Nobody answers the handshake: open lasts.
                let trap = try TrapPort(.tcp)
                let writer = try await server.createWriter([
                    "dst": .string("rtmp://127.0.0.1:\(trap.port)/live/key"), "streams": [["type": "audio", "sample_rate": 44_100, "num_channels": 1]],
                ])
                var clients: [RawConnection] = []
                for index in 0..<200 {
                    let client = try RawConnection(port: server.port)
                    let (method, path) = index % 2 == 0 ? ("POST", "/open") : ("POST", "/flush")
                    try await client.send(RawConnection.head(method, "/v1/writers/\(writer)\(path)", contentLength: 0))
                    clients.append(client)
                }
                var statuses: [Int] = []
                let seconds = try await secondsOf {
                    statuses.append(try await server.curl("GET", "/v1/writers/\(writer)").status)
                    statuses.append(try await server.curl("DELETE", "/v1/writers/\(writer)").status)
                }
                #expect(statuses == [200, 204])
                #expect(seconds < 2 * Self.promptly)
                withExtendedLifetime(trap) {}
            }
        }
    }
}
