import Foundation
import Glibc
import Testing

extension EndToEnd {
    /// Records that were damaged while the server was stopped: outputs are not thrown away with them.
    @Suite struct DamagedRecordTests {
        private static let damages = ["cut", "empty", "binary", "pipe", "link", "folder", "huge", "missing"]
        private static let sound = Data((0..<32_000).map { UInt8(truncatingIfNeeded: $0 / 7) })

        private static func damage(_ kind: String, _ path: String) throws {
            let record = path + "/record.json"
            if kind == "cut" { return try #require(truncate(record, 100) == 0) }
            if kind == "huge" { return try #require(truncate(record, 1 << 40) == 0) }
            try FileManager.default.removeItem(atPath: record)
            switch kind {
            case "empty": try Data().write(to: URL(fileURLWithPath: record))
            case "binary": try Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: URL(fileURLWithPath: record))
            case "pipe": try #require(mkfifo(record, 0o600) == 0)
            case "link": try FileManager.default.createSymbolicLink(atPath: record, withDestinationPath: "/etc/passwd")
            case "folder": try FileManager.default.createDirectory(atPath: record + "/in/it", withIntermediateDirectories: true)
            default: break
            }
        }

        private func close(_ id: String, dst: String?, on server: PenstockServer) async throws {
            var body: JSON = ["format": "wav", "streams": [Tenants.audio], "open": true]
            if let dst { body = body.merging(["dst": .string(dst)]) }
            #expect(try await server.curl("PUT", "/v1/writers/\(id)", body: .json(body)).status == 201)
            try await server.sendChunk(Self.sound, to: id, stream: 0)
            try await server.finalize(id)
        }

        private func outputs(of ids: [String], on server: PenstockServer) async throws -> [String: Data] {
            var outputs: [String: Data] = [:]
            for id in ids { outputs[id] = try await server.curl("GET", "/v1/writers/\(id)/output").body }
            return outputs
        }

        @Test func outputsOfWritersWithDamagedRecordsAreKeptAndServed() async throws {
            let folder = try TemporaryFolder()
            let ids = Self.damages.flatMap { [$0, $0 + "-named"] }
            let before = try await withServer(in: folder) { server in
                for id in ids { try await close(id, dst: id.hasSuffix("-named") ? "d/\(id).wav" : nil, on: server) }
                return try await outputs(of: ids, on: server)
            }
            #expect(before.values.allSatisfy { $0.suffix(32_000) == Self.sound })
            let writers = folder / "state/writers"
            for id in ids { try Self.damage(id.replacingOccurrences(of: "-named", with: ""), "\(writers)/\(id)") }
            try Data("x".utf8).write(to: URL(fileURLWithPath: writers + "/plain-file"))
            try FileManager.default.createSymbolicLink(atPath: writers + "/linked-folder", withDestinationPath: "/etc")

            for start in 1...2 {
                try await withServer(in: folder) { server in
                    for id in ids + ["plain-file", "linked-folder"] {
                        let writer = try await server.writer(id)
                        #expect(writer["state"] == "failed", "\(start) \(id): \(writer)")
                        #expect(writer["failure"]["type"] == "urn:penstock:problem:internal-error")
                    }
                    let list = try await server.curl("GET", "/v1/writers?state=failed&limit=100")
                    #expect(list.json["writers"].array.count == ids.count + 2)
                    #expect(try await outputs(of: ids, on: server) == before)
                    if start == 1 { #expect(server.log.text.components(separatedBy: "record is lost").count == ids.count + 3) }
                    #expect(!server.log.text.contains("never ended"))
                }
            }
            try await withServer(in: folder) { server in
                for id in ids + ["plain-file", "linked-folder"] {
                    let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                    #expect(deleted.isDeleted, "\(id): \(deleted.text)")
                }
                #expect(!FileManager.default.fileExists(atPath: server.outputFolder + "/d"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: writers) == [])
                let claims = try String(contentsOfFile: folder / "state/claims", encoding: .utf8)
                for id in ids { #expect(claims.contains("\t-\t\(id)\n")) }
                #expect(FileManager.default.fileExists(atPath: "/etc/passwd"))
                // Their ids are free.
                try await close("cut", dst: nil, on: server)
            }
        }

        /// Without a record, and with its output elsewhere for now, or its ledger damaged as well.
        @Test func whatMayHaveBeenAWritersIsNotTakenForNeverMade() async throws {
            let folder = try TemporaryFolder()
            try await withServer(in: folder) { server in
                for id in ["moved", "unsure", "more"] { try await close(id, dst: "d/\(id).wav", on: server) }
            }
            let writers = folder / "state/writers"
            for id in ["moved", "unsure", "more"] { try Self.damage("missing", "\(writers)/\(id)") }
            try FileManager.default.moveItem(atPath: folder / "output/d/moved.wav", toPath: folder / "moved.wav")
            try Data("[".utf8).write(to: URL(fileURLWithPath: writers + "/unsure/files"))
            try Data(Self.sound).write(to: URL(fileURLWithPath: writers + "/more/kept.wav"))
            try FileManager.default.removeItem(atPath: folder / "output/d/more.wav")
            try FileManager.default.createDirectory(atPath: writers + "/backup/2026/important", withIntermediateDirectories: true)
            try await withServer(in: folder) { server in
                for id in ["moved", "unsure", "more"] {
                    let writer = try await server.writer(id)
                    #expect(writer["state"] == "failed", "\(id)")
                }
                #expect(FileManager.default.fileExists(atPath: writers + "/more/kept.wav"))
                #expect(FileManager.default.fileExists(atPath: writers + "/backup/2026/important"))
                #expect(FileManager.default.fileExists(atPath: server.outputFolder + "/d/unsure.wav"))
                #expect(server.log.text.contains("left alone"), "\(server.log.text)")
            }
        }

        /// What the gateway keeps of a writer beside its record.
        @Test func managedOutputsOutliveDamagedClaims() async throws {
            let folder = try TemporaryFolder()
            let before = try await withServer(in: folder) { server in
                for id in ["a", "b"] { try await close(id, dst: nil, on: server) }
                return try await outputs(of: ["a", "b"], on: server)
            }
            let claims = try String(contentsOfFile: folder / "state/claims", encoding: .utf8)
            #expect(claims.contains("\ta\t") && claims.contains("\tb\t"))
            try claims.replacing("managed", with: "mangled").write(toFile: folder / "state/claims", atomically: true, encoding: .utf8)
            try #require(truncate(folder / "state/writers/b/record.json", 50) == 0)
            try await withServer(in: folder) { server in
                let after = try await outputs(of: ["a", "b"], on: server)
                #expect(after == before)
                #expect(try await server.writer("a")["state"] == "closed")
                #expect(try await server.writer("b")["state"] == "failed")
                for id in ["a", "b"] { #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted) }
            }
        }

        /// As a container has it that shares the volume: its processes have other numbers, and the machine another name.
        @Test func aServerOnAnotherHostIsNamedByIt() async throws {
            try await withServer(["--node", "n1"], under: ["unshare", "--uts", "sh", "-c", "hostname elsewhere; exec \"$0\" \"$@\""]) { server in
                let (process, log) = try PenstockServer.launch([
                    "serve", "--port", "0", "--output-dir", server.folder / "other", "--state-dir", server.folder / "state",
                ])
                #expect(try await process.ended(within: 20) == .exited(1))
                #expect(await log.ended(within: 20))
                #expect(log.text.contains("the host or container elsewhere, node n1"), "\(log.text)")
            }
        }

        /// A child of a server that was killed has the lock until it runs its own program: the next start was refused.
        @Test func aLockThatIsGivenUpAtOnceIsWaitedFor() async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder / "state", withIntermediateDirectories: true)
            let descriptor = open(folder / "state/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { Glibc.close(descriptor) }
            try await withServer(in: folder) { server in try await server.expectWell() }
        }

        @Test func twoServersDoNotShareAStateDirectory() async throws {
            try await withServer { server in
                let (process, log) = try PenstockServer.launch([
                    "serve", "--port", "0", "--output-dir", server.folder / "other", "--state-dir", server.folder / "state",
                ])
                #expect(try await process.ended(within: 20) == .exited(1))
                #expect(await log.ended(within: 20))
                #expect(log.text.contains("another penstock is running on the state directory"), "\(log.text)")
                // Which one.
                #expect(log.text.contains("process \(server.process.pid) on this host"), "\(log.text)")
                #expect(log.text.contains("listening on 127.0.0.1:\(server.port), started at 20"), "\(log.text)")
                try await server.expectWell()
            }
        }
    }
}
