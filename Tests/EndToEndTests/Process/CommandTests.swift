import Foundation
import Testing

extension EndToEnd {
    /// The commands of `penstock` that ask a server.
    @Suite struct CommandTests {
        private static let program = Repository.programs + "/penstock"
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        private func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Tool.Result {
            try await Tool.run(Self.program, arguments, environment: environment)
        }

        @Test func writersAndOneOfThemAreShown() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.wav", "streams": [Self.audio], "open": true])
                _ = try await server.createWriter(["dst": "b.wav", "streams": [Self.audio]])
                let list = try await run("writers", "--server", server.address)
                #expect(list.end == .exited(0) && list.errors.isEmpty)
                #expect(list.text.split(separator: "\n").count == 3 && list.text.contains("a.wav") && list.text.contains(" configuring "), "\(list.text)")
                let open = try await run("writers", "--state", "open", "--port", "\(server.port)")
                #expect(open.text.split(separator: "\n").count == 2 && open.text.contains(id), "\(open.text)")
                let first = try await run("writers", "--limit", "1", environment: ["PENSTOCK_SERVER": "127.0.0.1:\(server.port)"])
                let more = try #require(first.text.split(separator: "\n").first { $0.hasPrefix("more: ") })
                let next = more.dropFirst("more: penstock ".count).split(separator: " ").map(String.init)
                let second = try await Tool.run(Self.program, next + ["--server", server.address])
                #expect(first.text.contains("b.wav") && second.text.contains("a.wav") && !second.text.contains("more:"), "\(second.text)")
                let one = try await run("writer", id, "--server", server.address)
                #expect(one.end == .exited(0) && one.text.contains("a.wav") && one.text.contains("STREAM"), "\(one.text)")
                let json = try await run("writer", id, "--json", "--server", server.address)
                #expect(try JSON(json.output)["id"] == .string(id) && json.text.hasSuffix("}\n"))
                let all = try await run("writers", "--json", "--server", server.address)
                #expect(try JSON(all.output)["writers"].array.count == 2)
            }
        }

        @Test func encodersMuxersAndFiltersAreShown() async throws {
            try await withServer { server in
                for (arguments, word) in [
                    (["encoders"], "libopus"), (["encoders", "libx264"], "ultrafast"), (["encoders", "opus"], "OPTION"), (["muxers"], "matroska"), (["muxers", "mp4"], "faststart"),
                    (["filters"], "drawtext"), (["filters", "drawtext"], "fontcolor"),
                ] {
                    let shown = try await Tool.run(Self.program, arguments + ["--server", server.address])
                    #expect(shown.end == .exited(0) && shown.text.contains(word), "\(arguments): \(shown.errors)")
                    #expect(shown.text.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(arguments)")
                    let json = try await Tool.run(Self.program, arguments + ["--json", "--server", server.address])
                    #expect(try JSON(json.output) != .null)
                }
            }
        }

        @Test func whatGoesWrongIsSaidAndIsAnExitCode() async throws {
            try await withServer { server in
                for (arguments, words) in [
                    (["writer", "none"], "no writer none"), (["encoders", "x265"], "no encoder x265"), (["writers", "--state", "done"], "configuring open"),
                    (["writers", "--limit", "0"], "1 to 1000"), (["filters", "../version"], "no filter ../version"),
                ] {
                    let refused = try await Tool.run(Self.program, arguments + ["--server", server.address])
                    #expect(refused.end == .exited(1) && refused.text.isEmpty && refused.errors.contains(words), "\(arguments): \(refused.errors)")
                    #expect(refused.errors.hasPrefix("penstock \(arguments[0]): "))
                }
            }
            for (place, words) in [("127.0.0.1:1", "refused"), ("unix:/nowhere/at/all", "No such file"), ("http://127.0.0.1:1/", "penstock serve")] {
                let none = try await run("writers", "--server", place)
                #expect(none.end == .exited(2) && none.errors.contains("no server responds") && none.errors.contains(words), "\(none.errors)")
            }
            for (place, words) in [("https://a.example", "no TLS"), ("ftp://a", "http://HOST:PORT"), ("http://a/path", "http://HOST:PORT"), ("http://user@a:1", "HOST:PORT"), ("unix:", "no path")] {
                let wrong = try await run("writers", "--server", place)
                #expect(wrong.end == .exited(64) && wrong.errors.contains(words), "\(place): \(wrong.errors)")
                let told = try await run("writers", environment: ["PENSTOCK_SERVER": place])
                #expect(told.end == .exited(64) && told.errors.contains("PENSTOCK_SERVER") && told.errors.contains(words), "\(place): \(told.errors)")
            }
        }

        @Test func tokenComesFromAFileOrTheEnvironment() async throws {
            let folder = try TemporaryFolder()
            try Data("# readers\n\ns3cret read name=acme\nother\n".utf8).write(to: URL(fileURLWithPath: folder / "tokens"))
            try await withServer(["--token-file", folder / "tokens"]) { server in
                let without = try await run("writers", "--server", server.address)
                #expect(without.end == .exited(1) && without.errors.contains("--token-file"), "\(without.errors)")
                let file = try await run("writers", "--server", server.address, "--token-file", folder / "tokens")
                #expect(file.end == .exited(0) && file.text == "no writers\n", "\(file.errors)")
                let variable = try await run("writers", "--server", server.address, environment: ["PENSTOCK_TOKEN": "other"])
                #expect(variable.end == .exited(0), "\(variable.errors)")
                let wrong = try await run("writers", "--server", server.address, environment: ["PENSTOCK_TOKEN": "nope"])
                #expect(wrong.end == .exited(1) && !wrong.errors.contains("nope"), "\(wrong.errors)")
                let forged = try await run("writers", "--server", server.address, environment: ["PENSTOCK_TOKEN": "a\r\nX-Request-Id: b"])
                #expect(forged.end == .exited(64) && forged.errors.contains("no token has"), "\(forged.errors)")
            }
        }

        @Test func serverAtAPathIsAsked() async throws {
            let folder = try TemporaryFolder()
            let path = folder / "p.sock"
            try await withServer(["--listen", "unix:\(path)"]) { _ in
                for arguments in [["--server", "unix:\(path)"], ["--unix", path]] {
                    let list = try await Tool.run(Self.program, ["writers"] + arguments)
                    #expect(list.end == .exited(0) && list.text == "no writers\n", "\(list.errors)")
                }
            }
        }

        /// Says its port, and responds with its argument.
        private static let server = """
            import socket, sys
            s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])
            while True:
                c = s.accept()[0]; c.recv(65536); c.sendall(sys.argv[1].encode()); c.close()
            """

        /// What it lists would be nothing, or never come to an end.
        @Test(arguments: [
            ("200 OK\r\nContent-Length: 2\r\n\r\n{}", "no penstock server"), ("200 OK\r\nContent-Length: 999999999999\r\n\r\n[", "256 MiB at most"),
            ("200 OK\r\nContent-Length: 9\r\n\r\n{", "without a whole response"),
        ])
        func whatIsNoListIsNoServersOfOurs(response: String, words: String) async throws {
            let peer = try Peer("python3", ["-u", "-c", Self.server, "HTTP/1.1 " + response])
            try await eventually("a port") { peer.output.hasSuffix("\n") }
            for arguments in [["writers"], ["writer", "a"], ["muxers"], ["encoders", "opus"]] {
                let asked = try await Tool.run(Self.program, arguments + ["--server", "127.0.0.1:\(peer.output.dropLast())"])
                #expect(asked.end == .exited(2) && asked.text.isEmpty && asked.errors.contains(words), "\(arguments): \(asked.text)\(asked.errors)")
            }
            try await peer.stop()
        }

        @Test func cursorIsQuotedForAShell() async throws {
            let body = #"{"writers":[],"next_cursor":"a'; touch x #"}"#
            let peer = try Peer("python3", ["-u", "-c", Self.server, "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"])
            try await eventually("a port") { peer.output.hasSuffix("\n") }
            let list = try await run("writers", "--state", "open", "--server", "127.0.0.1:\(peer.output.dropLast())")
            let more = try #require(list.text.split(separator: "\n").first { $0.hasPrefix("more: ") }).dropFirst("more: ".count)
            let words = try await Tool.run("sh", ["-c", "set -- \(more); printf '%s\\n' \"$@\""]).text
            #expect(words == "penstock\nwriters\n--state\nopen\n--cursor\na'; touch x #\n", "\(list.text)\(words)")
            try await peer.stop()
        }

        /// A server that is none of ours sends what it likes.
        @Test func textOfAServerReachesTheTerminalHarmless() async throws {
            let problem = #"{"type":"urn:penstock:problem:x","title":"t","status":404,"detail":"a\u001b[2Jb"}"#
            for (body, code) in [(problem, Int32(1)), ("<html>", 2), ("[1]", 2)] {
                let peer = try Peer("python3", ["-u", "-c", Self.server, "HTTP/1.1 404 Not Found\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"])
                try await eventually("a port") { peer.output.hasSuffix("\n") }
                let asked = try await run("writers", "--server", "127.0.0.1:\(peer.output.dropLast())")
                #expect(asked.end == .exited(code) && !asked.errors.contains("\u{1B}"), "\(asked.errors)")
                try await peer.stop()
            }
        }
    }
}
