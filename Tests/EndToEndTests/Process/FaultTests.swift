import Foundation
import Testing

extension EndToEnd {
    /// One writer can't hurt another.
    @Suite struct FaultTests {
        private static let writerCount = 20
        private static let victim = 7
        private static let frameCount = 60

        @Test func crashedEncoderFailsItsOwnWriterAndNoOther() async throws {
            let clip = try await Clip.small()
            let undisturbed = try await withServer { try await upload(clip, to: $0, crashing: nil) }
            let disturbed = try await withServer { server in
                let outputs = try await upload(clip, to: server, crashing: Self.victim)
                let failed = try await server.writer("w\(Self.victim)", in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:encoder-crashed")
                #expect(failed["failure"]["detail"].string?.contains("SIGSEGV") == true, "\(failed)")
                #expect(failed["ended_at"].string != nil)
                let list = try await server.curl("GET", "/v1/writers?state=closed&limit=100")
                #expect(list.json["writers"].array.count == Self.writerCount - 1)
                return outputs
            }
            for index in 0..<Self.writerCount where index != Self.victim {
                #expect(disturbed[index] != nil)
                #expect(disturbed[index] == undisturbed[index], "writer \(index)")
            }
            // Each writer has a quality of its own, so equal files are no accident.
            #expect(Set(undisturbed.values).count == Self.writerCount)
        }

        /// Uploads to all writers at once, `crashing` one half way; the outputs of the closed ones.
        private func upload(_ clip: Clip, to server: PenstockServer, crashing victim: Int?) async throws -> [Int: Data]
        {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<Self.writerCount {
                    group.addTask { try await upload(clip, to: server, index: index, crashes: index == victim) }
                }
                try await group.waitForAll()
            }
            var outputs: [Int: Data] = [:]
            for index in 0..<Self.writerCount where index != victim {
                outputs[index] = try server.output("w\(index).mp4")
            }
            return outputs
        }

        private func upload(_ clip: Clip, to server: PenstockServer, index: Int, crashes: Bool) async throws {
            let id = "w\(index)"
            let connection = try RawConnection(port: server.port)
            let options: JSON = ["preset": "ultrafast", "crf": .string("\(15 + index)")]
            let created = try await connection.request(
                "PUT", "/v1/writers/\(id)",
                json: [
                    "dst": .string("\(id).mp4"), "open": true,
                    "streams": [clip.streams(["encoder_option": options])[0]],
                ])
            try #require(created.status == 201, "\(created.text)")
            let path = "/v1/writers/\(id)/streams/0/chunks"
            for range in ranges(of: Self.frameCount, by: 5) {
                if crashes && range.lowerBound == Self.frameCount / 2 {
                    let pid = try #require(await server.writer(id)["encoder_pid"].int)
                    kill(pid_t(pid), SIGSEGV)
                    return
                }
                let receipt = try await connection.request("POST", path, body: clip.frames(range))
                try #require(receipt.status == 200, "\(receipt.text)")
            }
            let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
            #expect(closed.status == 200, "\(closed.text)")
            #expect(closed.json["state"] == "closed")
        }
    }
}
