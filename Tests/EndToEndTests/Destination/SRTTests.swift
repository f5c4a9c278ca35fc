import Foundation
import Testing

extension EndToEnd {
    /// Pass phrases of SRT, with ffmpeg as the listener.
    @Suite struct SRTTests {
        private static let passphrase = "correct-horse-battery"

        private func withListener(_ passphrase: String?, _ body: (PenstockServer, Int, TemporaryFolder) async throws -> Void) async throws {
            let (port, folder) = (try LoopbackPort.free(.udp), try TemporaryFolder())
            let query = "mode=listener" + (passphrase.map { "&passphrase=\($0)" } ?? "")
            let listener = try Peer.ffmpeg(["-i", "srt://127.0.0.1:\(port.number)?\(query)", "-c", "copy", folder / "got.ts"])
            try await port.isTaken()
            try await withServer(["--allow-output", "srt://127.0.0.1:*"]) { server in try await body(server, port.number, folder) }
            try await listener.stop(with: SIGKILL)
        }

        private func writer(_ query: String, at port: Int, passphrase: String? = nil) -> JSON {
            ["dst": .string("srt://127.0.0.1:\(port)\(query)"), "streams": [Pictures.stream()], "open": ["option": passphrase.map { ["passphrase": .string($0)] } ?? [:]]]
        }

        @Test func wrongPassphraseIsSaidToBeThatAndTheRightOnePublishes() async throws {
            let pictures = Pictures(20)
            try await withListener(Self.passphrase) { server, port, folder in
                for (body, text, parameter) in [
                    (writer("", at: port, passphrase: "wrong-horse-battery"), "refused the passphrase", "option.passphrase"),
                    (writer("?passphrase=wrong-horse-battery", at: port), "refused the passphrase", "dst"),
                    (writer("", at: port), "has a passphrase, and was given none", "dst"),
                ] as [(JSON, String, String)] {
                    let refused = try await server.curl("POST", "/v1/writers", body: .json(body))
                    #expect(refused.status == 502 && refused.problem == "destination-failed", "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains(text) == true && refused.json["parameter"].string == parameter, "\(refused.text)")
                    #expect(!refused.text.contains("wrong-horse"), "\(refused.text)")
                }
                let id = try await server.createWriter(writer("", at: port, passphrase: Self.passphrase))
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                #expect(try await server.finalize(id)["state"] == "closed")
                try await eventually("what was published") { await Pictures.decodedSoFar(folder / "got.ts") == pictures.frames }
                #expect(!server.log.text.contains("SRT.cn") && !server.log.text.contains("horse"), "\(server.log.text)")
            }
        }

        @Test func peerWithoutAPassphraseThatIsGivenOneIsSaidToBeThat() async throws {
            try await withListener(nil) { server, port, _ in
                let refused = try await server.curl("POST", "/v1/writers", body: .json(writer("", at: port, passphrase: Self.passphrase)))
                #expect(refused.status == 502 && refused.text.contains("has no passphrase, and was given one"), "\(refused.text)")
            }
        }

        /// Whether it is opened at once, later, or beside others.
        @Test func shortPassphraseIsRefusedBeforeAnythingIsOpened() async throws {
            let trap = try TrapPort(.udp)
            try await withServer(["--allow-output", "srt://127.0.0.1:*"]) { server in
                let url = "srt://127.0.0.1:\(trap.port)"
                let file: JSON = ["name": "record", "dst": "a.mp4"]
                let live: JSON = ["name": "live", "dst": .string(url), "option": ["passphrase": "short"], "on_failure": "continue"]
                for (body, pointer) in [
                    (writer("", at: trap.port, passphrase: "short"), "/open/option/passphrase"),
                    (writer("?passphrase=short", at: trap.port), "/dst"),
                    (["outputs": [file, live], "streams": [Pictures.stream()]], "/outputs/1/option/passphrase"),
                ] as [(JSON, String)] {
                    let refused = try await server.curl("POST", "/v1/writers", body: .json(body))
                    #expect(refused.status == 422 && refused.problem == "invalid-parameter" && refused.text.contains("10 to 79"), "\(refused.text)")
                    #expect(refused.json["pointer"].string == pointer, "\(refused.text)")
                }
                let id = try await server.createWriter(["dst": .string(url), "streams": [Pictures.stream()]])
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["passphrase": "short"]]))
                #expect(opened.status == 422 && opened.json["parameter"] == "option.passphrase", "\(opened.text)")
                #expect(try await server.writer(id)["state"] == "configuring")
                #expect(trap.visits() == 0)
            }
        }
    }
}
