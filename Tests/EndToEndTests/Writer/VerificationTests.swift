import Foundation
import Testing

extension EndToEnd {
    /// Before a writer is closed its output is read back.
    @Suite struct VerificationTests {
        private static let audio: JSON = [
            "type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16", "encoder": "pcm_s16le",
        ]
        private static let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48]

        @Test(arguments: ["a.mp4", "a.mkv", "a.wav", "a.flv"]) func theResultHasTheFilesHashAndPackets(dst: String) async throws {
            try await withServer { server in
                let isSound = dst.hasSuffix("wav")
                let id = try await server.createWriter([
                    "dst": .string(dst), "streams": [isSound ? Self.audio : Self.video], "open": true,
                ])
                try await server.sendChunk(Data(count: isSound ? 48_000 * 4 : 64 * 48 * 3 * 25), to: id, stream: 0)
                let result = try await server.finalize(id)["result"]
                let sum = try await Tool.run("sha256sum", [server.outputFolder + "/" + dst])
                #expect(result["verified"]["sha256"].string == String(decoding: sum.output.prefix(64), as: UTF8.self))
                let seconds = try #require(result["verified"]["streams"][0]["duration"].double)
                // The last picture's length is not in every container.
                #expect(abs(seconds - 1) < 0.045, "\(result)")
                if !isSound { #expect(result["verified"]["streams"][0]["packets"] == 25) }
                #expect(try await server.writer(id, in: "closed")["result"] == result)
            }
        }

        @Test(arguments: [
            ("a.mp4", "libx264", ["disposition", "metadata.mood"]),
            ("a.avi", "mpeg4", ["color_primaries", "disposition", "language", "metadata.mood"]),
            ("a.mkv", "libx264", []), ("a.h264", "libx264", ["disposition", "language", "metadata.comment", "metadata.mood"]),
        ])
        func whatTheFileDoesNotSayIsInTheResult(dst: String, encoder: String, expected: [String]) async throws {
            try await withServer { server in
                var stream = Self.video
                stream["encoder"] = .string(encoder)
                stream["encoder_format"] = "yuv420p"
                stream["language"] = "fra"
                stream["metadata"] = ["mood": "blue"]
                stream["disposition"] = ["original"]
                stream["color_primaries"] = "bt709"
                let id = try await server.createWriter(["dst": .string(dst), "streams": [stream], "metadata": ["comment": "no"], "open": true])
                try await server.sendChunk(Data(count: 64 * 48 * 3 * 3), to: id, stream: 0)
                let warnings = try await server.finalize(id)["result"]["warnings"]
                let parameters = warnings.array.compactMap { $0["parameter"].string }
                #expect(parameters.sorted() == expected, "\(warnings)")
            }
        }

        @Test func aWriterWhoseFileWasCutMeanwhileHasFailedAndSaysSo() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "cut.wav", "streams": [Self.audio], "open": true])
                // Whole frames of the encoder, so that finalize has only the head to write again.
                try await server.sendChunk(Data(count: 1_024 * 4 * 200), to: id, stream: 0)
                // What is buffered is in the file now.
                #expect(try await server.curl("POST", "/v1/writers/\(id)/flush").status == 200)
                #expect(truncate(server.outputFolder + "/cut.wav", 1_000) == 0)
                let answer = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(answer.status == 500 && answer.problem == "output-damaged", "\(answer.text)")
                #expect(answer.json["detail"].string?.contains("bytes") == true, "\(answer.text)")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:output-damaged")
                // What is left is left for its client to look at.
                #expect(FileManager.default.fileExists(atPath: server.outputFolder + "/cut.wav"))
            }
        }

        @Test func verifyingIsTheServersChoiceAndTheWritersBeforeIt() async throws {
            try await withServer(["--no-verify"]) { server in
                for (verify, isVerified) in [(JSON.null, false), (true, true), (false, false)] as [(JSON, Bool)] {
                    var body: JSON = ["format": "wav", "streams": [Self.audio], "open": true]
                    if verify != .null { body["verify"] = verify }
                    let id = try await server.createWriter(body)
                    try await server.sendChunk(Data(count: 4_800), to: id, stream: 0)
                    let result = try await server.finalize(id)["result"]
                    #expect((result["verified"]["sha256"].string != nil) == isVerified, "\(result)")
                }
            }
            try await withServer { server in
                let id = try await server.createWriter(
                    ["format": "wav", "verify": false, "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 4_800), to: id, stream: 0)
                #expect(try await server.finalize(id)["result"]["verified"] == .null)
            }
        }

        @Test func keysThatTheContainerDroppedAreInTheWarnings() async throws {
            try await withServer { server in
                let id = try await server.createWriter([
                    "format": "mp4", "metadata": ["title": "A", "mood": "blue"], "streams": [Self.video], "open": true,
                ])
                try await server.sendChunk(Data(count: 64 * 48 * 3 * 5), to: id, stream: 0)
                let warnings = try await server.finalize(id)["result"]["warnings"]
                let dropped = warnings.array.filter { $0["code"] == "metadata-dropped" }
                #expect(dropped.map { $0["parameter"] } == ["metadata.mood"], "\(warnings)")
            }
        }
    }
}
