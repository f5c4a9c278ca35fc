import Foundation
import Testing

extension EndToEnd {
    /// What is wrong with the settings of webhooks is said before a server runs, by each that looks at them.
    @Suite struct WebhookSettingTests {
        private static let program = Repository.programs + "/penstock"
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func secrets(_ text: String, mode: Int = 0o600) throws -> String {
            let path = folder / "secrets"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return path
        }

        private var places: [String] { ["--output-dir", folder / "o", "--state-dir", folder / "s", "--port", "0"] }

        /// What `config --check` prints.
        private func check(_ options: [String]) async throws -> (text: String, end: ProcessEnd) {
            let result = try await Tool.run(Self.program, ["config", "--check"] + places + options)
            return (result.text, result.end)
        }

        @Test func whatCanNotBeSignedOrSentToIsAnError() async throws {
            let wrong = [
                (["--webhook", "https://a.example.com/"], "webhook needs webhook-secret-file"),
                (["--allow-callback", "https://*"], "allow-callback needs webhook-secret-file"),
                (["--webhook-secret-file", folder / "missing"], "No such file"),
                (["--webhook-secret-file", try secrets("whsec_short\n")], "line 1: a secret is whsec_"),
            ]
            for (options, words) in wrong {
                let found = try await check(options)
                #expect(found.end == .exited(1) && found.text.contains(words), "\(options): \(found.text)")
                let (process, log) = try PenstockServer.launch(["serve"] + places + options)
                #expect(try await process.ended(within: 20) != .exited(0))
                #expect(await log.ended(within: 20) && log.text.contains(words), "\(log.text)")
            }
            let invalid = try await check(["--webhook", "ftp://user:hidden@a/", "--webhook-retry-time", "0", "--allow-callback", "x"])
            for words in ["webhook is", "webhook-retry-time", "allow-callback"] { #expect(invalid.text.contains(words), "\(invalid.text)") }
            #expect(invalid.end == .exited(1) && !invalid.text.contains("hidden"))
        }

        @Test func aFileThatEveryoneReadsIsWarnedOfAndURLsAreShownWithoutKeys() async throws {
            let path = try secrets(WebhookReceiver.secrets[0], mode: 0o644)
            let options = ["--webhook-secret-file", path, "--webhook", "https://user:hidden@a.example.com/x?key=hidden"]
            let found = try await check(options)
            #expect(found.end == .exited(0) && found.text.contains("every user can read"), "\(found.text)")
            let checked = try await Tool.run(Self.program, ["check"] + places + options)
            #expect(checked.text.contains("every user can read"))
            let printed = try await Tool.run(Self.program, ["config", "--print"] + places + options)
            #expect(printed.text.contains(#"webhook: "https://***@a.example.com/x?***""#), "\(printed.text)")
            #expect(!(printed.text + checked.text + found.text).contains("hidden"))
        }
    }
}
