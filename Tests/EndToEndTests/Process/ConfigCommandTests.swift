import Foundation
import Testing
import Yams

extension EndToEnd {
    /// `penstock config`, and the files of the repository that it is held against.
    @Suite struct ConfigCommandTests {
        private static let program = Repository.programs + "/penstock"

        private func check(_ file: String, _ arguments: [String] = [], mode: Int = 0o600) async throws -> (lines: [String], end: ProcessEnd) {
            let folder = try TemporaryFolder()
            for name in ["there", "state"] { try FileManager.default.createDirectory(atPath: folder / name, withIntermediateDirectories: true) }
            try FileManager.default.createSymbolicLink(atPath: folder / "link", withDestinationPath: "there")
            let places = [("FOLDER", "there"), ("STATE", "state"), ("LINK", "link")]
            try places.reduce(file) { $0.replacingOccurrences(of: $1.0, with: folder / $1.1) }.write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder / "p.yaml")
            let result = try await Tool.run(Self.program, ["config", "--check", folder / "p.yaml"] + arguments)
            let lines = result.text.split(separator: "\n").map { $0.replacingOccurrences(of: folder / "p.yaml", with: "p.yaml") }
            return (lines, result.end)
        }

        /// Folders that are there, and a port that is free, so that nothing is to be said of them.
        private static let folders = "output-dir: FOLDER\nstate-dir: STATE\nport: 0\n"

        @Test func aRightFileIsSilentlyRight() async throws {
            let found = try await check(Self.folders + "tokens:\n- {token: s3cret, name: acme, allow-output: []}\n- token: t2\n")
            #expect(found.end == .exited(0) && found.lines.isEmpty, "\(found.lines)")
        }

        @Test func allMistakesAreNamedNotTheFirstAlone() async throws {
            let found = try await check("""
                max-writers: 0
                max_streams: 3
                port: [1]
                port: 2
                warehouses: {}
                log-level: loud
                tokens:
                - name: acme
                - {token: s3cret, scope: root, extra: 1}
                - s3cret
                """)
            #expect(found.end == .exited(1))
            let places = found.lines.map { $0.prefix { $0 != " " } }
            #expect(places == ["p.yaml:1:14:", "p.yaml:2:1:", "p.yaml:3:7:", "p.yaml:4:1:", "p.yaml:5:1:", "p.yaml:6:12:", "p.yaml:8:3:", "p.yaml:9:26:", "p.yaml:9:32:", "p.yaml:10:3:"], "\(found.lines)")
            #expect(!found.lines.joined().contains("s3cret"))
        }

        @Test func everyTabThatIndentsIsNamed() async throws {
            let found = try await check("tokens:\n\t- token: a\n# fine\t\n  \tx: 1\n")
            #expect(found.end == .exited(1))
            #expect(found.lines.map { $0.prefix { $0 != " " } } == ["p.yaml:2:1:", "p.yaml:4:3:"], "\(found.lines)")
        }

        @Test func theOldFormIsToldWhatToWrite() async throws {
            let found = try await check("# settings\nhost = ::1\ntokens = s3cret\ns-cret=\"s3cret\"\nmax-writers=20\n")
            #expect(found.end == .exited(1))
            #expect(found.lines == [
                "p.yaml:2:1: error: NAME = VALUE is no YAML: write host: VALUE", "p.yaml:3:1: error: NAME = VALUE is no YAML: write tokens: VALUE",
                "p.yaml:4:1: error: NAME = VALUE is no YAML: write NAME: VALUE", "p.yaml:5:1: error: NAME = VALUE is no YAML: write max-writers: VALUE",
            ], "\(found.lines)")
        }

        @Test(arguments: [
            ("host: 0.0.0.0\n", "error", "no tokens"), ("host: 0x0\n", "error", "no tokens"), ("host: 192.0.2.1\nno-auth: true\n", "error", "no server can listen"), ("host: \"*\"\n", "error", "no tokens"), ("listen: [\"192.0.2.1:0\"]\nno-auth: true\n", "error", "no server can listen"), ("listen: [\"unix:/dev/null\"]\n", "error", "is no socket"),
            ("tokens: [{token: a}]\ntoken-file: /dev/null\n", "error", "leave one"), ("token-file: /nonexistent\n", "error", "No such file"),
            ("token-file: FOLDER\n", "error", "a folder"), ("state-dir: FOLDER\n", "error", "a folder of its own"), ("state-dir: LINK\n", "error", "a folder of its own"), ("state-dir: LINK/new/er\n", "error", "which lies within output-dir"),
            ("tokens: [{token: a}]\nno-auth: true\n", "warning", "no-auth"),
            ("listen: [\"unix:/nonexistent/x\"]\n", "error", "no folder /nonexistent"), ("listen: [\"a:1\", \"a:1\"]\n", "error", "already"),
            ("tokens: [{token: a, name: x, folder: f}, {token: b, name: y, folder: f/g}]\n", "error", "within each other"), ("tokens: [{token: a}, {token: a, scope: read}]\n", "error", "allows something else"),
            ("tokens: [{token: \"a b\"}]\n", "error", "visible characters"), ("tokens: {}\n", "error", "a list"), ("tokens: []\n", "error", "empty"),
        ])
        func settingsThatContradictAndWhatIsMissingAreNamed(file: String, severity: String, says: String) async throws {
            let state = file.contains("state-dir") ? "output-dir: FOLDER\nport: 0\n" : Self.folders
            let found = try await check(state + file)
            #expect(found.end == .exited(severity == "error" ? 1 : 0), "\(found.lines)")
            #expect(found.lines.contains { $0.contains(" \(severity): ") && $0.contains(says) }, "\(found.lines)")
        }

        /// Clients would name files among the records.
        @Test(arguments: ["FOLDER/writers", "LINK/new/../writers", "LINK/./a/b"])
        func outputsBelowTheStateDirectoryAreRefused(output: String) async throws {
            let found = try await check("state-dir: FOLDER\nport: 0\noutput-dir: \(output)\n")
            #expect(found.end == .exited(1) && found.lines.count == 1, "\(found.lines)")
            #expect(found.lines[0].hasPrefix("p.yaml:3:1: error: output-dir is ") && found.lines[0].contains("which lies within state-dir"), "\(found.lines)")
        }

        @Test(arguments: [("port: none\n", "nowhere"), ("port: 80\nagent-port: 80\n", "both 80")])
        func portsThatContradictAreNamed(file: String, says: String) async throws {
            let found = try await check(file)
            #expect(found.end == .exited(1) && found.lines.count == 1 && found.lines[0].contains(says), "\(found.lines)")
        }

        /// The server takes it, and the check did not.
        @Test func aHostIsWhatTheResolverTakesItFor() async throws {
            let decimal = try await check(Self.folders + "host: \"2130706433\"\n")
            #expect(decimal.end == .exited(0) && decimal.lines.isEmpty, "\(decimal.lines)")
            let none = try await check(Self.folders + "host: no.such.host.invalid\n")
            #expect(none.end == .exited(1) && none.lines.count == 1 && none.lines[0].contains("host is no.such.host.invalid, where no server can listen"), "\(none.lines)")
        }

        /// The configuration of a running server is right, though another could not start with it.
        @Test func placesWhereAServerListensAreWarnedOf() async throws {
            let folder = try TemporaryFolder()
            let (socket, port) = (try TrapPort(.unix(path: folder / "s")), try TrapPort(.tcp))
            let found = try await check("output-dir: FOLDER\nstate-dir: STATE\nlisten: [\"unix:\(folder / "s")\"]\nport: \(port.port)\n")
            #expect(found.end == .exited(0) && found.lines.count == 2, "\(found.lines)")
            #expect(found.lines.allSatisfy { $0.contains("warning: ") && $0.contains("listens now") }, "\(found.lines)")
            #expect(found.lines.contains { $0.contains("host is 127.0.0.1, where a server listens now on port \(port.port); ") }, "\(found.lines)")
            withExtendedLifetime((socket, port)) {}
        }

        @Test func passwordsAndQueriesOfPatternsAreNotPrinted() async throws {
            let folder = try TemporaryFolder()
            try """
                allow-output:
                - rtmp://user:s3cret@live.example.com/app/*
                - "https://live.example.com/*?key=s3cret"
                - rtmp://user:s3/cret@live.example.com/app
                - srt://*.example.com:9000
                """.write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            let result = try await Tool.run(Self.program, ["config", "--print", folder / "p.yaml"])
            let said = (result.text + result.errors).replacing("webhook-secret-file", with: "")
            #expect(result.end == .exited(0) && !said.contains(/s3|cret/), "\(result.text)")
            for shown in ["rtmp://***@live.example.com/app/*", "https://live.example.com/*?***", "srt://*.example.com:9000", "*** stands for what is not printed"] {
                #expect(result.text.contains(shown), "\(shown)\n\(result.text)")
            }
            let refused = try await Tool.run(Self.program, ["config", "--check"], environment: ["PENSTOCK_ALLOW_OUTPUT": "gopher://user:s3cret@h/x"])
            #expect(refused.end == .exited(1) && refused.text.contains("gopher") && !refused.text.contains("s3cret"), "\(refused.text)")
        }

        /// A log had lines of as many bytes.
        @Test func aLongValueIsShortenedWhereItIsWrong() async throws {
            let result = try await Tool.run(Self.program, ["config", "--check"], environment: ["PENSTOCK_MAX_WRITERS": String(repeating: "9", count: 100_000)])
            #expect(result.end == .exited(1) && result.text.utf8.count < 2_000, "\(result.text.prefix(3_000))")
            #expect(result.text.contains("PENSTOCK_MAX_WRITERS is 999") && result.text.contains("must be from 1 to"), "\(result.text)")
        }

        @Test func foldersThatAreNotThereAreNamed() async throws {
            let found = try await check("output-dir: /dev/null/x\nstate-dir: FOLDER/new/er\n", ["--port", "0"])
            #expect(found.end == .exited(1) && found.lines.count == 2, "\(found.lines)")
            #expect(found.lines[0].hasPrefix("p.yaml:1:1: error: ") && found.lines[0].contains("/dev/null is no folder"), "\(found.lines)")
            #expect(found.lines[1].hasPrefix("p.yaml:2:1: warning: ") && found.lines[1].contains("the server makes it"), "\(found.lines)")
        }

        @Test func tokensInAFileThatAllCanReadAreWarnedOf() async throws {
            let found = try await check(Self.folders + "tokens: [{token: s3cret}]\n", mode: 0o644)
            #expect(found.end == .exited(0) && found.lines.count == 1 && found.lines[0].contains("chmod 640"), "\(found.lines)")
        }

        @Test(arguments: [(0o644, 1), (0o640, 0)])
        func tokenFileThatAllCanReadIsWarnedOf(mode: Int, warnings: Int) async throws {
            let folder = try TemporaryFolder()
            try Data("s3cret\n".utf8).write(to: URL(fileURLWithPath: folder / "tokens"))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder / "tokens")
            let found = try await check(Self.folders + "token-file: \(folder / "tokens")\n")
            #expect(found.end == .exited(0) && found.lines.count == warnings && found.lines.allSatisfy { $0.contains("p.yaml:4:1: warning: ") && $0.contains("chmod 640") }, "\(found.lines)")
        }

        /// It came to light when the other mistakes were mended.
        @Test func unusableTokenFileIsNamedBesideOtherMistakes() async throws {
            let found = try await check(Self.folders + "max-writers: 0\ntoken-file: /nonexistent\n")
            #expect(found.end == .exited(1) && found.lines.count == 2, "\(found.lines)")
            #expect(found.lines[0].contains("from 1") && found.lines[1].contains("p.yaml:5:1: error: token-file can't be used"), "\(found.lines)")
        }

        @Test func aFileThatCanNotBeReadIsAnotherExitCode() async throws {
            let result = try await Tool.run(Self.program, ["config", "--check", "/nonexistent.yaml"])
            #expect(result.end == .exited(2) && result.text.contains("/nonexistent.yaml: error: "), "\(result.text)")
            let unclear = try await Tool.run(Self.program, ["config"])
            #expect(unclear.end == .exited(64))
        }

        @Test func tokensAreNotPrinted() async throws {
            let folder = try TemporaryFolder()
            try "tokens:\n- {token: s3cret, name: acme}\n- token: s3cret-too\n".write(toFile: folder / "p.yaml", atomically: true, encoding: .utf8)
            let result = try await Tool.run(Self.program, ["config", "--print", folder / "p.yaml"])
            #expect(result.end == .exited(0) && result.text.contains("# tokens: 2, of acme"), "\(result.text)")
            #expect(!result.text.contains("s3cret") && !result.errors.contains("s3cret"))
        }

        @Test func exampleIsRightAndHasEverySetting() async throws {
            let path = Repository.root + "/deploy/penstock.yaml"
            // Whether this user could make them is not the example's.
            let folder = try TemporaryFolder()
            let folders = ["--output-dir", folder / "output", "--state-dir", folder / "state"]
            let result = try await Tool.run(Self.program, ["config", "--check", path] + folders)
            #expect(result.end == .exited(0), "\(result.text)")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for name in try await settingNames() + ["tokens", "stores"] {
                #expect(text.contains(try Regex("(?m)^(# )?\(name):")), "\(name)")
            }
            // With what stands behind a #, but what contradicts it and what needs this machine.
            let all = text.replacing(/(?m)^# (?= *[a-z-]+:|  )/, with: "").split(separator: "\n", omittingEmptySubsequences: false)
                .filter { line in !["token-file:", "ca-file:", "user:", "max-load:", "listen:", "  - unix:", "  - \"[::1]"].contains { line.hasPrefix($0) } }
                .filter { !$0.hasPrefix("  penstock config") && !$0.hasPrefix("  systemctl") }
            let secrets = folder / "secrets"
            try WebhookReceiver.secrets[0].write(toFile: secrets, atomically: true, encoding: .utf8)
            let here = all.joined(separator: "\n").replacing("/etc/penstock/webhook-secrets", with: secrets)
            let found = try await check(here, folders)
            #expect(!found.lines.contains { $0.contains("error") }, "\(found.lines)")
            let fields = try #require((try Yams.load(yaml: all.joined(separator: "\n")) as? [String: Any])?["tokens"] as? [[String: Any]])
            #expect(Set(fields.flatMap(\.keys)) == ["token", "name", "scope", "folder", "max-writers", "max-output-bytes", "allow-output", "allow-store", "allow-callback"])
        }

        private func settingNames() async throws -> [String] {
            let table = try await Tool.run(Self.program, ["config", "--markdown"]).text
            let names = table.matches(of: /(?m)^\| `--([a-z-]+)`/).map { String($0.1) }
            #expect(names.count > 35)
            return names
        }

        @Test func optionsPageHasTheTableAsTheProgramPrintsIt() async throws {
            let page = try String(contentsOfFile: Repository.root + "/docs/reference/options.md", encoding: .utf8)
            let table = try await Tool.run(Self.program, ["config", "--markdown"]).text
            #expect(table.contains("| `--max-writers` |"))
            #expect(page.contains(table), "put the output of `penstock config --markdown` into docs/reference/options.md")
        }

        @Test func helpHasEveryOptionOfTheTable() async throws {
            let help = try await Tool.run(Self.program, ["serve", "--help"]).text
            for name in try await settingNames() {
                #expect(help.contains("  --\(name) ") || help.contains("  --\(name)/"), "\(name)")
            }
        }
    }
}
