import Foundation
import Testing

extension EndToEnd {
    /// Ended writers that the server removes by itself.
    @Suite struct RetentionTests {
        private static let managed: JSON = ["format": "wav", "streams": [Tenants.audio], "open": true]
        private static func named(_ dst: String) -> JSON { ["dst": .string(dst), "streams": [Tenants.audio], "open": true] }

        private func ended(_ id: String, _ description: JSON = managed, bytes: Int = 1_600, on server: PenstockServer) async throws {
            let made = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(description))
            try #require(made.status == 201, "\(made.text)")
            try await server.sendChunk(Data(count: bytes), to: id, stream: 0)
            try await server.finalize(id)
        }

        private func ids(_ server: PenstockServer) async throws -> [String] {
            try await server.curl("GET", "/v1/writers").json["writers"].array.compactMap(\.["id"].string)
        }

        private func isThere(_ path: String, _ folder: TemporaryFolder) -> Bool { FileManager.default.fileExists(atPath: folder / path) }

        /// The record as if the writer had ended then.
        private func date(_ id: String, ended: String, in folder: TemporaryFolder) throws {
            let path = folder / "state/writers/\(id)/record.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let changed = text.replacing(/"ended_at":"[^"]*"/, with: "\"ended_at\":\"\(ended)\"")
            #expect(changed != text)
            try changed.write(toFile: path, atomically: true, encoding: .utf8)
            // The records tell of it where there is no index.
            try? FileManager.default.removeItem(atPath: folder / "state/ended")
        }

        @Test func whatIsOlderGoesAndWhatWasNamedStays() async throws {
            let folder = try TemporaryFolder()
            try await withServer(in: folder) { server in
                for id in ["old", "young"] { try await ended(id, on: server) }
                try await ended("named", Self.named("show/a/x.wav"), on: server)
                try await eventually("a clock that the next server goes by") { isThere("state/clock", folder) }
            }
            for id in ["old", "named"] { try date(id, ended: "2026-01-01T00:00:00.000Z", in: folder) }
            try await withServer(["--retain-ended", "86400"], in: folder) { server in
                try await eventually("the old ones' end") { try await ids(server) == ["young"] }
                #expect(!isThere("state/writers/old", folder))
                #expect(try String(contentsOfFile: folder / "state/claims", encoding: .utf8).contains("\t-\told\n"))
                #expect(isThere("output/show/a/x.wav", folder) && isThere("state/writers/young/output.wav", folder))
                let gone = try await server.curl("GET", "/v1/writers/old")
                #expect(gone.status == 404 && gone.text.contains("--retain-ended"), "\(gone.text)")
                let metrics = try await server.curl("GET", "/metrics").text
                #expect(metrics.contains(#"penstock_writers_retired_total{reason="age"} 2"#))
                #expect(server.log.text.contains("an ended writer is kept no longer"))
                // Its id is free.
                try await ended("old", on: server)
            }
        }

        @Test func theFirstToEndGoWhereThereAreTooMany() async throws {
            try await withServer(["--retain-ended-count", "2"]) { server in
                for id in ["a", "b", "c"] { try await ended(id, on: server) }
                try await eventually("the first one's end") { try await ids(server) == ["c", "b"] }
                try await ended("d", Self.named("d.wav"), on: server)
                try await eventually("the second one's end") { try await ids(server) == ["d", "c"] }
                #expect(try await server.curl("GET", "/v1/writers/a").text.contains("--retain-ended-count"))
            }
        }

        @Test func bytesOfOutputsWithoutADstAreBounded() async throws {
            try await withServer(["--retain-ended-bytes", "5000"]) { server in
                try await ended("named", Self.named("n.wav"), bytes: 9_000, on: server)
                for id in ["a", "b"] { try await ended(id, bytes: 2_000, on: server) }
                try await ended("c", bytes: 2_000, on: server)
                try await eventually("the first one's end") { try await ids(server) == ["c", "b", "named"] }
            }
        }

        @Test func oneTenantPushesOutItsOwn() async throws {
            try await Tenants.run(["a-token name=a", "b-token name=b", "root-token scope=admin"], options: ["--retain-ended-count", "3"]) { tenants in
                func make(_ token: String, _ id: String) async throws {
                    try await tenants.make(token, id)
                    #expect(try await tenants.call(token, "POST", "/v1/writers/\(id)/finalize").status == 200)
                }
                try await make("a-token", "first")
                for index in 0..<4 { try await make("b-token", "w\(index)") }
                try await eventually("as many as are kept") { try await tenants.ids("root-token").count == 3 }
                #expect(try await tenants.ids("a-token") == ["first"])
                #expect(try await tenants.ids("b-token") == ["w2", "w3"])
            }
        }

        /// The bytes are those that the writer had, though it is gone before the last of them is sent.
        @Test func aDownloadUnderWayEndsWhole() async throws {
            try await withServer(["--retain-ended-count", "1"]) { server in
                let bytes = 24_000_000
                try await ended("large", bytes: bytes, on: server)
                let connection = try RawConnection(port: server.port, receiveBuffer: 4_096)
                try await connection.send(RawConnection.head("GET", "/v1/writers/large/output"))
                let head = try await connection.head()
                #expect(head.status == 200)
                try await ended("next", on: server)
                try await eventually("its end") { try await ids(server) == ["next"] }
                let length = try #require(head["Content-Length"].flatMap { Int($0) })
                #expect(length > bytes)
                #expect(try await connection.withBody(head, to: "GET").body.count == length)
            }
        }

        @Test func aChangeTakesEffectOnReload() async throws {
            let folder = try TemporaryFolder()
            let file = folder / "penstock.yaml"
            try "retain-ended-count: 0\n".write(toFile: file, atomically: true, encoding: .utf8)
            try await withServer(["--config", file], in: folder) { server in
                for id in ["a", "b"] { try await ended(id, on: server) }
                try "retain-ended-count: 1\n".write(toFile: file, atomically: true, encoding: .utf8)
                server.process.signal(SIGHUP)
                try await eventually("the first one's end") { try await ids(server) == ["b"] }
            }
        }
    }
}
