import Foundation
import Testing

extension EndToEnd {
    /// `penstock check`.
    @Suite struct CheckCommandTests {
        private static let program = Repository.programs + "/penstock"

        private struct Report {
            let end: ProcessEnd
            let text: String

            /// The levels of the lines about something.
            func levels(_ topic: String) -> [String] {
                text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.filter { $0.count > 1 && $0[1] == topic }.map { $0[0] }
            }
        }

        private func check(_ folder: TemporaryFolder, _ arguments: [String], program: String = program) async throws -> Report {
            let folders = ["--output-dir", folder / "output", "--state-dir", folder / "state"]
            let result = try await Tool.run(program, ["check"] + folders + arguments)
            return Report(end: result.end, text: result.text + result.errors)
        }

        private func folders() throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            for name in ["output", "state"] { try FileManager.default.createDirectory(atPath: folder / name, withIntermediateDirectories: true) }
            return folder
        }

        @Test func machineThatIsReadyIsFoundToBe() async throws {
            let folder = try folders()
            let port = try LoopbackPort.free().number
            let report = try await check(folder, ["--port", "\(port)"])
            #expect(report.end == .exited(0), "\(report.text)")
            for topic in ["settings", "output-dir", "sandbox", "ffmpeg", "listen"] { #expect(report.levels(topic).first == "ok", "\(topic): \(report.text)") }
            #expect(report.levels("state-dir").count == 1, "\(report.text)")
            // The kernel's own words for the same.
            let type = try await Tool.run("stat", ["-f", "-c", "%T", folder / "output"]).text.trimmingCharacters(in: .whitespacesAndNewlines)
            let named = try await Tool.run("findmnt", ["-n", "-o", "FSTYPE", "-T", folder / "output"]).text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(report.text.contains("on \(named)") || report.text.contains("on \(type)"), "\(named) \(type): \(report.text)")
            let version = try await Tool.run("ffmpeg", ["-version"]).text.split(separator: " ")[2]
            #expect(report.text.contains("FFmpeg \(version)") && report.text.contains("port \(port)") == false)
            #expect(report.text.contains("127.0.0.1:\(port): free"), "\(report.text)")
        }

        @Test func runningServerIsNamedAndNotInTheWay() async throws {
            try await withServer { server in
                let report = try await check(server.folder, ["--port", "\(server.port)"])
                #expect(report.end == .exited(0) && report.text.contains("127.0.0.1:\(server.port): a penstock server runs here (ready: ok)"), "\(report.text)")
            }
        }

        /// It said ok, and serve did not start there.
        @Test func stateDirectoryOfARunningServerIsWarnedOfInTheWordsOfServe() async throws {
            try await withServer { server in
                let report = try await check(server.folder, ["--port", "0"])
                #expect(report.end == .exited(0) && report.levels("settings") == ["ok", "warning"], "\(report.text)")
                let folders = ["--output-dir", server.folder / "output", "--state-dir", server.folder / "state"]
                let serve = try await Tool.run(Self.program, ["serve", "--port", "0"] + folders)
                let words = "another penstock is running on the state directory \(server.folder / "state"): process "
                #expect(report.text.contains(words) && serve.errors.contains(words), "\(report.text)\(serve.errors)")
            }
        }

        @Test func otherProgramAtThePortIsAnError() async throws {
            let folder = try folders()
            let web = try Peer("python3", ["-u", "-c", "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); print(s.server_port); s.serve_forever()"])
            try await eventually("a port") { web.output.hasSuffix("\n") }
            let report = try await check(folder, ["--port", "\(web.output.dropLast())"])
            #expect(report.end == .exited(1) && report.levels("listen") == ["error"] && report.text.contains("no penstock server"), "\(report.text)")
            try await web.stop()
        }

        /// It never lets the port rest as long as one read waits.
        @Test func programThatRespondsByTheByteIsGivenUp() async throws {
            let folder = try folders()
            let slow = """
                import socket, time
                s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])
                while True:
                    c = s.accept()[0]
                    try:
                        c.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
                        while True: c.sendall(b" "); time.sleep(0.2)
                    except OSError: pass
                """
            let peer = try Peer("python3", ["-u", "-c", slow])
            try await eventually("a port") { peer.output.hasSuffix("\n") }
            let start = ContinuousClock.now
            let report = try await check(folder, ["--port", "\(peer.output.dropLast())"])
            #expect(report.end == .exited(1) && report.levels("listen") == ["error"], "\(report.text)")
            #expect(ContinuousClock.now - start < .seconds(40))
            try await peer.stop()
        }

        @Test func whatIsWrongIsAnErrorWithWhatToDo() async throws {
            let folder = try folders()
            try Data().write(to: URL(fileURLWithPath: folder / "file"))
            for (arguments, topic, words) in [
                (["--state-dir", folder / "file"], "settings", "no folder"), (["--max-writers", "0"], "settings", "from 1"),
                (["--host", "192.0.2.1", "--port", "8080", "--no-auth"], "listen", "this machine's"),
            ] {
                let result = try await Tool.run(Self.program, ["check", "--output-dir", folder / "output"] + (arguments[0] == "--state-dir" ? [] : ["--state-dir", folder / "state"]) + arguments)
                let report = Report(end: result.end, text: result.text)
                #expect(report.end == .exited(1) && report.levels(topic).contains("error") && report.text.contains(words), "\(arguments): \(result.text)\(result.errors)")
            }
        }

        /// A server would not start with them.
        @Test func whatNoServerCouldUseIsAnErrorAlone() async throws {
            let folder = try folders()
            try Data().write(to: URL(fileURLWithPath: folder / "file"))
            let (output, state) = (folder / "output", folder / "state")
            for (arguments, topic, words) in [
                (["--output-dir", "/proc/penstock", "--state-dir", state], "output-dir", "in /proc"),
                (["--output-dir", folder / "file", "--state-dir", state], "output-dir", "no folder"),
                (["--output-dir", output, "--state-dir", "/sys/penstock"], "state-dir", "in /sys"),
                (["--output-dir", state + "/writers", "--state-dir", state], "output-dir", "lies within state-dir"),
                (["--output-dir", output, "--state-dir", state, "--token-file", "/dev/zero"], "", "more than 8388608 bytes"),
            ] {
                let result = try await Tool.run(Self.program, ["check", "--port", "0"] + arguments)
                let report = Report(end: result.end, text: result.text)
                #expect(report.end == .exited(1) && report.levels("settings") == ["error"] && report.text.contains(words), "\(arguments): \(result.text)\(result.errors)")
                #expect(report.levels(topic).isEmpty, "\(arguments): \(result.text)")
            }
        }

        @Test func folderThatIsNotThereIsNotMade() async throws {
            let folder = try folders()
            let before = try FileManager.default.contentsOfDirectory(atPath: folder / "state")
            let result = try await Tool.run(Self.program, ["check", "--port", "0", "--output-dir", folder / "output", "--state-dir", folder / "new/state"])
            #expect(result.end == .exited(0) && result.text.contains("the server makes it"), "\(result.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder / "state") == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder / "output").isEmpty)
            #expect(!FileManager.default.fileExists(atPath: folder / "new"))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder / ".")
            #expect(Set(names) == ["output", "state"], "\(names)")
        }

        /// A copy of the program alone, and one beside an encoder that does not start.
        @Test func encoderThatIsMissingOrDoesNotStartIsAnError() async throws {
            let folder = try folders()
            try FileManager.default.createDirectory(atPath: folder / "bin", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Self.program, toPath: folder / "bin/penstock")
            let alone = try await check(folder, ["--port", "0"], program: folder / "bin/penstock")
            #expect(alone.end == .exited(1) && alone.levels("ffmpeg") == ["error"] && alone.text.contains("missing"), "\(alone.text)")
            let script = "#!/bin/sh\necho error while loading shared libraries: libavcodec.so.1 >&2\nexit 127\n"
            try Data(script.utf8).write(to: URL(fileURLWithPath: folder / "bin/penstock-encoder"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder / "bin/penstock-encoder")
            let broken = try await check(folder, ["--port", "0"], program: folder / "bin/penstock")
            #expect(broken.end == .exited(1) && broken.text.contains("libavcodec.so.1") && broken.text.contains("ldd"), "\(broken.text)")
        }
    }
}
