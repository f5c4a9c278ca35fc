import Foundation
import Testing

extension EndToEnd {
    /// What receivers are told of writers, on real connections.
    @Suite struct WebhookTests {
        private static let secret = WebhookReceiver.secrets[0]

        /// A folder for a server with a file of secrets in it.
        private func folder(_ lines: [String] = [secret]) throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            try (lines.joined(separator: "\n") + "\n").write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
            return folder
        }

        private func options(_ folder: TemporaryFolder, _ more: [String]) -> [String] {
            ["--webhook-secret-file", folder / "secrets", "--log-format", "json"] + more
        }

        private func create(_ more: JSON = [:], on server: PenstockServer) async throws -> String {
            try await server.createWriter(Self.description(more))
        }

        private static func description(_ more: JSON = [:]) -> JSON {
            .object(Tenants.open.object.merging(more.object) { $1 })
        }

        private func metrics(_ server: PenstockServer) async throws -> Exposition {
            try Exposition(try await server.curl("GET", "/metrics").text)
        }

        /// A receiver has a request before the server has its response.
        private func areDelivered(_ count: Double, by server: PenstockServer) async throws {
            try await eventually("\(count) are delivered, and none is left") {
                let now = try await metrics(server)
                return now["penstock_webhook_deliveries_total", ["result": "delivered"]] == count && now["penstock_webhooks_pending"] == 0
            }
        }

        @Test func theEndOfAWriterIsToldSignedAndInOrder() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder(WebhookReceiver.secrets)
            try await withServer(options(folder, ["--webhook", receiver.url("all"), "--allow-callback", "http://127.0.0.1:*/*"]), in: folder) { server in
                let id = try await create(["callback_url": .string(receiver.url("own") + "?key=hidden")], on: server)
                #expect(try await server.writer(id)["callback_url"] == .string("http://127.0.0.1:\(receiver.port)/***"))
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                let ended = try await server.finalize(id)
                for name in ["all", "own"] {
                    try await eventually("two of \(name)") { try receiver.requests(name).count == 2 }
                    let requests = try receiver.requests(name)
                    #expect(requests.map(\.type) == ["writer.opened", "writer.closed"])
                    #expect(requests.map(\.signers) == [WebhookReceiver.secrets, WebhookReceiver.secrets])
                    #expect(requests.allSatisfy { $0.headers["content-type"] == "application/json" })
                    for request in requests {
                        let sent = try #require(Double(request.headers["webhook-timestamp"] ?? ""))
                        #expect(abs(request.at - sent) < 60)
                    }
                    let data = requests[1].json["data"]
                    #expect(data["id"] == .string(id) && data["state"] == "closed" && data["result"]["bytes"] == ended["result"]["bytes"])
                    #expect(requests[1].json["timestamp"] == ended["ended_at"])
                }
                #expect(try receiver.requests("own")[0].path.hasSuffix("?key=hidden"))
                // One message, told twice.
                #expect(try receiver.requests("own").map(\.id) == receiver.requests("all").map(\.id))
                try await areDelivered(4, by: server)
                #expect(try await metrics(server)["penstock_webhooks_oldest_pending_seconds"] == 0)
                #expect(!server.log.text.contains("hidden"))
            }
        }

        @Test func aFailureAndAnOutputThatFailedAreTold() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            let gone = try LoopbackPort.free().number
            try await withServer(options(folder, ["--webhook", receiver.url("all"), "--allow-output", "tcp://127.0.0.1:*"]), in: folder) { server in
                let id = try await server.createWriter([
                    "outputs": [
                        ["name": "record", "dst": "a.mkv"],
                        ["name": "live", "dst": .string("tcp://127.0.0.1:\(gone)"), "format": "mpegts", "on_failure": "continue"],
                    ],
                    "streams": [Pictures.stream()], "open": true,
                ])
                try await eventually("the output's failure") { try receiver.requests("all").contains { $0.type == "output.failed" } }
                let failed = try #require(try receiver.requests("all").first { $0.type == "output.failed" })
                #expect(failed.json["data"]["output"]["name"] == "live" && failed.json["data"]["id"] == .string(id))
                let process = try #require(try await server.writer(id)["encoder_pid"].int)
                kill(pid_t(process), SIGKILL)
                try await eventually("the writer's failure") { try receiver.requests("all").contains { $0.type == "writer.failed" } }
                let last = try #require(try receiver.requests("all").last)
                #expect(last.json["data"]["failure"]["type"] == "urn:penstock:problem:encoder-crashed")
                #expect(try receiver.requests("all").map(\.type) == ["writer.opened", "output.failed", "writer.failed"])
                // What was deleted, or never made, is not told.
                let deleted = try await create(on: server)
                try await eventually("it is told of") { try receiver.requests("all").last?.json["data"]["id"] == .string(deleted) }
                #expect(try await server.curl("DELETE", "/v1/writers/\(deleted)").status == 204)
                #expect(try await server.curl("POST", "/v1/writers", body: .json(["dst": "a.wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1, "encoder": "libx264"]]])).status == 422)
                try await server.finalize(create(on: server))
                try await eventually("the last writer's end") { try receiver.requests("all").last?.type == "writer.closed" }
                #expect(try receiver.requests("all").count == 6)
            }
        }

        @Test func refusalsAreRepeatedWithTheSameIDUntilTheyAreTaken() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(options(folder, ["--webhook", receiver.url("all", "301%3Dhttp:%2F%2F127.0.0.1:1%2Fx,500+1,204")]), in: folder) { server in
                try await server.finalize(create(on: server))
                // After five seconds by the schedule, and one by Retry-After.
                try await eventually("the end of it", within: 60) { try receiver.requests("all").last?.type == "writer.closed" }
                let requests = try receiver.requests("all")
                #expect(requests.map(\.type) == ["writer.opened", "writer.opened", "writer.opened", "writer.closed"])
                #expect(Set(requests.map(\.id)).count == 2 && Set(requests.prefix(3).map(\.body)).count == 1)
                #expect(requests.allSatisfy { $0.signers == [Self.secret] })
                // A receiver that says nothing of when has five seconds' rest.
                #expect(requests[1].at - requests[0].at > 4 && (0.9..<5).contains(requests[2].at - requests[1].at))
                let metrics = try await metrics(server)
                #expect(metrics["penstock_webhook_deliveries_total", ["result": "failed"]] == 2)
            }
        }

        @Test func whatIsNotTakenOutlivesTheServerHoweverItEnds() async throws {
            let folder = try folder()
            let port = try LoopbackPort.free().number
            let options = options(folder, ["--webhook", "http://127.0.0.1:\(port)/all/204"])
            let first = try await PenstockServer.start(options, in: folder)
            let told = try await create(on: first)
            try await first.finalize(told)
            let live = try await create(on: first)
            try await first.sendChunk(Data(count: 16_000), to: live, stream: 0)
            try await eventually("three are pending") { try await metrics(first)["penstock_webhooks_pending"] == 3 }
            first.process.signal(SIGKILL)
            // Its writer is finalized while no server runs.
            #expect(await first.log.ended(within: 20))
            // One that ends well, and waits for no receiver.
            let second = try await PenstockServer.start(options, in: folder)
            _ = try await second.writer(live, in: "closed")
            let began = Date()
            try await second.stop()
            #expect(Date().timeIntervalSince(began) < 20)

            let receiver = try await WebhookReceiver.start(on: port)
            let third = try await PenstockServer.start(options, in: folder)
            try await eventually("all are told") { try receiver.requests("all").count >= 4 }
            let requests = try receiver.requests("all")
            for id in [told, live] {
                #expect(requests.filter { $0.json["data"]["id"] == .string(id) }.map(\.type) == ["writer.opened", "writer.closed"])
            }
            #expect(requests.last { $0.json["data"]["id"] == .string(live) }?.json["data"]["result"]["ended_by"] == "gateway_lost")
            try await eventually("none is pending") { try await metrics(third)["penstock_webhooks_pending"] == 0 }
            try await third.stop()
            // Once, also over another start.
            try await withServer(options, in: folder) { server in
                try await server.expectWell()
                try await eventually("the end of another, and none is pending") {
                    let isTold = try receiver.requests("all").contains { $0.type == "writer.closed" && ![told, live].contains($0.json["data"]["id"].string ?? "") }
                    return try await metrics(server)["penstock_webhooks_pending"] == 0 && isTold
                }
            }
            #expect(try receiver.requests("all").count(where: { $0.type == "writer.closed" }) == 3)
        }

        @Test func aReceiverThatNeverAnswersSlowsNothing() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            let hooks = ["--webhook", receiver.url("dead", "hang"), "--webhook", "http://127.0.0.1:1/refused", "--webhook", receiver.url("well")]
            try await withServer(options(folder, hooks), in: folder) { server in
                for _ in 0..<20 {
                    let seconds = try await secondsOf { try await server.finalize(create(on: server)) }
                    // A request that nobody answers takes 15 s at least.
                    #expect(seconds < 14)
                }
                #expect(try await metrics(server)["penstock_webhooks_pending"].map { $0 >= 40 } == true)
                // Another URL of the same host is told of all of them meanwhile.
                try await eventually("all of them", within: 60) { try receiver.requests("well").count == 40 }
                try await eventually("one to the dead") { try !receiver.requests("dead").isEmpty }
                let toTheDead = try receiver.requests("dead").map(\.at)
                #expect(toTheDead.count { $0 < toTheDead[0] + 10 } <= 4)
            }
        }

        @Test func aProcessThatSendsAndDiesIsReplaced() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(options(folder, ["--webhook", receiver.url("all")]), in: folder) { server in
                try await server.finalize(create(on: server))
                // One that was under way when the sender died would be sent again.
                try await areDelivered(2, by: server)
                let sender = try #require(PenstockServer.processes(marked: server.marker).first { Self.name(of: $0) == "webhooks" })
                kill(sender, SIGKILL)
                try await eventually("its end") { kill(sender, 0) != 0 }
                try await server.finalize(create(on: server))
                try await eventually("the second end") { try receiver.requests("all").count >= 4 }
            }
        }

        private static func name(of process: pid_t) -> String {
            String(decoding: FileManager.default.contents(atPath: "/proc/\(process)/comm") ?? Data(), as: UTF8.self).trimmingCharacters(in: .newlines)
        }

        @Test func aReceiverThatIsGoneIsToldNoMore() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(options(folder, ["--allow-callback", "http://127.0.0.1:*/*"]), in: folder) { server in
                let id = try await create(["callback_url": .string(receiver.url("own", "410,204"))], on: server)
                try await eventually("it is gone") { try await metrics(server)["penstock_webhook_deliveries_total", ["result": "gone"]] == 1 }
                try await server.finalize(id)
                let other = try await create(["callback_url": .string(receiver.url("other"))], on: server)
                try await server.finalize(other)
                try await eventually("another's end") { try receiver.requests("other").count == 2 }
                try await areDelivered(2, by: server)
                #expect(try receiver.requests("own").map(\.type) == ["writer.opened"])
            }
        }

        @Test func whatIsNotTakenInTimeIsGivenUpAndLogged() async throws {
            let folder = try folder()
            // The second attempt comes after the receiver's rest of five seconds.
            try await withServer(options(folder, ["--webhook", "http://127.0.0.1:1/secret-path", "--webhook-retry-time", "4"]), in: folder) { server in
                let id = try await create(on: server)
                try await eventually("it is given up", within: 60) {
                    try await metrics(server)["penstock_webhook_deliveries_total", ["result": "given_up"]] == 1
                }
                let text = try #require(await server.log.line(containing: "a webhook is given up", within: 20))
                let line = try JSON(Data(text.utf8))
                #expect(line["writer"] == .string(id) && line["event"] == "writer.opened" && line["attempts"] == 2)
                #expect(!server.log.text.contains("secret-path"))
            }
        }
    }
}
