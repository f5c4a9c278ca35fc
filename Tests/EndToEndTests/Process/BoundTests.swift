import Foundation
import Synchronization
import Testing

extension EndToEnd {
    /// Every bound of the server, reached.
    @Suite struct BoundTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        private static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

        /// Each of two such held a thread, and whatever came behind them waited for it.
        @Test func requestsBesideBodiesThatDoNotComeAreAllAnswered() async throws {
            let count = 700
            try await withServer(["--handler-threads", "2", "--body-timeout", "120"]) { server in
                let id = try await server.createWriter(["format": "matroska", "streams": [Self.audio, Self.audio]])
                var holders: [RawConnection] = []
                for _ in 0..<2 {
                    let holder = try RawConnection(port: server.port)
                    let path = "/v1/writers/\(id)/metadata"
                    try await holder.send(
                        RawConnection.head("PUT", path, headers: ["Expect: 100-continue"], contentLength: 17))
                    #expect(try await holder.head().status == 100)
                    holders.append(holder)
                }
                var waiting: [RawConnection] = []
                for _ in 0..<count {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(RawConnection.head("GET", "/v1/writers/\(id)"))
                    waiting.append(connection)
                }
                let counts = StatusCounts()
                try await inParallel(count, width: 64) { [waiting] index in
                    await counts.add(try await waiting[index].response().status)
                }
                #expect(await counts.statuses == [200: count])
                try await server.expectWell()
                for holder in holders { try await holder.send("{\"title\":\"there\"}") }
                for holder in holders { #expect(try await holder.response().status == 200) }
            }
        }

        @Test func writersBeyondTheLimitAreRefusedUntilOneEnds() async throws {
            try await withServer(["--max-writers", "3"]) { server in
                let counts = StatusCounts()
                try await inParallel(12, width: 12) { index in
                    let answer = try await server.curl("PUT", "/v1/writers/w\(index)", body: .json(Self.open))
                    if answer.status == 503 { #expect(answer["Retry-After"] != nil) }
                    await counts.add(answer.status)
                }
                #expect(await counts.statuses == [201: 3, 503: 9])
                let alive = try await server.curl("GET", "/v1/writers?state=open").json["writers"].array
                #expect(alive.count == 3)
                try await server.finalize(try #require(alive[0]["id"].string))
                let next = try await server.curl("POST", "/v1/writers", body: .json(Self.open))
                #expect(next.status == 201, "\(next.text)")
            }
        }

        @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/pressure/cpu"), "the kernel tells no cpu.pressure"))
        func busyProcessorsRefuseNewWritersAndKeepTheOthers() async throws {
            try await withServer(["--max-load", "5"]) { server in
                // Whoever runs beside the tests: as soon as it is quiet, which it may never be.
                var made = try await server.curl("PUT", "/v1/writers/before", body: .json(Self.open))
                let unlimited = try await PenstockServer.start()
                let isBusy = Flag()
                for _ in 0..<3 * ProcessInfo.processInfo.activeProcessorCount {
                    Thread.detachNewThread { while isBusy.isUp {} }
                }
                defer { isBusy.lower() }
                var refused: Response?
                let isRefused = try await eventually(within: 90) {
                    let answer = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(Self.open))
                    if answer.status == 503 { refused = answer }
                    try await Task.sleep(for: .milliseconds(100))
                    return answer.status == 503
                }
                #expect(isRefused)
                #expect(refused?.problem == "overloaded")
                #expect(refused?["Retry-After"] == "10")
                #expect(refused?.json["detail"].string?.contains("--max-load") == true, "\(refused?.text ?? "")")
                let query = "format=wav&sample_rate=8000&num_channels=1&sample_format=s16"
                let encode = try await server.curl("POST", "/v1/encode?\(query)", body: .bytes(Data(count: 16)))
                #expect(encode.status == 503)
                if made.status == 201 {
                    try await server.sendChunk(Data(count: 1_600), to: "before", stream: 0)
                    try await server.finalize("before")
                }
                made = try await unlimited.curl("POST", "/v1/writers", body: .json(Self.open))
                #expect(made.status == 201, "without --max-load")
                isBusy.lower()
                try await unlimited.stop()
            }
        }

        @Test func connectionsBeyondAnAddressesShareAreToldSo() async throws {
            try await withServer(["--max-connections-per-address", "4"]) { server in
                var held: [RawConnection] = []
                for _ in 0..<4 {
                    let connection = try RawConnection(port: server.port, from: "127.0.0.7")
                    #expect(try await connection.request("GET", "/livez").status == 200)
                    held.append(connection)
                }
                let refused = try RawConnection(port: server.port, from: "127.0.0.7")
                let answer = try await refused.response()
                #expect(answer.status == 429)
                #expect(answer.problem == "too-many-connections")
                #expect(answer["Retry-After"] != nil)
                #expect(answer["Connection"] == "close")
                #expect(try await refused.isClosed())
                #expect(try await held[0].request("GET", "/livez").status == 200)
                let other = try RawConnection(port: server.port, from: "127.0.0.8")
                #expect(try await other.request("GET", "/livez").status == 200)
                held.removeLast()
                let isTakenAgain = try await eventually {
                    let connection = try RawConnection(port: server.port, from: "127.0.0.7")
                    return try await connection.request("GET", "/livez").status == 200
                }
                #expect(isTakenAgain)
            }
        }

        @Test func everyDeadlineIsKept() async throws {
            let options = [
                "--head-timeout", "2", "--body-timeout", "2", "--response-timeout", "2",
                "--idle-connection-timeout", "2",
            ]
            try await withServer(options) { server in
                let id = try await server.createWriter(Self.open)
                async let head = seconds(of: {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send("GET /livez HTTP/1.1\r\nHost: ")
                    let answer = try await connection.response()
                    #expect(answer.status == 408)
                    #expect(answer.problem == "request-timeout")
                    #expect(try await connection.isClosed())
                })
                async let idle = seconds(of: {
                    let isClosed = try await RawConnection(port: server.port).isClosed()
                    #expect(isClosed)
                })
                async let body = seconds(of: {
                    let connection = try RawConnection(port: server.port)
                    let request = RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: 16_000)
                    try await connection.send(Data(request.utf8) + Data(count: 1_601))
                    let answer = try await connection.response()
                    #expect(answer.status == 408, "\(answer.text)")
                    #expect(answer.json["frames"] == 800)
                    #expect(answer["Connection"] == "close")
                })
                async let json = seconds(of: {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(RawConnection.head("POST", "/v1/writers", contentLength: 100) + "{")
                    let answer = try await connection.response()
                    #expect(answer.status == 408, "\(answer.text)")
                })
                for (name, seconds) in [("head", try await head), ("idle", try await idle), ("body", try await body), ("json", try await json)] {
                    // That of heads is 15 s where nothing is said.
                    #expect((1.8...14).contains(seconds), "\(name): \(seconds) s")
                }
                #expect(try await server.writer(id)["streams"][0]["frames"] == 800)
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.count == 1)
            }
        }

        @Test func bodyOfJSONMayNotTrickleForEver() async throws {
            try await withServer(["--body-timeout", "1"]) { server in
                let connection = try RawConnection(port: server.port)
                try await connection.send(RawConnection.head("POST", "/v1/writers", contentLength: 10_000))
                // A byte is always on its way: only the whole has a deadline.
                let trickle = Task {
                    for _ in 0..<600 where !Task.isCancelled {
                        try? await connection.send(" ")
                        try? await Task.sleep(for: .milliseconds(100))
                    }
                }
                let gone = try await eventually(within: 30) {
                    let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                    return metrics["penstock_http_requests_total", ["route": "createWriter", "status": "408"]] == 1
                }
                #expect(gone, "a creation lasts as long as its client likes")
                trickle.cancel()
                await trickle.value
            }
        }

        @Test func clientThatDoesNotReadHoldsNoThread() async throws {
            let options = ["--handler-threads", "2", "--response-timeout", "30"]
            try await withServer(options) { server in
                var lazy: [RawConnection] = []
                for _ in 0..<8 {
                    let connection = try RawConnection(port: server.port, receiveBuffer: 2_048)
                    // More than the kernel keeps for a client that does not read.
                    let requests = String(repeating: RawConnection.head("GET", "/openapi.yaml"), count: 200)
                    try await connection.send(requests)
                    lazy.append(connection)
                }
                let seconds = try await secondsOf {
                    let answer = try await server.curl("GET", "/livez", options: ["--max-time", "28"])
                    #expect(answer.status == 200)
                }
                #expect(seconds < 20, "\(seconds) s beside clients that do not read")
                withExtendedLifetime(lazy) {}
            }
        }

        private func seconds(of body: @Sendable () async throws -> Void) async throws -> Double {
            try await secondsOf(body)
        }
    }
}

private actor StatusCounts {
    private(set) var statuses: [Int: Int] = [:]
    func add(_ status: Int) { statuses[status, default: 0] += 1 }
}

private final class Flag: Sendable {
    private let value = Atomic(true)
    var isUp: Bool { value.load(ordering: .relaxed) }
    func lower() { value.store(false, ordering: .relaxed) }
}
