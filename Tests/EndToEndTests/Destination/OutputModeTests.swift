import Foundation
import Testing

extension EndToEnd {
    /// Who may read what writers make.
    @Suite struct OutputModeTests {
        private func mode(_ path: String) throws -> String {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return String(try #require(attributes[.posixPermissions] as? Int), radix: 8)
        }

        /// Made by the server, by libav's own opens (playlists, segments), and by a rename.
        @Test(arguments: [("0640", "640", "750"), ("0600", "600", "700"), ("0660", "660", "770"), ("0644", "644", "755")])
        func filesHaveItAndFoldersLetTheirReadersIn(option: String, file: String, folder: String) async throws {
            try await withServer(["--output-mode", option]) { server in
                let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "gray", "encoder": "mpeg4", "encoder_format": "yuv420p"]
                for description in [
                    ["dst": "a/b/x.wav", "streams": [Tenants.audio]], ["dst": "hls/live.m3u8", "streams": [video]],
                    ["format": "wav", "streams": [Tenants.audio]],
                ] as [JSON] {
                    let id = try await server.createWriter(description.merging(["open": true]))
                    try await server.sendChunk(Data(count: 64 * 48 * 2), to: id, stream: 0)
                    try await server.finalize(id)
                    if description["format"] == "wav" { #expect(try mode(server.folder / "state/writers/\(id)/output.wav") == file) }
                }
                for name in ["a", "a/b", "hls"] { #expect(try mode(server.outputFolder + "/" + name) == folder, "\(name)") }
                for name in ["a/b/x.wav", "hls/live.m3u8", "hls/live0.ts"] { #expect(try mode(server.outputFolder + "/" + name) == file, "\(name)") }
                // What the server believes is not for others to write, and Idempotency-Keys stand in it.
                let id = try FileManager.default.contentsOfDirectory(atPath: server.folder / "state/writers")[0]
                for name in ["writers/\(id)/record.json", "claims", "ended", "clock", "lock"] {
                    #expect(try mode(server.folder / "state/" + name) == "600", "\(name)")
                }
            }
        }

        @Test(arguments: ["640x", "0440", "0777", "7", "1640", ""]) func aModeThatIsNoneIsRefused(option: String) async throws {
            let (process, log) = try PenstockServer.launch(["serve", "--port", "0", "--output-mode", option])
            #expect(try await process.ended(within: 20) != .exited(0))
            #expect(await log.ended(within: 20))
            #expect(log.text.contains("output-mode") && log.text.contains("0600 to 0666"), "\(log.text)")
        }
    }
}
