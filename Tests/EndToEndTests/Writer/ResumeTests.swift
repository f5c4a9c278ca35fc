import Foundation
import Testing

extension EndToEnd {
    /// Uploads that survive cut connections.
    @Suite struct ResumeTests {
        private static let mismatch = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"

        /// What is uploaded, and as which stream.
        struct Source: Sendable {
            let bytes: Data
            let unit: Int
            let description: JSON
            let format: String

            func create(on server: PenstockServer, as id: String) async throws {
                let connection = try RawConnection(port: server.port)
                let created = try await connection.request(
                    "PUT", "/v1/writers/\(id)",
                    json: ["dst": .string("\(id).\(format)"), "streams": [description], "open": true])
                try #require(created.status == 201, "\(created.text)")
            }

            func output(of id: String, on server: PenstockServer) async throws -> Data {
                let connection = try RawConnection(port: server.port)
                let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.json["state"] == "closed", "\(closed.text)")
                #expect(closed.json["streams"][0]["frames"].int == bytes.count / unit)
                return try server.output("\(id).\(format)")
            }
        }

        /// Four pieces of the clip's video and four of its audio.
        private static func sources(_ clip: Clip) -> [Source] {
            let options: [String: JSON] = ["encoder_option": ["preset": "ultrafast"]]
            return (0..<4).flatMap { part in
                [
                    Source(
                        bytes: clip.frames(part * 30..<part * 30 + 10), unit: clip.bytesPerFrame,
                        description: clip.streams(options)[0], format: "mp4"),
                    Source(
                        bytes: clip.samples(part * 40_000..<part * 40_000 + 30_011), unit: clip.bytesPerSample,
                        description: clip.streams()[1], format: "mp4"),
                ]
            }
        }

        @Test func uploadsCutAtRandomBytesAndResumedGiveTheSameOutput() async throws {
            let sources = Self.sources(try await Clip.small())
            let count = FaultScale.scaled(200)
            let cuts = Tally()
            try await withServer { server in
                var uncut: [Data] = []
                for (index, source) in sources.enumerated() {
                    try await source.create(on: server, as: "uncut-\(index)")
                    try await server.sendChunk(source.bytes, to: "uncut-\(index)", stream: 0)
                    uncut.append(try await source.output(of: "uncut-\(index)", on: server))
                }
                let expected = uncut
                let seconds = try await secondsOf {
                    try await inParallel(count) { index in
                        let source = sources[index % sources.count]
                        let id = "cut-\(index)"
                        try await source.create(on: server, as: id)
                        var upload = CutUpload(
                            source, to: id, on: server, isChunked: index / sources.count % 2 == 1,
                            random: SeededRandom(index))
                        try await upload.run()
                        await cuts.add(upload.cuts)
                        let output = try await source.output(of: id, on: server)
                        let isSame = output == expected[index % sources.count]
                        #expect(isSame, "upload \(index), seed \(FaultScale.seed)")
                    }
                }
                print("\(count) uploads with \(await cuts.total) cuts in \(seconds.short) s")
                #expect(await cuts.total >= count)
            }
        }

        @Test func staleUploadIsEndedByItsSuccessor() async throws {
            let source = Self.sources(try await Clip.small())[0]
            let frame = source.unit
            try await withServer { server in
                for id in ["whole", "stale"] { try await source.create(on: server, as: id) }
                try await server.sendChunk(source.bytes, to: "whole", stream: 0)
                let path = "/v1/writers/stale/streams/0/chunks"
                let stale = try RawConnection(port: server.port)
                try await stale.send(RawConnection.head("POST", path, contentLength: source.bytes.count))
                try await stale.send(source.bytes.prefix(frame * 4 + frame / 2))
                let isTaken = try await eventually {
                    try await server.curl("HEAD", path)["Upload-Offset"] == "\(frame * 4)"
                }
                #expect(isTaken)

                let rude = try await server.curl("POST", path, body: .bytes(source.bytes.suffix(frame)))
                #expect(rude.status == 409)
                #expect(rude.problem == "chunk-in-progress")
                // Where the stale one is not ended, but waited for, it is refused after five seconds.
                let successor = try await server.curl(
                    "POST", path, headers: ["Upload-Offset: \(frame * 4)"],
                    body: .bytes(source.bytes.dropFirst(frame * 4)))
                #expect(successor.status == 200, "\(successor.text)")
                #expect(successor["Upload-Offset"] == "\(source.bytes.count)")
                #expect(successor.json["frames"] == 6)
                // The stale client hears of it.
                #expect(try await stale.response().problem == "chunk-interrupted")
                let whole = try await source.output(of: "whole", on: server)
                let isSame = try await source.output(of: "stale", on: server) == whole
                #expect(isSame)
            }
        }

        @Test func wrongOffsetIsAnsweredAsTheDraftSays() async throws {
            let source = Self.sources(try await Clip.small())[1]
            try await withServer { server in
                try await source.create(on: server, as: "a")
                let path = "/v1/writers/a/streams/0/chunks"
                try await server.sendChunk(source.bytes.prefix(source.unit * 100), to: "a", stream: 0)
                let right = source.unit * 100
                for wrong in [0, right - source.unit, right + source.unit, Int.max] {
                    let response = try await server.curl(
                        "POST", path, headers: ["Upload-Offset: \(wrong)"], body: .bytes(Data(count: source.unit)))
                    #expect(response.status == 409)
                    #expect(response["Content-Type"] == "application/problem+json")
                    #expect(response["Upload-Offset"] == "\(right)")
                    let problem = response.json.object
                    #expect(problem["type"] == .string(Self.mismatch))
                    #expect(problem["status"] == 409)
                    #expect(problem["expected-offset"]?.int == right)
                    // JSON numbers are doubles here: Int.max is compared as one.
                    #expect(problem["provided-offset"]?.double == Double(wrong))
                }
                for bad in ["-1", "+1", "1.5", "", "0x10", "99999999999999999999"] {
                    let response = try await server.curl(
                        "POST", path, headers: ["Upload-Offset: \(bad)".trimmingCharacters(in: .whitespaces) + (bad.isEmpty ? ";" : "")],
                        body: .bytes(Data(count: source.unit)))
                    // curl's "Name;" sends an empty field.
                    #expect(response.status == 400, "\(bad): \(response.text)")
                }
                #expect(try await server.curl("HEAD", path)["Upload-Offset"] == "\(right)")
            }
        }
    }
}

private actor Tally {
    private(set) var total = 0
    func add(_ count: Int) { total += count }
}

/// One upload that is cut at random bytes, by a closed or a reset connection, and goes on where
/// the server says.
private struct CutUpload {
    private let source: EndToEnd.ResumeTests.Source
    private let path: String
    private let server: PenstockServer
    private let isChunked: Bool
    private var random: SeededRandom
    private var offset = 0
    private(set) var cuts = 0

    init(
        _ source: EndToEnd.ResumeTests.Source, to writer: String, on server: PenstockServer, isChunked: Bool,
        random: SeededRandom
    ) {
        self.source = source
        path = "/v1/writers/\(writer)/streams/0/chunks"
        self.server = server
        self.isChunked = isChunked
        self.random = random
    }

    mutating func run() async throws {
        for _ in 0..<Int.random(in: 1...3, using: &random) where offset < source.bytes.count { try await sendCut() }
        // Another try each time the server has taken more than it had said, because the stale upload
        // was still being read.
        for _ in 0..<10 {
            if try await sendRest() { return }
        }
        Issue.record("the upload to \(path) did not come to its end")
    }

    /// The request's bytes from `offset` on.
    private mutating func request() -> Data {
        let rest = source.bytes.dropFirst(offset)
        let framing = isChunked ? ["Transfer-Encoding: chunked"] : []
        var request = Data(
            RawConnection.head(
                "POST", path, headers: ["Upload-Offset: \(offset)"] + framing,
                contentLength: isChunked ? nil : rest.count
            ).utf8)
        if !isChunked { return request + rest }
        var start = rest.startIndex
        while start < rest.endIndex {
            let end = min(rest.endIndex, start + Int.random(in: 1...200_000, using: &random))
            request += Data("\(String(end - start, radix: 16))\r\n".utf8) + rest[start..<end] + Data("\r\n".utf8)
            start = end
        }
        return request + Data("0\r\n\r\n".utf8)
    }

    private mutating func sendCut() async throws {
        let connection = try RawConnection(port: server.port)
        let bytes = request()
        let part = bytes.prefix(Int.random(in: 1..<bytes.count, using: &random))
        cuts += 1
        // The server may end it first, when the offset is behind by then.
        try? await connection.send(part)
        if Bool.random(using: &random) {
            await connection.finishSending()
            _ = try? await connection.response()
        } else {
            await connection.reset()
        }
        try await askForOffset()
    }

    private mutating func askForOffset() async throws {
        let answer = try await RawConnection(port: server.port).request("HEAD", path)
        try take(offsetOf: answer)
    }

    /// True at the end. With nothing left to send it still ends the upload that was cut, of which
    /// the server may not know yet.
    private mutating func sendRest() async throws -> Bool {
        let connection = try RawConnection(port: server.port)
        // A refusal ends the connection before all is sent. No answer at all: one of our own earlier
        // requests came to the server's attention only now, and ended this one.
        try? await connection.send(request())
        guard let answer = try? await connection.response() else {
            try await askForOffset()
            return false
        }
        #expect(answer.status == 200 || answer.status == 409, "\(answer.text)")
        try take(offsetOf: answer)
        if answer.status == 200 { #expect(offset == source.bytes.count) }
        return answer.status == 200
    }

    private mutating func take(offsetOf answer: Response) throws {
        let now = try #require(answer["Upload-Offset"].flatMap { Int($0) }, "\(answer)")
        #expect(now >= offset, "an offset went back")
        #expect(now % source.unit == 0, "an offset within a frame")
        offset = now
    }
}
