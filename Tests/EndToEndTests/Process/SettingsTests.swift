import Foundation
import Testing
import Yams

extension EndToEnd {
    /// What `penstock serve` is told: by options, by the environment, by a file.
    @Suite struct SettingsTests {
        private static let program = Repository.programs + "/penstock"

        private struct Printed {
            /// The lines of `penstock config --print`, without what stands behind a #.
            let lines: [String]
            let text: String
            let errors: String
            let end: ProcessEnd
        }

        private func settings(
            _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
        ) async throws -> Printed {
            let folder = try TemporaryFolder()
            var arguments = ["config", "--print"] + arguments
            if let file {
                try Data(file.utf8).write(to: URL(fileURLWithPath: folder / "p.yaml"))
                arguments += ["--config", folder / "p.yaml"]
            }
            let result = try await Tool.run(Self.program, arguments, environment: environment)
            let lines = result.text.split(separator: "\n").map { $0.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces) }
            return Printed(lines: lines, text: result.text, errors: result.errors, end: result.end)
        }

        @Test func theCommandLineWinsOverTheEnvironmentAndThatOverTheFile() async throws {
            let file = "max-writers: 1\nmax-streams: 2\nmax-channels: 3\naccess-log: true\nallow-output: udp://h:1\n"
            let environment = ["PENSTOCK_MAX_WRITERS": "10", "PENSTOCK_MAX_STREAMS": "20", "PENSTOCK_ALLOW_OUTPUT": "rtmp://a/* srt://b:9"]
            let found = try await settings(["--max-writers", "100", "--no-access-log"], file: file, environment: environment)
            for line in ["max-writers: 100", "max-streams: 20", "max-channels: 3", "max-pixels: 67108864", "access-log: false", "- \"rtmp://a/*\"", "- srt://b:9"] {
                #expect(found.lines.contains(line), "\(line) in \(found.text)")
            }
            #expect(!found.text.contains("udp://"))
            for source in [
                "max-writers: 100  # --max-writers\n", "max-streams: 20  # PENSTOCK_MAX_STREAMS\n", "max-pixels: 67108864  # default\n", "allow-output:  # PENSTOCK_ALLOW_OUTPUT\n",
            ] {
                #expect(found.text.contains(source), "\(source) in \(found.text)")
            }
            #expect(found.text.contains(/max-channels: 3  # \/.*\/p\.yaml:3\n/), "\(found.text)")
        }

        /// `--no-access-log` is an option: so a line and a variable of its name say the same.
        @Test func anOptionThatIsANegationIsANameInAFileAndTheEnvironmentToo() async throws {
            for (value, shown) in [("true", "false"), ("no", "true")] {
                let file = try await settings(file: "no-access-log: \(value)")
                #expect(file.lines.contains("access-log: \(shown)"), "\(file.text)\(file.errors)")
                let variable = try await settings(file: "access-log: \(shown == "true" ? "false" : "true")", environment: ["PENSTOCK_NO_ACCESS_LOG": value])
                #expect(variable.text.contains("access-log: \(shown)  # PENSTOCK_NO_ACCESS_LOG\n"), "\(variable.text)\(variable.errors)")
            }
            let both = try await settings(file: "access-log: true\nno-access-log: true")
            #expect(both.end == .exited(1) && both.errors.contains("p.yaml:2:1: error: no-access-log is there beside access-log; the first is in line 1"), "\(both.errors)")
            let variables = try await settings(environment: ["PENSTOCK_NO_ACCESS_LOG": "1", "PENSTOCK_ACCESS_LOG": "1"])
            #expect(variables.end == .exited(1) && variables.errors.contains("leave one"), "\(variables.errors)")
        }

        /// By the options that `--help` lists: of each, a line and a variable.
        @Test func everyOptionCanBeALineOfAFileAndAVariable() async throws {
            let help = try await Tool.run(Self.program, ["serve", "--help"]).text
            let options = Set(help.matches(of: /(?:\n {2}|\/)--([a-z-]+)(?: <([a-z:\[\]]+)>)?/).map { Found(name: String($0.1), takesValue: $0.2 != nil) })
                .filter { !["config", "version", "help"].contains($0.name) }
            #expect(options.count > 35 && options.contains(Found(name: "no-access-log", takesValue: false)))
            let values = [
                "log-format": "json", "log-level": "debug", "allow-output": "udp://h:1", "max-encoder-memory": "0", "max-output-bytes": "0", "user": "root",
                "max-json-bytes": "256", "max-head-bytes": "1024", "listen": "unix:/tmp/x.sock", "agent-port": "3", "state-dir": "3", "max-load": "0",
                "peers": "dns:nodes:8080", "output-mode": "0640", "webhook": "http://h:1", "allow-callback": "http://h:2",
            ]
            func value(_ option: Found) -> String { option.takesValue ? values[option.name] ?? "2" : "true" }
            // Its negation stands for access-log.
            let named = options.filter { $0.name != "access-log" }
            let file = try await settings(file: named.map { "\($0.name): \(value($0))\n" }.joined())
            let variables = Dictionary(uniqueKeysWithValues: named.map { ("PENSTOCK_" + $0.name.uppercased().replacingOccurrences(of: "-", with: "_"), value($0)) })
            let environment = try await settings(environment: variables)
            for found in [file, environment] {
                #expect(found.end == .exited(0), "\(found.errors)")
                for option in named {
                    let shown = option.name == "no-access-log" ? "access-log: false" : "\(option.name): \(value(option))"
                    #expect(found.lines.contains(shown), "\(option.name): \(found.text)")
                }
            }
        }

        private struct Found: Hashable {
            let name: String
            let takesValue: Bool
        }

        @Test(arguments: [
            ("max-writers: 0", 1, 14, "from 1 to 1000000"), ("\n\nmax_writers: 3", 3, 1, "max-writers is one"), ("# a\nsomething", 2, 1, "NAME: VALUE"),
            ("host: \"a", 1, 9, "scalar"), ("port: 1\nhost: h\nport: 2", 3, 1, "line 1"), ("no-auth: maybe", 1, 10, "true or false"),
            ("allow-output:\n- udp://h:1\n- x", 3, 3, "URL pattern"), ("allow-output: \"udp://h:1 udp://h:2\"", 1, 15, "a list"), ("log-level: loud", 1, 12, "warning"), ("config: x", 1, 1, "no setting config"),
            ("max-output-bytes: 1000", 1, 19, "0 or at least 1048576"), ("port: 65536", 1, 7, "65535"), ("port: +5", 1, 7, "65535"), ("host:", 1, 6, "no value"), ("host: \"\"", 1, 7, "empty"),
            ("node: a.b", 1, 7, "1 to 37 of A-Z a-z 0-9 _ -"), ("Host: h", 1, 1, "host is one"), ("max-writers: [3]", 1, 14, "a list"),
            ("max-writers: {a: 3}", 1, 14, "a mapping"), ("allow-output: {a: 3}", 1, 15, "a list of single values"), ("max-writers: ten", 1, 14, "is ten"),
            ("idle-timeout: 15m", 1, 15, " seconds"), ("max-json-bytes: 1M", 1, 17, " bytes"),
            ("warehouses: {a: b}", 1, 1, "no setting warehouses in this version"), ("stores: {a: b}", 1, 13, "a mapping of its fields"), ("listen: 8080", 1, 9, "HOST:PORT"), ("listen: ::1:80", 1, 9, "[::1]:80"),
            ("listen: unix:x", 1, 9, "absolute path"), ("listen: \"unix:/x,mode=0999\"", 1, 9, "octal"), ("listen: \"unix:/x,owner=nobody-of-that-name\"", 1, 9, "no such user"),
            ("? [a]\n: b", 1, 3, "a list"), ("- a", 1, 1, "a mapping"), ("a: &x 1", 1, 4, "anchors"),
        ])
        func aLineThatCanNotBeUsedIsNamedWithWhatWouldBeRight(file: String, line: Int, column: Int, says: String) async throws {
            let found = try await settings(file: file)
            #expect(found.end == .exited(1) && found.text.isEmpty)
            #expect(found.errors.contains("p.yaml:\(line):\(column): error: "), "\(found.errors)")
            #expect(found.errors.contains(says), "\(found.errors)")
        }

        /// A list in a file was refused.
        @Test func nodesAreAListInAFile() async throws {
            let (first, second) = ("n1=http://h:1", "n2=http://h:2")
            for file in ["node: n1\npeers:\n  - \(first)\n  - \(second)\n", "node: n1\npeers: \(first),\(second)\n"] {
                let found = try await settings(file: file)
                #expect(found.end == .exited(0) && found.text.contains(first) && found.text.contains(second), "\(found.errors)")
            }
            let twice = try await settings(file: "node: n1\npeers:\n  - \(first)\n  - n1=http://h:3\n")
            #expect(twice.end == .exited(1) && twice.errors.contains("p.yaml:4:5") && twice.errors.contains("twice"), "\(twice.errors)")
        }

        @Test func whatCanNotBeReadAsAFileOfSettingsIsRefused() async throws {
            for path in ["/nonexistent", "/dev/null", "/tmp"] {
                let found = try await settings(["--config", path])
                #expect(found.end == .exited(2) && found.errors.contains(path), "\(found.errors)")
            }
            let program = try await settings(["--config", Self.program])
            #expect(program.end != .exited(0) && program.errors.contains(Self.program), "\(program.errors)")
            let found = try await settings(environment: ["PENSTOCK_CONFIG": "/nonexistent"])
            #expect(found.end == .exited(2) && found.errors.contains("/nonexistent"), "\(found.errors)")
        }

        @Test(arguments: [
            ("PENSTOCK_MAX_WRITERS", "0", "from 1 to 1000000"), ("PENSTOCK_NO_AUTH", "maybe", "true or false"), ("PENSTOCK_PORT", "http", "65535"),
            ("PENSTOCK_MAX_LOAD", "", "empty"), ("PENSTOCK_ALLOW_OUTPUT", "x", "URL pattern"), ("PENSTOCK_LOG_FORMAT", "xml", "json"),
            ("PENSTOCK_MAX_WRITER", "3", "PENSTOCK_MAX_WRITERS is one"), ("PENSTOCK_OUPUT_DIR", "/x", "PENSTOCK_OUTPUT_DIR is one"), ("PENSTOCK_NOAUTH", "1", "PENSTOCK_NO_AUTH is one"),
        ])
        func aVariableThatCanNotBeUsedIsNamedWithWhatWouldBeRight(variable: String, value: String, says: String) async throws {
            let found = try await settings(environment: [variable: value])
            #expect(found.end == .exited(1))
            #expect(found.errors.contains("\(variable) ") && found.errors.contains(says), "\(found.errors)")
        }

        /// What Kubernetes sets in the containers of a namespace with services "penstock", "penstock-agent" and
        /// "penstock-max-load" (kubernetes.io/docs/concepts/services-networking/service, "Environment variables").
        @Test func variablesOfKubernetesServicesAreNoSettings() async throws {
            var environment: [String: String] = ["PENSTOCK_MAX_STREAMS": "3"]
            for name in ["PENSTOCK", "PENSTOCK_AGENT", "PENSTOCK_MAX_LOAD"] {
                environment.merge([
                    "\(name)_SERVICE_HOST": "10.0.0.11", "\(name)_SERVICE_PORT": "8080", "\(name)_SERVICE_PORT_HTTP": "8080", "\(name)_PORT": "tcp://10.0.0.11:8080",
                    "\(name)_PORT_8080_TCP": "tcp://10.0.0.11:8080", "\(name)_PORT_8080_TCP_PROTO": "tcp", "\(name)_PORT_8080_TCP_PORT": "8080",
                    "\(name)_PORT_8080_TCP_ADDR": "10.0.0.11", "\(name)_PORT_9_UDP": "udp://10.0.0.11:9",
                ]) { $1 }
            }
            let found = try await settings(environment: environment)
            #expect(found.end == .exited(0) && found.errors.isEmpty, "\(found.errors)")
            #expect(found.lines.contains("port: 8080") && found.lines.contains("max-streams: 3") && found.lines.contains("# agent-port:"), "\(found.text)")
            try await withServer(environment: environment) { server in
                try await server.expectWell()
                #expect(server.log.text.contains("PENSTOCK_AGENT_PORT") && !server.log.text.contains("no setting,"), "\(server.log.text)")
            }
        }

        /// The systemd unit sets it; its environment file can undo that.
        @Test func anEmptyVariableForTheTokenFileIsNone() async throws {
            let environment = ["PENSTOCK_TOKEN_FILE": ""]
            let tokens = try await settings(file: "tokens: [{token: s3cret}]\n", environment: environment)
            #expect(tokens.end == .exited(0) && tokens.text.contains("# tokens: 1"), "\(tokens.errors)")
            let file = try await settings(file: "token-file: /x\n", environment: environment)
            #expect(file.lines.contains("token-file: /x"), "\(file.text)\(file.errors)")
            #expect(try await settings(["--token-file", ""]).end == .exited(1))
        }

        @Test func aVariableOfAnotherProgramIsWarnedOf() async throws {
            try await withServer(environment: ["PENSTOCK_DASHBOARD": "x"]) { server in
                #expect(server.log.text.contains("PENSTOCK_DASHBOARD is the name of no setting"), "\(server.log.text)")
            }
        }

        @Test func serverRunsWithAFileAndNotWithAWrongOne() async throws {
            let folder = try TemporaryFolder()
            try Data("max-json-bytes: 256\nlog-format: json\n".utf8).write(to: URL(fileURLWithPath: folder / "p.yaml"))
            try await withServer(["--config", folder / "p.yaml"]) { server in
                let body = JSON.object(["metadata": ["title": .string(String(repeating: "x", count: 300))]])
                let refused = try await server.curl("POST", "/v1/writers", body: .json(body))
                #expect(refused.status == 413, "\(refused.text)")
                #expect(server.log.text.hasPrefix("{"), "\(server.log.text)")
            }
            try Data("max-json-bytes: 1\nlog-format: xml\n".utf8).write(to: URL(fileURLWithPath: folder / "p.yaml"))
            let (process, log) = try PenstockServer.launch(["serve", "--config", folder / "p.yaml"])
            #expect(try await process.ended(within: 20) == .exited(64))
            #expect(await log.ended(within: 20))
            #expect(log.text.contains("p.yaml:1:17: max-json-bytes") && log.text.contains("p.yaml:2:13: log-format"), "\(log.text)")
        }

        /// Also for another reader of YAML.
        @Test func whatIsPrintedIsAFileThatSaysTheSame() async throws {
            let strange = [
                "--output-dir", " a # b ", "--host", "#", "--state-dir", "\"x\"y #z", "--allow-output", "rtmp://*.h/*", "--allow-output", "srt://h:1", "--token-file", "a: b\\\té\u{85}", "--no-auth",
                "--listen", "unix:/tmp/a b,mode=0600",
            ]
            let first = try await settings(strange)
            #expect(first.end == .exited(0), "\(first.errors)")
            let second = try await settings(file: first.text)
            #expect(second.lines == first.lines, "\(second.errors)")
            let loaded = try #require(try Yams.load(yaml: first.text) as? [String: Any])
            #expect(loaded["output-dir"] as? String == " a # b " && loaded["host"] as? String == "#" && loaded["state-dir"] as? String == "\"x\"y #z")
            #expect(loaded["token-file"] as? String == "a: b\\\té\u{85}" && loaded["no-auth"] as? Bool == true)
            #expect(loaded["allow-output"] as? [String] == ["rtmp://*.h/*", "srt://h:1"])
        }

        @Test func aDefaultThatIsNotInForceIsNotPrintedAsASetting() async throws {
            let first = try await settings(["--listen", "unix:/tmp/x"])
            #expect(!first.lines.contains { $0.hasPrefix("host:") || $0.hasPrefix("port:") }, "\(first.text)")
            let second = try await settings(file: first.text)
            #expect(second.lines == first.lines, "\(second.text)\(second.errors)")
        }
    }
}
