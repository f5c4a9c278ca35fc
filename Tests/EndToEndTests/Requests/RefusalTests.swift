import Foundation
import Testing

extension EndToEnd {
    /// Every wrong request gets its documented status and code, and a detail that helps.
    @Suite struct RefusalTests {
        @Test func wrongRequestsAreRefusedWithWhatToDo() async throws {
            try await withServer { server in
                try await prepareWriters(on: server)
                try Data("kept".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/exists.wav"))
                let before = try await server.curl("GET", "/v1/writers").json["writers"].array.count
                for refusal in Self.creations + Self.streams + Self.calls { try await expect(refusal, on: server) }
                let after = try await server.curl("GET", "/v1/writers").json["writers"].array.count
                #expect(after == before, "a refused creation leaves no writer")
                #expect(try server.output("exists.wav") == Data("kept".utf8))
                let open = try await server.writer("open")
                #expect(open["state"] == "open")
                #expect(open["streams"][0]["frames"] == 8_000)
                try await server.finalize("open")
            }
        }

        private func expect(_ refusal: Refusal, on server: PenstockServer) async throws {
            let response = try await server.curl(
                refusal.method, refusal.path, headers: refusal.headers, body: refusal.body)
            let context = Comment(rawValue: "\(refusal): \(response.status) \(response.text)")
            #expect(response.status == refusal.status, context)
            #expect(response.problem == refusal.code, context)
            #expect(response.json["status"].int == response.status, context)
            #expect(response.json["title"].string?.isEmpty == false, context)
            let detail = response.json["detail"].string ?? ""
            let told = detail + response.json["log"].array.compactMap(\.string).joined()
            for part in refusal.says { #expect(told.contains(part), context) }
            #expect(detail.count > 20, context)
            // 'dst' is at fault, and not the format that would follow from it.
            if refusal.description.contains("dst") && !["forbidden-option", "neither dst nor format"].contains(where: { [refusal.code, refusal.description].contains($0) }) {
                #expect(response.json["parameter"] == "dst", context)
            }
            if refusal.status == 405 { #expect(response["Allow"]?.isEmpty == false, context) }
        }

        private func prepareWriters(on server: PenstockServer) async throws {
            let descriptions: [(String, JSON)] = [
                ("configuring", ["format": "mp4"]),
                ("open", ["dst": "open.wav", "streams": [Self.audio], "open": true]),
                ("closed", ["dst": "closed.wav", "streams": [Self.audio], "open": true]),
            ]
            for (id, description) in descriptions {
                let created = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(description))
                try #require(created.status == 201, "\(created.text)")
                #expect(created["Location"] == "/v1/writers/\(id)")
            }
            try await server.sendChunk(Data(count: 16_000), to: "open", stream: 0)
            try await server.finalize("closed")
        }

        @Test func finalizingTwiceGivesTheSameResult() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["format": "wav", "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 1_600), to: id, stream: 0)
                let first = try await server.finalize(id)
                let second = try await server.finalize(id)
                #expect(first == second)
                #expect(first["result"]["duration"] == 0.1)
            }
        }

        @Test func repeatedPutReturnsTheSameWriter() async throws {
            try await withServer { server in
                let description: JSON = ["dst": "take.wav", "streams": [Self.audio], "open": true]
                let first = try await server.curl("PUT", "/v1/writers/take", body: .json(description))
                #expect(first.status == 201, "\(first.text)")
                try await server.sendChunk(Data(count: 1_600), to: "take", stream: 0)
                let second = try await server.curl("PUT", "/v1/writers/take", body: .json(description))
                #expect([200, 201].contains(second.status), "\(second.text)")
                #expect(second.json["created_at"] == first.json["created_at"])
                #expect(second.json["streams"][0]["frames"] == 800)
                try await server.finalize("take")
            }
        }

        @Test func limitsAreRefusedByName() async throws {
            try await withServer(["--max-writers", "1", "--max-json-bytes", "1000", "--max-head-bytes", "2000"]) {
                server in
                let large: JSON = [
                    "format": "wav", "metadata": ["title": .string(String(repeating: "a", count: 2_000))],
                ]
                let tooLarge = try await server.curl("POST", "/v1/writers", body: .json(large))
                #expect(tooLarge.status == 413)
                #expect(tooLarge.problem == "payload-too-large")
                _ = try await server.createWriter(["format": "wav"])
                let overloaded = try await server.curl("POST", "/v1/writers", body: .json(["format": "wav"]))
                #expect(overloaded.status == 503)
                #expect(overloaded.problem == "overloaded")
                #expect(overloaded["Retry-After"] != nil)
                let head = try await server.curl(
                    "GET", "/livez", headers: ["X: " + String(repeating: "a", count: 3_000)])
                #expect(head.status == 431)
                #expect(head.problem == "head-too-large")
            }
        }
    }
}
