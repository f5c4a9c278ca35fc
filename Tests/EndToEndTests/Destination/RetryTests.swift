import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Outputs that are written to a file first and could not be sent: the file stays, and is sent again.
    @Suite struct RetryTests {
        private static let options = ["--upload-retry-time", "0", "--allow-output", "http://127.0.0.1:*/*"]

        private static func environment(_ session: S3Session, secret: String? = nil) -> [String: String] {
            let fields = ["ENDPOINT": session.endpoint, "BUCKET": session.bucket, "ACCESS_KEY": session.accessKey, "SECRET_KEY": secret ?? session.secretKey]
            return Dictionary(uniqueKeysWithValues: fields.map { ("PENSTOCK_STORE_ARCHIVE_\($0.key)", $0.value) })
        }

        private func spool(_ id: String, output: String = "main", of server: PenstockServer) -> String {
            "\(server.folder / "state")/writers/\(id)/spool.\(output)/whole"
        }

        private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

        private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

        private func retry(_ id: String, _ output: String = "main", body: JSON? = nil, on server: PenstockServer) async throws -> Response {
            let path = "/v1/writers/\(id)/outputs/\(output)/retry"
            if let body { return try await server.curl("POST", path, body: .json(body)) }
            return try await server.curl("POST", path)
        }

        private func mp4(_ dst: String, option: JSON = [:]) -> JSON {
            ["dst": .string(dst), "streams": [Pictures.stream(gop: 25)], "open": ["option": option]]
        }

        // MARK: A store

        @Test(.enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
        func whatAStoreDidNotTakeIsSentAgainAfterARestart() async throws {
            let session = try S3Session(), folder = try TemporaryFolder()
            var (id, sent) = ("", Data())
            try await withServer(Self.options, in: folder, environment: Self.environment(session)) { server in
                id = try await server.createWriter(mp4("s3://archive/show/a.mp4"))
                try await server.sendChunk(Pictures(50).data, to: id, stream: 0)
                try session.trouble(seed: 1, rate: 1, "500")
                let ended = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                let way = "/v1/writers/\(id)/outputs/main/retry"
                #expect(ended.status == 502 && ended.json["detail"].string?.contains("POST \(way)") == true, "\(ended.text)")
                let failed = try await server.writer(id)
                #expect(failed["state"] == "failed" && failed["retry"] == .string(way), "\(failed)")
                let again = try await retry(id, on: server)
                #expect(again.status == 502 && again.json["detail"].string?.contains("InternalError") == true, "\(again.text)")
                #expect(try await server.writer(id)["failure"]["detail"] == again.json["detail"])
                sent = try bytes(spool(id, of: server))
                #expect(sent.count > 1_000)
            }
            try session.trouble(seed: 0, rate: 0, "none")
            // Keys are those of the configuration now, and wrong ones can be put right.
            try await withServer(Self.options, in: folder, environment: Self.environment(session, secret: "wrong")) { server in
                let refused = try await retry(id, on: server)
                #expect(refused.status == 502 && refused.json["detail"].string?.contains("SignatureDoesNotMatch") == true, "\(refused.text)")
                #expect(isThere(spool(id, of: server)))
            }
            try await withServer(Self.options, in: folder, environment: Self.environment(session)) { server in
                #expect(try await server.writer(id)["retry"].string != nil)
                let closed = try await retry(id, on: server)
                #expect(closed.status == 200 && closed.json["state"] == "closed" && closed.json["retry"] == .null, "\(closed.text)")
                #expect(closed.json["result"]["bytes"].int == sent.count && closed.json["result"]["duration"] == 2 && closed.json["failure"] == .null, "\(closed.text)")
                #expect(try session.object("show/a.mp4").sha256 == HTTPUploadTests.sha256(sent))
                #expect(!isThere(spool(id, of: server)))
                #expect(try await server.writer(id)["state"] == "closed")
                let once = try await retry(id, on: server)
                #expect(once.status == 409 && once.problem == "nothing-to-retry", "\(once.text)")
                let other = try await retry(id, "other", on: server)
                #expect(other.status == 404 && other.problem == "output-not-found", "\(other.text)")
            }
        }

        @Test(.enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
        func outputThatTheWriterWentOnWithoutIsSentAgainAndDeletionRemovesWhatIsKept() async throws {
            let session = try S3Session()
            try await withServer(Self.options, environment: Self.environment(session)) { server in
                for isDeleted in [false, true] {
                    let outputs: JSON = [["name": "local", "dst": .string("\(isDeleted).mp4")], ["name": "far", "dst": "s3://archive/b.mp4", "on_failure": "continue"]]
                    let id = try await server.createWriter(["streams": [Pictures.stream(gop: 25)], "open": true, "outputs": outputs])
                    try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                    let early = try await retry(id, "far", on: server)
                    #expect(early.status == 409 && early.problem == "wrong-state", "\(early.text)")
                    try session.trouble(seed: 1, rate: 1, "500")
                    let closed = try await server.finalize(id)
                    try session.trouble(seed: 0, rate: 0, "none")
                    #expect(closed["outputs"][1]["state"] == "failed" && closed["result"]["warnings"][0]["code"] == "output-failed", "\(closed)")
                    #expect(try await server.writer(id)["outputs"][1]["retry"] == .string("/v1/writers/\(id)/outputs/far/retry"))
                    #expect(try await server.writer(id)["outputs"][0]["retry"] == .null)
                    let path = spool(id, output: "far", of: server), kept = try bytes(path)
                    if isDeleted {
                        #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 200)
                        #expect(!isThere(path))
                        continue
                    }
                    let sent = try await retry(id, "far", on: server)
                    #expect(sent.status == 200 && sent.json["outputs"][1]["state"] == "closed" && sent.json["result"]["warnings"] == [], "\(sent.text)")
                    #expect(try session.object("b.mp4").sha256 == HTTPUploadTests.sha256(kept))
                }
            }
        }

        // MARK: A server of HTTP

        @Test func nameOfWhatIsKeptIsNotUsedAgainAndAClosedWriterIsToldOnce() async throws {
            let peer = try ScriptedServer(), receiver = try await WebhookReceiver.start(), folder = try TemporaryFolder(), name = String.unique()
            try (WebhookReceiver.secrets[0] + "\n").write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
            try await withServer(Self.options + ["--webhook-secret-file", folder / "secrets", "--webhook", receiver.url("all")], in: folder) { server in
                let id = try await server.createWriter(["dst": "a.mp4", "streams": [Pictures.stream(gop: 5)], "open": true])
                func far(_ steps: String) -> JSON {
                    ["name": "far", "dst": .string("\(peer.origin)/\(name)/files;a.mp4=\(steps)/a.mp4"), "format": "mp4", "on_failure": "continue"]
                }
                #expect(try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(far("503@end,200@end"))).status == 201)
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                let removed = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/far")
                #expect(removed.json["state"] == "failed" && removed.json["error"]["detail"].string?.contains("once the writer has ended") == true, "\(removed.text)")
                let kept = try bytes(spool(id, output: "far", of: server))
                let again = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(far("200@end")))
                #expect(again.status == 409 && again.problem == "output-exists" && again.text.contains("is kept"), "\(again.text)")
                #expect(try await server.finalize(id)["state"] == "closed")
                let sent = try await retry(id, "far", on: server)
                #expect(sent.status == 200 && sent.json["outputs"][1]["state"] == "closed", "\(sent.text)")
                #expect(try peer.requests(name).last?.sha256 == HTTPUploadTests.sha256(kept))
                try await eventually("its end") { try receiver.requests("all").last?.type == "writer.closed" }
                // What comes later comes behind what the retry would have had told.
                let other = try await server.createWriter(["format": "wav", "streams": [["type": "audio", "sample_rate": 16000, "num_channels": 1]], "open": true])
                try await server.finalize(other)
                try await eventually("the other's end") { try receiver.requests("all").last?.json["data"]["id"] == .string(other) && receiver.requests("all").last?.type == "writer.closed" }
                #expect(try receiver.requests("all").filter { $0.json["data"]["id"] == .string(id) }.map(\.type) == ["writer.opened", "output.failed", "writer.closed"])
            }
            try await receiver.stop()
        }

        @Test func headersAreGivenAgainAndNotKept() async throws {
            let peer = try ScriptedServer(), name = String.unique(), secret = "Bearer 5d41402abc4b2a76"
            let headers: JSON = ["headers": .string("Authorization: \(secret)\r\n")]
            try await withServer(Self.options) { server in
                let id = try await server.createWriter(mp4("\(peer.origin)/\(name)/files;a.mp4=403@end,503@end,200@end/a.mp4", option: headers))
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 502)
                let kept = try bytes(spool(id, of: server)), order = spool(id, of: server).replacingOccurrences(of: "/whole", with: "/order.json")
                #expect(try !String(decoding: bytes(order), as: UTF8.self).contains("5d41402abc4b2a76"))
                let bare = try await retry(id, on: server)
                #expect(bare.status == 422 && bare.json["parameter"] == "option.headers", "\(bare.text)")
                let elsewhere = try await retry(id, body: ["dst": "http://127.0.0.1:1/b.mp4", "option": headers], on: server)
                #expect(elsewhere.status == 422 && elsewhere.json["parameter"] == "dst", "\(elsewhere.text)")
                let unknown = try await retry(id, body: ["option": headers.merging(["movflags": "faststart"])], on: server)
                #expect(unknown.status == 422 && unknown.problem == "unknown-option", "\(unknown.text)")
                let refused = try await retry(id, body: ["option": headers], on: server)
                #expect(refused.status == 502 && refused.json["detail"].string?.contains("503") == true, "\(refused.text)")
                let sent = try await retry(id, body: ["option": headers], on: server)
                #expect(sent.status == 200 && sent.json["state"] == "closed", "\(sent.text)")
                let last = try #require(try peer.requests(name).last)
                #expect(last.sha256 == HTTPUploadTests.sha256(kept) && last.headers["authorization"] == secret && last.headers["content-type"] == "video/mp4")
                #expect(!server.log.text.contains("5d41402abc4b2a76"))
            }
        }

        @Test func writerThatFailedAndIsSentAfterAllIsToldClosed() async throws {
            let peer = try ScriptedServer(), receiver = try await WebhookReceiver.start(), folder = try TemporaryFolder()
            try (WebhookReceiver.secrets[0] + "\n").write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
            let options = Self.options + ["--webhook-secret-file", folder / "secrets", "--webhook", receiver.url("all"), "--allow-callback", "http://127.0.0.1:*/*"]
            var id = ""
            func events(_ name: String) throws -> [String] { try receiver.requests(name).map(\.type) }
            try await withServer(options, in: folder) { server in
                let made = mp4("\(peer.origin)/\(String.unique())/files;a.mp4=503@end,200@end/a.mp4")
                id = try await server.createWriter(made.merging(["callback_url": .string(receiver.url("own"))]))
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 502)
                for name in ["all", "own"] { try await eventually("failed, to \(name)") { try events(name).last == "writer.failed" } }
            }
            // What is to be told yet outlives the server.
            try await withServer(options, in: folder) { server in
                #expect(try await retry(id, on: server).json["state"] == "closed")
                for name in ["all", "own"] {
                    try await eventually("closed, to \(name)") { try events(name).last == "writer.closed" }
                    #expect(try events(name).count { $0 == "writer.failed" } == 1 && events(name).count { $0 == "writer.opened" } <= 1)
                }
                #expect(try receiver.requests("own").last?.json["data"]["id"] == .string(id))
            }
            try await receiver.stop()
        }

        @Test(arguments: ["car ", "enc "])
        func whatWasBeingSentWhenAProcessWasKilledIsSentAgain(process: String) async throws {
            let peer = try ScriptedServer(), name = String.unique()
            try await withServer(Self.options) { server in
                let id = try await server.createWriter(mp4("\(peer.origin)/\(name)/files;a.mp4=stall@100,200@end/a.mp4"))
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                async let ended = server.curl("POST", "/v1/writers/\(id)/finalize")
                try await eventually("it is being sent") { isThere(spool(id, of: server)) && (try? peer.requests(name).isEmpty) == false }
                let kept = try bytes(spool(id, of: server))
                let found = PenstockServer.processes(marked: server.marker).filter { PenstockServer.name(of: $0)?.hasPrefix(process) == true }
                #expect(found.count == 1)
                for pid in found { kill(pid, SIGKILL) }
                _ = try? await ended
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["retry"].string != nil, "\(failed)")
                let sent = try await retry(id, on: server)
                #expect(sent.status == 200 && sent.json["state"] == "closed", "\(sent.text)")
                #expect(try peer.requests(name).last?.sha256 == HTTPUploadTests.sha256(kept))
            }
        }

        @Test func whatIsKeptCountsAmongTheBytesThatRetentionBounds() async throws {
            let peer = try ScriptedServer(), name = String.unique()
            try await withServer(Self.options + ["--retain-ended-bytes", "1"]) { server in
                let id = try await server.createWriter(mp4("\(peer.origin)/\(name)/files;a.mp4=403@end/a.mp4"))
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 502)
                try await eventually("it is removed") { try await server.curl("GET", "/v1/writers/\(id)").text.contains("--retain-ended-bytes") }
                #expect(!isThere(spool(id, of: server)))
            }
        }

        @Test func retryGoesOnWithoutItsClientAndIsSeen() async throws {
            let peer = try ScriptedServer(), name = String.unique()
            try await withServer(Self.options) { server in
                let id = try await server.createWriter(mp4("\(peer.origin)/\(name)/files;a.mp4=403@end,stall@100/a.mp4"))
                try await server.sendChunk(Pictures(25).data, to: id, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 502)
                let client = try RawConnection(port: server.port)
                try await client.send("POST /v1/writers/\(id)/outputs/main/retry HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                try await eventually("it is under way") { try await server.writer(id)["retrying"] == true }
                await client.reset()
                #expect(try await server.writer(id)["retrying"] == true)
                let path = spool(id, of: server)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 200)
                #expect(!isThere(path))
            }
        }
    }
}
