import Foundation
import Testing

extension EndToEnd {
    /// Raw ingest: the bytes of a 1080p upload, as fast as they go.
    @Suite struct ThroughputTests {
        private static let bytesPerFrame = 1920 * 1080 * 3
        private static let frameCount = 400

        @Test func rawUploadIsFastAndLeavesTheEncodersMemoryFlat() async throws {
            try await withServer { server in
                let created = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "dst": "sink.yuv", "format": "rawvideo", "open": true,
                        "streams": [
                            [
                                "type": "video", "frame_rate": 25, "width": 1_920, "height": 1_080,
                                "format": "yuv444p", "encoder": "rawvideo",
                            ]
                        ],
                    ]))
                try #require(created.status == 201, "\(created.text)")
                let id = try #require(created.json["id"].string)
                let pid = try #require(created.json["encoder_pid"].int)
                // The sink: a file that is gone from the folder.
                try FileManager.default.removeItem(atPath: server.outputFolder + "/sink.yuv")
                let connection = try RawConnection(port: server.port)
                let path = "/v1/writers/\(id)/streams/0/chunks"
                let frame = Data((0..<Self.bytesPerFrame).map { UInt8(truncatingIfNeeded: $0 &* 31) })

                try await send(frame, count: 50, on: connection, path)
                let early = try residentBytes(of: pid)
                let started = ContinuousClock.now
                try await send(frame, count: Self.frameCount, on: connection, path)
                let seconds = (ContinuousClock.now - started) / .seconds(1)
                let late = try residentBytes(of: pid)
                let rate = Double(Self.frameCount * Self.bytesPerFrame) / seconds / 1e9
                print(
                    String(
                        format: "raw ingest of 1080p: %.2f GB/s; encoder %d MB, then %d MB", rate, early >> 20,
                        late >> 20))
                // Far below any machine's rate: only a copy gone wrong falls under it.
                #expect(rate > 0.2)
                #expect(late - early < 32 << 20, "bytes more after \(Self.frameCount) frames")

                let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.json["streams"][0]["frames"].int == Self.frameCount + 50, "\(closed.text)")
                #expect(closed.json["bytes_written"].int == (Self.frameCount + 50) * Self.bytesPerFrame)
            }
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
