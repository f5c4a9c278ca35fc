import Foundation
import Testing

extension EndToEnd {
    /// What a deletion says that it removed, and what it leaves.
    @Suite struct DeletionTests {
        private func ended(_ description: JSON, on server: PenstockServer) async throws -> String {
            let id = try await server.createWriter(description.merging(["streams": [Tenants.audio], "open": true]))
            try await server.sendChunk(Data(count: 1_600), to: id, stream: 0)
            try await server.finalize(id)
            return id
        }

        private func isThere(_ name: String, _ server: PenstockServer) -> Bool {
            FileManager.default.fileExists(atPath: server.outputFolder + "/" + name)
        }

        @Test func itNamesWhatWent() async throws {
            try await withServer { server in
                let named = try await ended(["dst": "a/x.wav"], on: server)
                let deleted = try await server.curl("DELETE", "/v1/writers/\(named)")
                #expect(deleted.status == 200)
                #expect(deleted.json["id"].string == named)
                #expect(deleted.json["removed"] == ["a/x.wav"] && deleted.json["removed_count"] == 1)
                #expect(deleted.json["kept"] == [] && deleted.json["left"] == [] && deleted.json["managed_output_bytes"] == .null)
                #expect(!isThere("a", server))

                let managed = try await ended(["format": "wav"], on: server)
                let size = try await server.curl("GET", "/v1/writers/\(managed)/output").body.count
                let other = try await server.curl("DELETE", "/v1/writers/\(managed)")
                #expect(other.json["managed_output_bytes"].int == size && other.json["removed_count"] == 0, "\(other.text)")
                #expect(try await server.curl("DELETE", "/v1/writers/\(managed)").status == 404)
            }
        }

        @Test func keepOutputRemovesTheRecordAlone() async throws {
            try await withServer { server in
                let id = try await ended(["dst": "a/x.wav"], on: server)
                let bytes = try server.output("a/x.wav")
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)?keep_output=true")
                #expect(deleted.status == 200 && deleted.json["kept"] == ["a/x.wav"] && deleted.json["removed"] == [], "\(deleted.text)")
                #expect(deleted.json["left_count"] == 0)
                #expect(try server.output("a/x.wav") == bytes)
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
                // As one that no writer has.
                let taken = try await server.curl("POST", "/v1/writers", body: .json(["dst": "a/x.wav", "streams": [Tenants.audio], "open": true]))
                #expect(taken.status == 409, "\(taken.text)")
            }
        }

        @Test func keepOutputIsRefusedWhereItMakesNoSense() async throws {
            try await withServer { server in
                let managed = try await ended(["format": "wav"], on: server)
                let refused = try await server.curl("DELETE", "/v1/writers/\(managed)?keep_output=true")
                #expect(refused.status == 422 && refused.json["parameter"] == "keep_output", "\(refused.text)")
                #expect(try await server.curl("DELETE", "/v1/writers/\(managed)?keep_output=yes").status == 422)
                #expect(try await server.writer(managed)["state"] == "closed")

                let live = try await server.createWriter(["dst": "live.wav", "streams": [Tenants.audio], "open": true])
                let connection = try RawConnection(port: server.port)
                // By the gateway, and by the encoder that has the connection by then.
                _ = try await connection.request("GET", "/v1/writers/\(live)")
                for response in [
                    try await server.curl("DELETE", "/v1/writers/\(live)?keep_output=true"),
                    try await connection.request("DELETE", "/v1/writers/\(live)?keep_output=true"),
                ] {
                    #expect(response.status == 409 && response.problem == "wrong-state" && response.json["state"] == "open", "\(response.text)")
                }
                #expect(try await server.writer(live)["state"] == "open")
                #expect(try await server.curl("DELETE", "/v1/writers/\(live)?keep_output=false").status == 204)
                #expect(!isThere("live.wav", server))
            }
        }
    }
}
