import Foundation
import Testing

extension EndToEnd {
    /// `--listen unix:PATH`.
    @Suite struct LocalSocketTests {
        /// A server on a port and on a socket.
        private func withSocket(_ options: String = "", _ arguments: [String] = [], _ body: (PenstockServer, String) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let path = folder / "http.sock"
            try await withServer(["--listen", "unix:\(path)\(options)"] + arguments, in: folder) { server in try await body(server, path) }
            #expect(!FileManager.default.fileExists(atPath: path), "removed at the end")
        }

        private func curl(_ path: String, _ method: String, _ target: String, headers: [String] = [], body: Curl.Body = .none) async throws -> Response {
            try await Curl.request(method, "http://localhost" + target, headers: headers, body: body, options: ["--unix-socket", path])
        }

        /// Starts a server that is to end by itself; what it said.
        private func refusal(_ listen: String) async throws -> String {
            let folder = try TemporaryFolder()
            let (process, log) = try PenstockServer.launch(["serve", "--listen", listen, "--output-dir", folder / "output", "--state-dir", folder / "state"])
            #expect(try await process.ended(within: 20) == .exited(1), "\(log.text)")
            #expect(await log.ended(within: 20))
            return log.text
        }

        /// A server on a socket alone, waited for.
        private func start(_ path: String, in folder: TemporaryFolder, environment: [String: String] = [:]) async throws -> (process: ChildProcess, log: ServerLog) {
            let (process, log) = try PenstockServer.launch(
                ["serve", "--output-dir", folder / "output", "--state-dir", folder / "state"], environment.merging(["PENSTOCK_LISTEN": "unix:\(path)"]) { $1 })
            #expect(await log.line(containing: "listening on unix:\(path)", within: 20) != nil, "\(log.text)")
            return (process, log)
        }

        private func end(_ server: (process: ChildProcess, log: ServerLog)) async throws {
            server.process.signal(SIGTERM)
            #expect(try await server.process.ended(within: 30) == .exited(0), "\(server.log.text)")
            #expect(await server.log.ended(within: 20))
        }

        /// The gateway's routes, an encoder's, and connections that go to and fro between them.
        @Test func everythingGoesOverASocket() async throws {
            try await withSocket { server, path in
                for target in ["/livez", "/readyz", "/metrics", "/openapi.yaml", "/v1/version", "/v1/muxers", "/v1/writers"] {
                    #expect(try await curl(path, "GET", target).status == 200, "\(target)")
                }
                let samples = Data((0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) })
                let stream: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
                let made = try await curl(path, "POST", "/v1/writers", body: .json(["format": "wav", "streams": [stream], "open": true]))
                let id = try #require(made.json["id"].string, "\(made.text)")
                for part in [samples[..<100_000], samples[100_000...]] {
                    #expect(try await curl(path, "POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Data(part))).status == 200)
                }
                #expect(try await curl(path, "GET", "/v1/writers/\(id)").json["streams"][0]["frames"] == 200_000)
                // The same writer by the port.
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 200)
                let output = try await curl(path, "GET", "/v1/writers/\(id)/output")
                #expect(output.status == 200 && output.body.suffix(samples.count) == samples)
                let encoded = try await curl(path, "POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=1&sample_format=s16", body: .bytes(samples))
                #expect(encoded.status == 200 && encoded.body.suffix(samples.count) == samples)
                for line in ["GET /livez 200", "chunks 200"] {
                    #expect(server.log.text.split(separator: "\n").contains { $0.contains(line) && $0.contains("peer=unix:\(getuid())") }, "\(server.log.text)")
                }
            }
        }

        /// One connection for requests to the gateway and to two writers: it is passed, handed back and passed again.
        @Test func aKeptConnectionIsPassedBetweenProcesses() async throws {
            try await withSocket { server, path in
                let first = try await server.createWriter(["format": "wav"])
                let second = try await server.createWriter(["format": "wav"])
                let urls = (0..<5).flatMap { _ in ["/v1/writers/\(first)", "/livez", "/v1/writers/\(second)"] }.map { "http://localhost\($0)" }
                let result = try await Tool.run("curl", ["-sS", "--unix-socket", path, "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"] + urls.flatMap { [$0, "-o", "/dev/null"] })
                #expect(result.text.split(separator: "\n") == ["200 1"] + Array(repeating: "200 0", count: 14), "\(result.text)\(result.errors)")
            }
        }

        @Test func aRequestWithoutHostIsRefused() async throws {
            try await withSocket { _, path in
                let refused = try await curl(path, "GET", "/livez", headers: ["Host:"])
                #expect(refused.status == 400, "\(refused.text)")
            }
        }

        @Test func theFileHasItsModeAndOwner() async throws {
            func check(_ options: String, mode: Int, owner: Int? = nil, group: Int? = nil) async throws {
                try await withSocket(options) { _, path in
                    let attributes = try FileManager.default.attributesOfItem(atPath: path)
                    #expect(attributes[.type] as? FileAttributeType == .typeSocket)
                    #expect(attributes[.posixPermissions] as? Int == mode)
                    #expect(owner == nil || attributes[.ownerAccountID] as? Int == owner)
                    #expect(group == nil || attributes[.groupOwnerAccountID] as? Int == group)
                }
            }
            try await check("", mode: 0o660)
            try await check(",mode=0600", mode: 0o600)
            if getuid() == 0 { try await check(",mode=0666,owner=nobody,group=daemon", mode: 0o666, owner: 65_534, group: 1) }
        }

        /// Another user's connections are another client's.
        @Test(.enabled(if: getuid() == 0, "needs root, to become another user"))
        func aPeerIsKnownByItsUser() async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder / ".")
            let path = folder / "s"
            try await withServer(["--listen", "unix:\(path),mode=0666"], in: folder) { server in
                let result = try await Tool.run("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-sS", "--unix-socket", path, "http://localhost/livez"])
                #expect(result.text.contains("ok"), "\(result.errors)")
                #expect(await server.log.line(containing: "peer=unix:65534", within: 20) != nil)
            }
        }

        @Test func theSocketOfADeadServerIsReplacedAndThatOfALiveOneIsNot() async throws {
            let folder = try TemporaryFolder()
            let path = folder / "s"
            let first = try await start(path, in: folder)
            first.process.signal(SIGKILL)
            #expect(try await first.process.ended(within: 20) == .signaled(SIGKILL))
            #expect(await first.log.ended(within: 20))
            #expect(FileManager.default.fileExists(atPath: path))
            let second = try await start(path, in: folder)
            #expect(try await refusal("unix:\(path)").contains("another server listens on unix:\(path)"))
            #expect(try await curl(path, "GET", "/livez").status == 200)
            try await end(second)
            #expect(!FileManager.default.fileExists(atPath: path))
        }

        @Test func whatIsNoSocketIsLeftAlone() async throws {
            let folder = try TemporaryFolder()
            try "precious".write(toFile: folder / "file", atomically: true, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: folder / "link", withDestinationPath: folder / "file")
            for name in ["file", "link", "."] {
                #expect(try await refusal("unix:\(folder / name)").contains("is no socket"), "\(name)")
            }
            #expect(try String(contentsOfFile: folder / "link", encoding: .utf8) == "precious")
            #expect(try await refusal("unix:\(folder / "none")/s").contains("none"))
        }

        @Test func aSocketThatAnotherServerHasTakenIsNotRemovedAtTheEnd() async throws {
            let folder = try TemporaryFolder(), others = try TemporaryFolder()
            let path = folder / "s"
            let first = try await start(path, in: folder)
            try FileManager.default.removeItem(atPath: path)
            let second = try await start(path, in: others)
            try await end(first)
            #expect(try await curl(path, "GET", "/livez").status == 200)
            try await end(second)
        }

        @Test func healthAndDrainFindTheSocket() async throws {
            let folder = try TemporaryFolder()
            let path = folder / "s"
            let server = try await start(path, in: folder)
            #expect(!server.log.text.contains("http://"), "a socket alone")
            let program = Repository.programs + "/penstock"
            try "listen: [\"unix:\(path),mode=0600\"]\n".write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            #expect(try await Tool.run(program, ["health"], environment: ["PENSTOCK_LISTEN": "unix:\(path)"]).end == .exited(0))
            #expect(try await Tool.run(program, ["health"], environment: ["PENSTOCK_CONFIG": folder / "p.yaml"]).end == .exited(0))
            #expect(try await Tool.run(program, ["health", "--unix", path]).end == .exited(0))
            #expect(try await Tool.run(program, ["health", "--unix", folder / "none"]).end != .exited(0))
            for variable in [true, false] {
                let arguments = variable ? [] : ["--config", folder / "none.yaml"]
                let environment = variable ? ["PENSTOCK_CONFIG": folder / "none.yaml"] : [:]
                for command in [["health"], ["drain", "--pid", "\(server.process.pid)"]] {
                    let missing = try await Tool.run(program, command + arguments, environment: environment)
                    #expect(missing.end == .exited(64) && missing.errors.contains("none.yaml"), "\(missing.errors)")
                }
            }
            // What is wrong with a file is the server's to say.
            try "max-writers: 0\nlisten: [\"unix:\(path)\"]\n".write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            #expect(try await Tool.run(program, ["health", "--config", folder / "p.yaml"]).end == .exited(0))
            let drained = try await Tool.run(program, ["drain", "--pid", "\(server.process.pid)", "--at-least", "0", "--unix", path])
            #expect(drained.end == .exited(0) && drained.text.contains("live writers: 0"), "\(drained.errors)")
            try await end(server)
        }
    }
}
