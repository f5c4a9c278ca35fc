import Foundation
import Testing

extension EndToEnd {
    /// There is no space left where outputs or records lie.
    @Suite(.enabled(if: SmallDisk.canMount, SmallDisk.skipReason)) struct FullDiskTests {
        private static let width = 320
        private static let height = 180
        private static let frameBytes = width * height * 3
        private static let kilobytes = 8 * 1_024
        private static let video: JSON = [
            "type": "video", "frame_rate": 25, "width": .number(Double(width)), "height": .number(Double(height)),
            "format": "rgb24", "encoder": "rawvideo",
        ]

        /// Raw frames into `dst`: as many bytes out as in.
        private func raw(_ dst: String?) -> JSON {
            var writer: JSON = ["format": "rawvideo", "streams": [Self.video], "open": true]
            if let dst { writer["dst"] = .string(dst) }
            return writer
        }

        /// Sends frames until one is refused: how many were taken, and the refusal.
        private func fill(_ id: String, on server: PenstockServer) async throws -> (taken: Int, refusal: Response) {
            let connection = try RawConnection(port: server.port)
            let chunk = Data(repeating: 0x42, count: Self.frameBytes * 4)
            var taken = 0
            for _ in 0..<100 {
                let answer = try await connection.request(
                    "POST", "/v1/writers/\(id)/streams/0/chunks", body: chunk)
                if answer.status != 200 { return (taken, answer) }
                taken += answer.json["frames"].int ?? 0
            }
            throw HarnessError("100 chunks went into \(Self.kilobytes) kB")
        }

        @Test func fullOutputDirectoryFailsTheWriterAndKeepsWhatWasWritten() async throws {
            let folder = try TemporaryFolder()
            let disk = try SmallDisk(at: folder / "output", kilobytes: Self.kilobytes)
            try await withServer(in: folder) { server in
                let id = try await server.createWriter(raw("full.rgb"))
                let other = try await server.createWriter(["format": "null", "streams": [Self.video], "open": true])
                let (taken, refusal) = try await fill(id, on: server)
                #expect(refusal.status == 507, "\(refusal.text)")
                #expect(refusal.problem == "no-space")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:no-space", "\(failed)")
                // Most of the disk is this file, and all of what was sent.
                let kept = try server.output("full.rgb")
                #expect(kept.count >= (taken - 4) * Self.frameBytes)
                #expect(kept.count > Self.kilobytes * 1_024 / 2)
                #expect(kept.allSatisfy { $0 == 0x42 })
                let output = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(output.body.count == kept.count)

                // The next one is refused or fails, and says why; what needs no disk goes on.
                let next = try await server.curl("POST", "/v1/writers", body: .json(raw("next.rgb")))
                if next.status == 201 {
                    let refused = try await fill(try #require(next.json["id"].string), on: server).refusal
                    #expect(refused.status == 507, "\(refused.text)")
                } else {
                    #expect(next.status == 507, "\(next.text)")
                }
                try await server.sendChunk(Data(count: Self.frameBytes), to: other, stream: 0)
                try await server.finalize(other)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(!FileManager.default.fileExists(atPath: disk.path + "/full.rgb"))
                try await server.expectWell()
            }
        }

        /// However far a creation comes with the space there is: what it was to replace is replaced last.
        @Test func aCreationThatFindsNoSpaceLeavesTheFileItWasToReplace() async throws {
            let folder = try TemporaryFolder()
            let disk = try SmallDisk(at: folder / "state", kilobytes: 512)
            try await withServer(in: folder) { server in
                let old = Data("what was there before".utf8)
                let file = server.outputFolder + "/old.rgb"
                var statuses: [Int] = []
                for pages in 0..<10 {
                    try old.write(to: URL(fileURLWithPath: file))
                    try disk.fill()
                    try disk.relieve(pages: pages)
                    let body = raw("old.rgb").merging(["overwrite": true])
                    let answer = try await server.curl("PUT", "/v1/writers/w", body: .json(body))
                    statuses.append(answer.status)
                    #expect([201, 507].contains(answer.status), "\(answer.text)")
                    #expect((try? server.output("old.rgb")) == (answer.status == 507 ? old : Data()), "\(pages): \(answer.text)")
                    try disk.relieve()
                    _ = try await server.curl("DELETE", "/v1/writers/w")
                }
                #expect(statuses.first == 507 && statuses.last == 201, "\(statuses)")
                try await server.expectWell()
            }
        }

        @Test func recordThatFoundNoSpaceIsAnsweredAndKeptLater() async throws {
            let folder = try TemporaryFolder()
            let disk = try SmallDisk(at: folder / "state", kilobytes: Self.kilobytes)
            let (full, closed, crashed) = try await withServer(in: folder) { server in
                let full = try await server.createWriter(raw(nil))
                let closed = try await server.createWriter(["format": "null", "streams": [Self.video], "open": true])
                let crashed = try await server.createWriter(["format": "null", "streams": [Self.video], "open": true])
                for id in [closed, crashed] {
                    try await server.sendChunk(Data(count: Self.frameBytes), to: id, stream: 0)
                }
                _ = try await server.curl("GET", "/v1/writers/\(crashed)")
                try disk.fill()
                let (_, refusal) = try await fill(full, on: server)
                #expect(refusal.status == 507, "\(refusal.text)")
                let result = try await server.finalize(closed)
                kill(pid_t(try #require(await server.writer(crashed)["encoder_pid"].int)), SIGKILL)

                let failed = try await server.writer(full, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:no-space", "\(failed)")
                #expect(try await server.writer(closed) == result)
                #expect(try await server.writer(crashed, in: "failed")["failure"]["signal"] == "SIGKILL")
                let list = try await server.curl("GET", "/v1/writers?state=failed").json
                #expect(list["writers"].array.count == 2, "\(list)")
                // No writer is made whose record can't be kept.
                let refused = try await server.curl("POST", "/v1/writers", body: .json(raw("a.rgb")))
                #expect(refused.status == 507, "\(refused.text)")
                #expect(refused.problem == "no-space")
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.count == 3)
                #expect(try await server.curl("GET", "/livez").status == 200)

                try disk.relieve()
                try await server.expectWell("once there is space again")
                let isKept = try await eventually {
                    [full, closed, crashed].allSatisfy { id in
                        // No whole JSON before it has the last record.
                        let record = try? JSON(Data(contentsOf: URL(fileURLWithPath: disk.path + "/writers/\(id)/record.json")))
                        return ["failed", "closed"].contains(record?["writer"]["state"].string)
                    }
                }
                #expect(isKept, "records stay unwritten")
                return (full, closed, crashed)
            }
            try await withServer(in: folder) { server in
                let writers = try await (server.writer(full), server.writer(closed), server.writer(crashed))
                #expect(writers.0["failure"]["type"] == "urn:penstock:problem:no-space")
                #expect(writers.1["state"] == "closed")
                #expect(writers.2["failure"]["signal"] == "SIGKILL")
            }
        }
    }
}
