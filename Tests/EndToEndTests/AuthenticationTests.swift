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

        @Test func serverWithoutTokensBindsOnlyToLoopback() async throws {
            let folder = try TemporaryFolder()
            let (process, log) = try PenstockServer.launch([
                "serve", "--host", "0.0.0.0", "--port", "0",
                "--output-dir", folder / "output", "--state-dir", folder / "state",
            ])
            let end = try await process.ended(within: 20)
            #expect(end != .exited(0))
            #expect(await log.ended(within: 10))
            #expect(log.text.contains("--no-auth"), "\(log.text)")
        }
    }
}
