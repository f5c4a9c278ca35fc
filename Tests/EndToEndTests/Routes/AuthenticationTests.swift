import Foundation
import Testing

extension EndToEnd {
    /// With tokens, every request needs one, also on a connection that an encoder keeps.
    @Suite struct AuthenticationTests {
        private static let good = "Authorization: Bearer correct-horse-battery"

        private func withTokens(_ body: (PenstockServer) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            try "correct-horse-battery\nanother-token-of-two\n"
                .write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
            try await withServer(["--token-file", folder / "tokens"], in: folder, body)
        }

        @Test func requestsWithoutAValidTokenAreRefused() async throws {
            try await withTokens { server in
                for headers in [[], ["Authorization: Bearer wrong"], ["Authorization: Basic Y29ycmVjdA=="]] {
                    for (method, path) in [
                        ("GET", "/v1/writers"), ("POST", "/v1/writers"), ("GET", "/v1/writers/a/output"),
                    ] {
                        let response = try await server.curl(method, path, headers: headers)
                        #expect(response.status == 401, "\(headers) \(path)")
                        #expect(response.problem == "unauthorized")
                        #expect(response["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
                    }
                }
                for token in ["correct-horse-battery", "another-token-of-two"] {
                    let response = try await server.curl(
                        "GET", "/v1/writers", headers: ["Authorization: Bearer \(token)"])
                    #expect(response.status == 200)
                }
                #expect(try await server.curl("GET", "/livez").status == 200)
            }
        }

        @Test func keptConnectionNeedsTheTokenOnEveryRequest() async throws {
            try await withTokens { server in
                let connection = try RawConnection(port: server.port)
                let body: JSON = [
                    "format": "wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1]],
                ]
                let created = try await connection.request(
                    "PUT", "/v1/writers/a", headers: [Self.good, "Content-Type: application/json"], body: body.data)
                try #require(created.status == 201, "\(created.text)")
                #expect(try await connection.request("GET", "/v1/writers/a", headers: [Self.good]).status == 200)
                let refused = try await connection.request("GET", "/v1/writers/a")
                #expect(refused.status == 401)
                #expect(refused.problem == "unauthorized")
            }
        }

        /// At the gateway, and once more where an encoder keeps the connection.
        @Test func fieldsThatOnlyResembleAValidOneOpenNothing() async throws {
            try await withTokens { server in
                let made = try await server.curl(
                    "PUT", "/v1/writers/a", headers: [Self.good], body: .json(["format": "wav"]))
                try #require(made.status == 201)
                let token = "correct-horse-battery"
                let long = String(repeating: "x", count: 20_000)
                let refused: [[String]] = [
                    ["Authorization: Bearer correct-horse-batter"], ["Authorization: Bearer \(token)y"], ["Authorization: Bearer\t\(token)"],
                    ["Authorization: Bearer \(token) \(token)"], ["Authorization: Bearer \(token),x"], ["Authorization: bearer\(token)"],
                    ["Authorization: Bearer"], ["Authorization:"], ["Authorization: \(token)"], ["Authorization: Basic \(token)"],
                    ["Authorization: Bearer Bearer \(token)"], ["Authorization: Bearer \(long)"], ["Authorization: Bearer \(token)\(long)"],
                    [Self.good, Self.good], [Self.good, "Authorization: Bearer x"], ["Authorization: Bearer x", Self.good],
                    ["authorization: Bearer x", Self.good], ["Proxy-Authorization: Bearer \(token)"], ["X-Authorization: Bearer \(token)"],
                    ["Authorization: Bearer \(token.uppercased())"], ["Authorization: Bearer \u{C3}\u{A9}\(token)"],
                ]
                for fields in refused {
                    let connection = try RawConnection(port: server.port)
                    #expect(try await connection.request("GET", "/v1/writers", headers: fields).status == 401, "\(fields.map { $0.prefix(80) })")
                    #expect(try await connection.request("GET", "/v1/writers/a", headers: [Self.good]).status == 200)
                    // Now the encoder has it.
                    for _ in 0..<2 {
                        let kept = try await connection.request("GET", "/v1/writers/a", headers: fields)
                        #expect(kept.status == 401, "\(fields.map { $0.prefix(80) })")
                        #expect(try await connection.request("GET", "/v1/writers/a", headers: [Self.good]).status == 200)
                    }
                }
                // Not HTTP at all: control characters, and folded lines.
                for field in ["Authorization: Bearer \(token)\0", "Authorization: Bear\0er \(token)", "Authorization: Bearer\r\n \(token)", "Authorization : Bearer \(token)"] {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send("GET /v1/writers HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
                    #expect(try await connection.response().status == 400)
                }
                for field in ["authorization: bearer \(token)", "AUTHORIZATION:BEARER   \(token)   ", "Authorization:\tBearer \(token)\t"] {
                    let connection = try RawConnection(port: server.port)
                    for _ in 0..<3 { #expect(try await connection.request("GET", "/v1/writers/a", headers: [field]).status == 200) }
                }
            }
        }

        @Test func serverWithoutTokensBindsOnlyToLoopback() async throws {
            let folder = try TemporaryFolder()
            let (process, log) = try PenstockServer.launch([
                "serve", "--host", "0.0.0.0", "--port", "0",
                "--output-dir", folder / "output", "--state-dir", folder / "state",
            ])
            let end = try await process.ended(within: 20)
            #expect(end != .exited(0))
            #expect(await log.ended(within: 20))
            #expect(log.text.contains("--no-auth"), "\(log.text)")
        }
    }
}
