import Foundation
import Testing

extension EndToEnd {
    /// Raw ingest: the bytes of a 1080p upload, as fast as they go.
    @Suite struct ThroughputTests {
        /// Where the encoder writes, how much, and the GB/s below which something is broken. The
        /// rates are far under any machine's: only a copy gone wrong falls below them.
        struct Sink: Sendable, CustomTestStringConvertible {
            let format: String
            let frameCount: Int
            let leastRate: Double
            var testDescription: String { format }
        }

        private static let bytesPerFrame = 1920 * 1080 * 3
        private static let warmUp = 40
        private static let stream: JSON = [
            "type": "video", "frame_rate": 25, "width": 1_920, "height": 1_080, "format": "yuv444p",
            "encoder": "rawvideo",
        ]

        /// Into FFmpeg's null muxer, and into a file, where the file system sets the pace.
        @Test(arguments: [
            Sink(format: "null", frameCount: 400, leastRate: 0.1),
            Sink(format: "rawvideo", frameCount: 100, leastRate: 0.01),
        ])
        func rawUploadIsFastAndLeavesTheEncodersMemoryFlat(_ sink: Sink) async throws {
            try await withServer { server in
                let (id, pid) = try await create(sink, on: server)
                let connection = try RawConnection(port: server.port)
                let path = "/v1/writers/\(id)/streams/0/chunks"
                let frame = Data((0..<Self.bytesPerFrame).map { UInt8(truncatingIfNeeded: $0 &* 31) })

                try await send(frame, count: Self.warmUp, on: connection, path)
                let early = try residentBytes(of: pid)
                let started = ContinuousClock.now
                try await send(frame, count: sink.frameCount, on: connection, path)
                let seconds = (ContinuousClock.now - started) / .seconds(1)
                let late = try residentBytes(of: pid)
                let rate = Double(sink.frameCount * Self.bytesPerFrame) / seconds / 1e9
                print(
                    "raw ingest of 1080p into \(sink.format): \(String(format: "%.2f", rate)) GB/s;",
                    "encoder \(early >> 20) MB, then \(late >> 20) MB")
                #expect(rate > sink.leastRate)
                #expect(late - early < 32 << 20, "bytes more after \(sink.frameCount) frames")

                let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
                let frames = sink.frameCount + Self.warmUp
                #expect(closed.json["streams"][0]["frames"].int == frames, "\(closed.text)")
                if sink.format == "rawvideo" {
                    #expect(closed.json["bytes_written"].int == frames * Self.bytesPerFrame)
                }
            }
        }

        /// The writer, and its encoder's process.
        private func create(_ sink: Sink, on server: PenstockServer) async throws -> (id: String, pid: Int) {
            var description: JSON = ["format": .string(sink.format), "streams": [Self.stream], "open": true]
            if sink.format == "rawvideo" { description["dst"] = "sink.yuv" }
            let created = try await server.curl("POST", "/v1/writers", body: .json(description))
            try #require(created.status == 201, "\(created.text)")
            return (try #require(created.json["id"].string), try #require(created.json["encoder_pid"].int))
        }

        private func send(_ frame: Data, count: Int, on connection: RawConnection, _ path: String) async throws {
            try await connection.send(RawConnection.head("POST", path, contentLength: count * frame.count))
            for _ in 0..<count { try await connection.send(frame) }
            let receipt = try await connection.response()
            #expect(receipt.status == 200, "\(receipt.text)")
            #expect(receipt.json["frames"].int == count)
        }

        /// VmRSS of a process.
        private func residentBytes(of pid: Int) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let match = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/))
            return (Int(match.1) ?? 0) * 1024
        }
    }
}
