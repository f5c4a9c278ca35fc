import Foundation
import Testing

extension EndToEnd {
    /// What `penstock serve` is told: by options, by the environment, by a file.
    @Suite struct SettingsTests {
        private static let program = Repository.programs + "/penstock"

        /// The lines of `penstock settings`, without what stands behind a #.
        private func settings(
            _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
        ) async throws -> (lines: [String], text: String, errors: String, end: ProcessEnd) {
            let folder = try TemporaryFolder()
            var arguments = ["settings"] + arguments
            if let file {
                try Data(file.utf8).write(to: URL(fileURLWithPath: folder / "p.conf"))
                arguments += ["--config", folder / "p.conf"]
            }
            let result = try await Tool.run(Self.program, arguments, environment: environment)
            let lines = result.text.split(separator: "\n").map { $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces) }
            return (lines, result.text, result.errors, result.end)
        }

        @Test func theCommandLineWinsOverTheEnvironmentAndThatOverTheFile() async throws {
            let file = "max-writers = 1\nmax-streams = 2\nmax-channels = 3\naccess-log = true\nallow-output = udp://h:1\n"
            let environment = ["PENSTOCK_MAX_WRITERS": "10", "PENSTOCK_MAX_STREAMS": "20", "PENSTOCK_ALLOW_OUTPUT": "rtmp://a/* srt://b:9"]
            let found = try await settings(["--max-writers", "100", "--no-access-log"], file: file, environment: environment)
            for line in ["max-writers = 100", "max-streams = 20", "max-channels = 3", "max-pixels = 67108864", "access-log = false", "allow-output = rtmp://a/*", "allow-output = srt://b:9"] {
                #expect(found.lines.contains(line), "\(line) in \(found.text)")
            }
            #expect(!found.text.contains("udp://"))
            for source in ["max-writers = 100  # the command line\n", "max-streams = 20  # PENSTOCK_MAX_STREAMS\n", "p.conf, line 3\n"] {
                #expect(found.text.contains(source), "\(source) in \(found.text)")
            }
        }

        /// `--no-access-log` is an option: so a line and a variable of its name say the same.
        @Test func anOptionThatIsANegationIsANameInAFileAndTheEnvironmentToo() async throws {
            for (value, shown) in [("true", "false"), ("no", "true")] {
                let file = try await settings(file: "no-access-log = \(value)")
                #expect(file.lines.contains("access-log = \(shown)"), "\(file.text)\(file.errors)")
                let variable = try await settings(file: "access-log = \(shown == "true" ? "false" : "true")", environment: ["PENSTOCK_NO_ACCESS_LOG": value])
                #expect(variable.text.contains("access-log = \(shown)  # PENSTOCK_NO_ACCESS_LOG\n"), "\(variable.text)\(variable.errors)")
            }
            let both = try await settings(file: "access-log = true\nno-access-log = true")
            #expect(both.end == .exited(64) && both.errors.contains("line 2: no-access-log is there beside access-log; the first is in line 1"), "\(both.errors)")
            let variables = try await settings(environment: ["PENSTOCK_NO_ACCESS_LOG": "1", "PENSTOCK_ACCESS_LOG": "1"])
            #expect(variables.end == .exited(64) && variables.errors.contains("leave one"), "\(variables.errors)")
            let strange = try await settings(file: "no-access-log = maybe")
            #expect(strange.end == .exited(64) && strange.errors.contains("line 1: no-access-log is maybe and must be true or false"), "\(strange.errors)")
        }

        /// By the options that `--help` lists: of each, a line and a variable.
        @Test func everyOptionCanBeALineOfAFileAndAVariable() async throws {
            let help = try await Tool.run(Self.program, ["serve", "--help"]).text
            let options = Set(help.matches(of: /(?:\n {2}|\/)--([a-z-]+)(?: <([a-z:\[\]]+)>)?/).map { Found(name: String($0.1), takesValue: $0.2 != nil) })
            #expect(options.count > 35 && options.contains(Found(name: "no-access-log", takesValue: false)))
            let values = [
                "log-format": "json", "log-level": "debug", "allow-output": "udp://h:1", "max-encoder-memory": "0", "max-output-bytes": "0", "user": "root",
                "max-json-bytes": "256", "max-head-bytes": "1024", "peers": "dns:nodes:8080",
            ]
            for option in options where !["config", "version", "help"].contains(option.name) {
                let value = option.takesValue ? values[option.name] ?? "2" : "true"
                let variable = "PENSTOCK_" + option.name.uppercased().replacingOccurrences(of: "-", with: "_")
                for found in [try await settings(file: "\(option.name) = \(value)"), try await settings(environment: [variable: value])] {
                    #expect(found.end == .exited(0), "\(option.name): \(found.errors)")
                    let shown = option.name == "no-access-log" ? "access-log = false" : "\(option.name) = \(value)"
                    #expect(found.lines.contains(shown), "\(option.name): \(found.text)")
                }
            }
        }

        private struct Found: Hashable {
            let name: String
            let takesValue: Bool
        }

        @Test func aFileIsReadWithItsCommentsBlanksAndQuotationMarks() async throws {
            let file = "\u{FEFF}# first\r\n\r\n  host\t=  ::1 \t# loopback\r\noutput-dir = \" a # b \"\nallow-output = rtmp://h/#x\nallow-output=srt://h:1\n#port = 1\nno-auth = yes"
            let found = try await settings(file: file)
            #expect(found.text.contains("host = ::1  #") && found.text.contains("output-dir = \" a # b \"  #"), "\(found.text)")
            #expect(found.text.contains("allow-output = rtmp://h/#x  #") && found.text.contains("allow-output = srt://h:1  #"), "\(found.text)")
            #expect(found.lines.contains("port = 8080") && found.lines.contains("no-auth = yes"), "\(found.text)")
        }

        @Test(arguments: [
            ("max-writers = 0", 1, "from 1 to 1000000"), ("\n\nmax_writers = 3", 3, "max-writers"), ("# a\nsomething", 2, "NAME = VALUE"),
            ("host = \"a", 1, "quotation mark"), ("port = 1\nhost = h\nport = 2", 3, "line 1"), ("no-auth = maybe", 1, "true or false"),
            ("allow-output = udp://h:1\nallow-output = x", 2, "URL pattern"), ("log-level = loud", 1, "warning"), ("config = x", 1, "host"),
            ("max-output-bytes = 1000", 1, "0 or at least 1048576"), ("port = 65536", 1, "65535"), ("host =", 1, "empty"),
            ("node = a.b", 1, "1 to 37 of A-Z a-z 0-9 _ -"), ("node =", 1, "empty"), ("agent-port = 65536", 1, "from 0 to 65535"),
            ("--max-writers = 3", 1, "max-writers"), ("Host = h", 1, "host"), ("max-writers 3", 1, "NAME = VALUE"),
        ])
        func aLineThatCanNotBeUsedIsNamedWithWhatWouldBeRight(file: String, line: Int, says: String) async throws {
            let found = try await settings(file: file)
            #expect(found.end == .exited(64) && found.text.isEmpty)
            #expect(found.errors.contains("p.conf, line \(line): "), "\(found.errors)")
            #expect(found.errors.contains(says), "\(found.errors)")
        }

        @Test func whatCanNotBeReadAsAFileOfSettingsIsRefused() async throws {
            for path in ["/nonexistent", "/dev/null", "/tmp", Self.program] {
                let found = try await settings(["--config", path])
                #expect(found.end == .exited(64) && found.errors.contains(path), "\(found.errors)")
            }
            let found = try await settings(environment: ["PENSTOCK_CONFIG": "/nonexistent"])
            #expect(found.end == .exited(64) && found.errors.contains("/nonexistent"), "\(found.errors)")
        }

        @Test(arguments: [
            ("PENSTOCK_MAX_WRITERS", "0", "from 1 to 1000000"), ("PENSTOCK_NO_AUTH", "maybe", "true or false"), ("PENSTOCK_PORT", "http", "65535"),
            ("PENSTOCK_MAX_LOAD", "", "empty"), ("PENSTOCK_ALLOW_OUTPUT", "x", "URL pattern"), ("PENSTOCK_LOG_FORMAT", "xml", "json"),
        ])
        func aVariableThatCanNotBeUsedIsNamedWithWhatWouldBeRight(variable: String, value: String, says: String) async throws {
            let found = try await settings(environment: [variable: value])
            #expect(found.end == .exited(64))
            #expect(found.errors.contains("\(variable) ") && found.errors.contains(says), "\(found.errors)")
        }

        @Test func serverRunsWithAFile() async throws {
            let folder = try TemporaryFolder()
            try Data("max-json-bytes = 256\nlog-format = json\n".utf8).write(to: URL(fileURLWithPath: folder / "p.conf"))
            try await withServer(["--config", folder / "p.conf"]) { server in
                let body = JSON.object(["metadata": ["title": .string(String(repeating: "x", count: 300))]])
                let refused = try await server.curl("POST", "/v1/writers", body: .json(body))
                #expect(refused.status == 413, "\(refused.text)")
                #expect(server.log.text.hasPrefix("{"), "\(server.log.text)")
            }
        }

        @Test func theExampleAndWhatIsPrintedAreFilesOfSettings() async throws {
            let example = try await settings(["--config", Repository.root + "/deploy/penstock.conf"])
            #expect(example.end == .exited(0), "\(example.errors)")
            #expect(example.lines.contains("max-writers = 200"))
            let again = try await settings(file: example.text)
            #expect(again.end == .exited(0), "\(again.errors)")
            #expect(again.lines == example.lines)
            let strange = ["--output-dir", " a # b ", "--host", "#", "--state-dir", "\"x"]
            let first = try await settings(strange)
            let second = try await settings(file: first.text)
            let values = { (text: String) in text.split(separator: "\n").map { $0.components(separatedBy: "  # ")[0] } }
            #expect(values(second.text) == values(first.text) && second.text.contains("host = \"#\""), "\(first.text)\(second.text)\(second.errors)")
        }

        @Test func readmeHasTheTableOfSettingsAsTheProgramPrintsIt() async throws {
            let readme = try String(contentsOfFile: Repository.root + "/README.md", encoding: .utf8)
            let table = try await settings(["--markdown"]).text
            #expect(table.contains("| `--max-writers` |"))
            #expect(readme.contains(table), "put the output of `penstock settings --markdown` into README.md")
        }

        @Test func helpHasEveryOptionOfTheTable() async throws {
            let help = try await Tool.run(Self.program, ["serve", "--help"]).text
            for line in try await settings(["--markdown"]).text.split(separator: "\n").dropFirst(2) {
                let option = try #require(line.firstMatch(of: /`(--[a-z-]+)`/)).1
                #expect(help.contains("  \(option) ") || help.contains("  \(option)/"), "\(option)")
            }
        }
    }
}
