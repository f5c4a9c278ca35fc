import Foundation
import Testing

extension EndToEnd {
    /// SIGHUP: the configuration file is read again by a server that runs.
    @Suite struct ReloadTests {
        private struct Scene {
            let server: PenstockServer
            let file: String

            /// Writes the file and sends SIGHUP, until the log has a line with `line`.
            func reload(_ text: String, until line: String = "the configuration was read again") async throws {
                let before = count(line)
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                server.process.signal(SIGHUP)
                try await eventually("\(line) in the log") { count(line) > before }
            }

            private func count(_ line: String) -> Int { server.log.text.components(separatedBy: line).count }

            func make(_ description: JSON = ["format": "wav"], token: String? = nil) async throws -> Response {
                try await server.curl("POST", "/v1/writers", headers: token.map { ["Authorization: Bearer \($0)"] } ?? [], body: .json(description))
            }
        }

        private func run(_ text: String, environment: [String: String] = [:], _ body: (Scene) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            try text.write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            try await withServer(["--config", folder / "p.yaml"], in: folder, environment: environment) { server in
                try await body(Scene(server: server, file: folder / "p.yaml"))
            }
        }

        @Test func limitsOfNewWritersChangeAndThoseOfOldOnesDoNot() async throws {
            let stereo: JSON = ["format": "wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 2]]]
            try await run("max-writers: 1\nmax-channels: 1\n") { scene in
                let old = try await scene.server.createWriter(["format": "wav"])
                #expect(try await scene.make().status == 503)
                try await scene.reload("max-writers: 3\nmax-channels: 2\n")
                #expect(try await scene.make(stereo).status == 201)
                let added = try await scene.server.curl("POST", "/v1/writers/\(old)/streams", body: .json(["type": "audio", "sample_rate": 8_000, "num_channels": 2]))
                #expect(added.status == 422, "\(added.text)")
                #expect(scene.server.log.text.contains(/settings have changed settings="max-writers max-channels"/), "\(scene.server.log.text)")
            }
        }

        @Test func destinationsChange() async throws {
            let description: JSON = ["dst": "udp://127.0.0.1:9", "format": "mpegts"]
            try await run("max-writers: 9\n") { scene in
                #expect(try await scene.make(description).status == 403)
                try await scene.reload("allow-output: [\"udp://127.0.0.1:*\"]\n")
                #expect(try await scene.make(description).status == 201)
                try await scene.reload("allow-output: []\n")
                #expect(try await scene.make(description).status == 403)
            }
        }

        @Test func theLogChangesInTheGatewayAndInNewEncoders() async throws {
            try await run("access-log: false\n") { scene in
                _ = try await scene.make()
                #expect(!scene.server.log.text.contains("POST /v1/writers"))
                try await scene.reload("access-log: true\n")
                _ = try await scene.server.createWriter(["format": "wav"])
                #expect(try await scene.server.curl("GET", "/livez").status == 200)
                for line in ["GET /livez 200", "POST /v1/writers 201"] { #expect(await scene.server.log.line(containing: line, within: 20) != nil, "\(line)") }
            }
        }

        @Test func theLogLevelChanges() async throws {
            try await run("max-writers: 5\n") { scene in
                try await scene.reload("log-level: warning\nmax-json-bytes: 300\n", until: "max-json-bytes has changed and needs a restart")
                let quiet = try await scene.server.createWriter(["format": "wav"])
                #expect(try await scene.server.curl("GET", "/livez").status == 200)
                try await scene.reload("log-level: info\nmax-json-bytes: 301\n", until: "max-json-bytes has changed and needs a restart")
                let id = try await scene.server.createWriter(["format": "wav"])
                #expect(await scene.server.log.line(containing: "writer=\(id)", within: 20) != nil)
                #expect(!scene.server.log.text.contains("/livez") && !scene.server.log.text.contains("writer=\(quiet)"), "\(scene.server.log.text)")
            }
        }

        @Test func whatNeedsARestartIsNamedAndStays() async throws {
            try await run("max-json-bytes: 256\n") { scene in
                try await scene.reload("max-json-bytes: 1024\nhandler-threads: 9\nmax-writers: 9\n")
                for name in ["max-json-bytes", "handler-threads"] {
                    #expect(scene.server.log.text.contains("WARNING \(name) has changed and needs a restart place="), "\(scene.server.log.text)")
                }
                let long: JSON = ["metadata": ["title": .string(String(repeating: "x", count: 300))]]
                #expect(try await scene.make(long).status == 413)
                // Of an encoder that was made since, too.
                let id = try await scene.server.createWriter(["format": "wav"])
                #expect(try await scene.server.curl("PUT", "/v1/writers/\(id)/metadata", body: .json(long)).status == 413)
            }
        }

        @Test(arguments: [("max-writers: 0\n", ":1:14: max-writers is 0"), ("max-writers 2", "NAME: VALUE"), ("max-writers: 5\n\tx: 1\n", ":2:1: a tab"), ("max-writers: 5\nmax_streams: 1\n", ":2:1: there is no setting max_streams")])
        func aBrokenFileChangesNothing(text: String, says: String) async throws {
            try await run("max-writers: 1\n") { scene in
                _ = try await scene.server.createWriter(["format": "wav"])
                try await scene.reload(text, until: "nothing has changed: the configuration has errors")
                #expect(scene.server.log.text.contains("ERROR ") && scene.server.log.text.contains(says), "\(scene.server.log.text)")
                #expect(try await scene.make().status == 503)
                try FileManager.default.removeItem(atPath: scene.file)
                scene.server.process.signal(SIGHUP)
                #expect(await scene.server.log.line(containing: "can't be read", within: 20) != nil)
                try await scene.reload("max-writers: 2\n")
                #expect(try await scene.make().status == 201)
            }
        }

        @Test func tokensChangeForTheGatewayAndForEncodersThatRun() async throws {
            func tokens(_ names: String...) -> String { "tokens:\n" + names.map { "- {token: \($0), name: acme}\n" }.joined() }
            try await run(tokens("one", "two")) { scene in
                let made = try await scene.make(token: "one")
                let id = try #require(made.json["id"].string)
                func status(_ token: String) async throws -> Int {
                    try await scene.server.curl("GET", "/v1/writers/\(id)", headers: ["Authorization: Bearer \(token)"]).status
                }
                #expect(try await status("two") == 200)
                #expect(try await status("three") == 401)
                try await scene.reload(tokens("two", "three"))
                #expect(try await status("two") == 200)
                #expect(try await status("three") == 200)
                #expect(try await status("one") == 401)
                // Into a file of their own.
                try "four name=acme\n".write(toFile: scene.file + ".tokens", atomically: true, encoding: .utf8)
                try await scene.reload("token-file: \(scene.file).tokens\n")
                #expect(try await status("four") == 200)
                #expect(try await status("two") == 401)
                // A server that asks for tokens asks for them until it ends.
                try await scene.reload("max-writers: 5\n")
                #expect(try await status("four") == 200)
                #expect(try await status("none") == 401)
                #expect(scene.server.log.text.contains("needs a restart"))
            }
        }

        @Test(arguments: [true, false])
        func tokensOfAServerWithoutTokensAreAnErrorUntilARestart(inFile: Bool) async throws {
            try await run("max-writers: 5\n") { scene in
                try "s3cret\n".write(toFile: scene.file + ".tokens", atomically: true, encoding: .utf8)
                try await scene.reload(inFile ? "token-file: \(scene.file).tokens\n" : "tokens: [{token: s3cret}]\n")
                #expect(scene.server.log.text.contains("ERROR tokens are not asked for yet: that needs a restart"), "\(scene.server.log.text)")
                #expect(try await scene.make().status == 201)
            }
        }

        /// It ended the process where there was no file.
        @Test func aServerWithoutFilesSaysThatThereIsNothingToReadAgain() async throws {
            try await withServer { server in
                server.process.signal(SIGHUP)
                #expect(await server.log.line(containing: "nothing to read again: there is neither a configuration file nor a token file", within: 20) != nil)
                try await server.expectWell()
            }
        }

        /// A start waits for what writes its configuration into a pipe: SIGHUP comes before the gateway is there.
        @Test func aSignalDuringTheStartIsKept() async throws {
            let folder = try TemporaryFolder()
            let pipe = folder / "tokens"
            #expect(mkfifo(pipe, 0o600) == 0)
            let (process, log) = try PenstockServer.launch([
                "serve", "--port", "0", "--output-dir", folder / "output", "--state-dir", folder / "state", "--token-file", pipe,
            ])
            // Returns once the server reads.
            let writing = await onThread { open(pipe, O_WRONLY | O_CLOEXEC) }
            process.signal(SIGHUP)
            #expect(write(writing, "secret\n", 7) == 7)
            close(writing)
            #expect(await log.line(containing: "listening", within: 20) != nil, "\(log.text)")
            #expect(await log.line(containing: "the old tokens stay in force", within: 20) != nil, "\(log.text)")
            process.signal(SIGTERM)
            #expect(try await process.ended(within: 30) == .exited(0), "\(log.text)")
            #expect(await log.ended(within: 20))
        }

        @Test func whatStandsInTheEnvironmentWinsStill() async throws {
            try await run("max-streams: 3\n", environment: ["PENSTOCK_MAX_WRITERS": "1"]) { scene in
                _ = try await scene.server.createWriter(["format": "wav"])
                try await scene.reload("max-writers: 7\n")
                #expect(try await scene.make().status == 503)
            }
        }

        @Test func operationsAreProtected() async throws {
            try await run("tokens: [{token: t}]\n") { scene in
                #expect(try await scene.server.curl("GET", "/metrics").status == 200)
                try await scene.reload("tokens: [{token: t}]\nprotect-operations: true\n")
                #expect(try await scene.server.curl("GET", "/metrics").status == 401)
            }
        }
    }
}
