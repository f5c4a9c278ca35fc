import Foundation
import Testing

extension EndToEnd {
    /// Where a client may have the end of its writer told, and where not.
    @Suite struct CallbackTests {
        private static let secrets = WebhookReceiver.secrets

        private func folder() throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            try "\(Self.secrets[0])\n\(Self.secrets[1]) name=acme\n".write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
            return folder
        }

        private func create(_ url: String, on server: PenstockServer, headers: [String] = []) async throws -> Response {
            let description = JSON.object(Tenants.open.object.merging(["callback_url": .string(url)]) { $1 })
            return try await server.curl("POST", "/v1/writers", headers: headers, body: .json(description))
        }

        @Test func urlsAreRefusedByName() async throws {
            let folder = try folder()
            try await withServer(["--webhook-secret-file", folder / "secrets", "--allow-callback", "http://*"], in: folder) { server in
                for url in ["ftp://a.example.com/", "a.example.com", "http:///x", "http://a b/", "http://a.example.com/#x", "http://a.example.com:0/", "http://a\\@b/"] {
                    let response = try await create(url, on: server)
                    #expect(response.status == 422 && response.json["parameter"] == "callback_url", "\(url): \(response.text)")
                }
                for url in ["https://a.example.com/", "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://10.1.2.3/"] {
                    let response = try await create(url, on: server)
                    #expect(response.status == 403 && response.problem == "forbidden-callback", "\(url): \(response.text)")
                    #expect(response.json["parameter"] == "callback_url")
                }
                let list = try await server.curl("GET", "/v1/writers")
                #expect(list.json["writers"].array.isEmpty)
            }
            try await withServer { server in
                let response = try await create("https://a.example.com/", on: server)
                #expect(response.status == 403 && response.json["detail"].string?.contains("--webhook-secret-file") == true, "\(response.text)")
            }
        }

        /// Names, and numbers that no pattern names, are found out where a connection is made.
        @Test(arguments: ["localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
        func addressesThatAPatternDoesNotNameAreNotReached(host: String) async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(
                ["--webhook-secret-file", folder / "secrets", "--allow-callback", "http://*:*/*", "--log-level", "debug"], in: folder
            ) { server in
                let response = try await create("http://\(host):\(receiver.port)/own/204", on: server)
                // What may be a number is no name.
                if response.status == 403 || response.status == 422 { return }
                #expect(response.status == 201, "\(response.text)")
                guard let line = await server.log.line(containing: "a webhook was not delivered", within: 20) else {
                    Issue.record("nothing was tried\n\(server.log.text)")
                    return
                }
                #expect(line.contains("which only a pattern that names it allows"), "\(line)")
                #expect(try receiver.requests("own").isEmpty)
            }
        }

        @Test func aRedirectionIsNotFollowedAndTheServerItselfIsNotReached() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(
                ["--webhook-secret-file", folder / "secrets", "--allow-callback", "http://127.0.0.1:*/*", "--log-level", "debug"], in: folder
            ) { server in
                let elsewhere = receiver.url("elsewhere").replacingOccurrences(of: "/", with: "%2F")
                _ = try await create(receiver.url("own", "302%3D\(elsewhere)"), on: server)
                #expect(await server.log.line(containing: "the receiver answered 302", within: 20) != nil, "\(server.log.text)")
                #expect(try receiver.requests("own").count == 1 && receiver.requests("elsewhere").isEmpty)
                _ = try await create("http://127.0.0.1:\(server.port)/v1/writers", on: server)
                #expect(await server.log.line(containing: "is this server itself", within: 20) != nil, "\(server.log.text)")
            }
        }

        @Test func aTokensLineHasPatternsAndASecretOfItsOwn() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            let lines = ["acme-token name=acme allow-callback=http://127.0.0.1:*/*", "other-token name=other", "none-token name=none allow-callback="]
            let options = ["--webhook-secret-file", folder / "secrets", "--allow-callback", "http://127.0.0.1:\(receiver.port)/other/*", "--webhook", receiver.url("all")]
            try await Tenants.run(lines, options: options, in: folder) { tenants in
                let server = tenants.server
                func status(_ token: String, _ name: String) async throws -> Int {
                    try await create(receiver.url(name), on: server, headers: ["Authorization: Bearer \(token)"]).status
                }
                #expect(try await status("acme-token", "acme") == 201)
                #expect(try await status("other-token", "acme") == 403)
                #expect(try await status("other-token", "other") == 201)
                #expect(try await status("none-token", "other") == 403)
                try await eventually("all are told") {
                    try receiver.requests("acme").count == 1 && receiver.requests("other").count == 1 && receiver.requests("all").count == 2
                }
                #expect(try receiver.requests("acme")[0].signers == [Self.secrets[1]])
                #expect(try receiver.requests("other")[0].signers == [Self.secrets[0]])
                #expect(try receiver.requests("all").allSatisfy { $0.signers == [Self.secrets[0]] })
                #expect(try receiver.requests("acme")[0].json["data"]["name"] == "acme")
            }
        }

        @Test func aSecretThatIsReplacedInItsFileSignsWhatComesNext() async throws {
            let receiver = try await WebhookReceiver.start()
            let folder = try folder()
            try await withServer(["--webhook-secret-file", folder / "secrets", "--webhook", receiver.url("all")], in: folder) { server in
                _ = try await server.createWriter(Tenants.open)
                try await eventually("the first") { try receiver.requests("all").count == 1 }
                try "\(Self.secrets[1])\n".write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
                _ = try await server.createWriter(Tenants.open)
                try await eventually("the second") { try receiver.requests("all").count == 2 }
                try "none\n".write(toFile: folder / "secrets", atomically: true, encoding: .utf8)
                _ = try await server.createWriter(Tenants.open)
                try await eventually("the third") { try receiver.requests("all").count == 3 }
                #expect(try receiver.requests("all").map(\.signers) == [[Self.secrets[0]], [Self.secrets[1]], [Self.secrets[1]]])
                #expect(server.log.text.contains("the old webhook secrets stay in force"))
                for secret in Self.secrets { #expect(!server.log.text.contains(secret.dropFirst(6))) }
            }
        }
    }
}
