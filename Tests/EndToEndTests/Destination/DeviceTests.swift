import Foundation
import Testing

extension EndToEnd {
    /// Output devices: a window on a screen without glass, a sound card that is a file.
    @Suite struct DeviceTests {
        private static func hasDevice(_ name: String) -> Bool {
            let folder = try? TemporaryFolder()
            guard let folder, FileManager.default.createFile(atPath: folder / "out", contents: nil),
                let out = FileHandle(forWritingAtPath: folder / "out")
            else { return false }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["ffmpeg", "-hide_banner", "-devices"]
            process.standardOutput = out
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            let text = (try? String(contentsOfFile: folder / "out", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").contains { $0.contains("E \(name)") }
        }

        private static let hasXvfb = ["/usr/bin/Xvfb", "/usr/local/bin/Xvfb"]
            .contains { FileManager.default.isExecutableFile(atPath: $0) }

        @Test(
            .enabled(if: hasXvfb, "Xvfb is missing (xvfb)"),
            .enabled(if: hasDevice("sdl"), "this FFmpeg has no SDL output device"))
        func sdlWindowShowsThePicture() async throws {
            let screen = try await Screen.start()
            let size = 160 * 120
            let red = Data((0..<size).flatMap { _ in [200, 30, 40] as [UInt8] })
            let blue = Data((0..<size).flatMap { _ in [20, 60, 220] as [UInt8] })
            let environment = ["DISPLAY": screen.display, "SDL_VIDEODRIVER": "x11", "XDG_RUNTIME_DIR": "/tmp"]
            try await withServer(["--allow-devices"], environment: environment) { server in
                let id = try await server.createWriter([
                    "dst": "-", "format": "sdl",
                    "streams": [
                        [
                            "type": "video", "frame_rate": 25, "width": 160, "height": 120, "format": "rgb24",
                            "encoder_format": "rgb24",
                        ]
                    ],
                    "open": ["option": ["window_x": 100, "window_y": 80, "window_borderless": 1]],
                ])
                for (picture, color) in [(red, [200, 30, 40]), (blue, [20, 60, 220])] {
                    for _ in 0..<5 { try await server.sendChunk(picture, to: id, stream: 0) }
                    try await eventually("the picture on the screen") {
                        let pixels = try await screen.shot()
                        return zip(pixels.color(x: 180, y: 140), color).allSatisfy { abs($0 - $1) <= 8 }
                    }
                }
                let pixels = try await screen.shot()
                for (x, y) in [(104, 84), (255, 84), (104, 195), (255, 195)] {
                    #expect(zip(pixels.color(x: x, y: y), [20, 60, 220]).allSatisfy { abs($0 - $1) <= 8 }, "\(x), \(y)")
                }
                #expect(pixels.color(x: 10, y: 10) == [0, 0, 0], "beside the window")
                let closed = try await server.finalize(id)
                #expect(closed["streams"][0]["frames_encoded"] == 10)
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").status == 404)
            }
            try await screen.stop()
        }

        @Test(.enabled(if: hasDevice("alsa"), "this FFmpeg has no ALSA output device"))
        func samplesArriveAtTheSoundCard() async throws {
            let folder = try TemporaryFolder()
            // Besides real devices the sandbox opens the memory in which sound servers are handed samples.
            let played = "/dev/shm/penstock-test-\(UUID().uuidString)"
            defer { unlink(played) }
            let configuration = """
                pcm.nowhere { type null }
                pcm.capture { type file file "\(played)" format "raw" slave.pcm "nowhere" }
                """
            try configuration.write(toFile: folder / "asound.conf", atomically: true, encoding: .utf8)
            let samples = Data((0..<96_000).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
            try await withServer(["--allow-devices"], environment: ["ALSA_CONFIG_PATH": folder / "asound.conf"]) { server in
                let id = try await server.createWriter([
                    "dst": "capture", "format": "alsa",
                    "streams": [["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16"]],
                    "open": true,
                ])
                for range in ranges(of: samples.count, by: 40_000) {
                    try await server.sendChunk(samples[range], to: id, stream: 0)
                }
                try await server.finalize(id)
                let played = try Data(contentsOf: URL(fileURLWithPath: played))
                // The card may be given silence after the end, to fill its last period.
                #expect(played.prefix(samples.count) == samples)
                #expect(played.dropFirst(samples.count).allSatisfy { $0 == 0 })

                let missing = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "dst": "no-such-card", "format": "alsa",
                        "streams": [["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16"]],
                        "open": true,
                    ]))
                #expect(missing.status == 502, "\(missing.text)")
                #expect(missing.json["detail"].string?.contains("no-such-card") == true)
            }
        }

        @Test func devicesAreRefusedUnlessTheOperatorAllowsThem() async throws {
            try await withServer(["--allow-output", "rtmp://*"]) { server in
                let devices = try await server.curl("GET", "/v1/output-devices").json["output_devices"].array
                for name in devices.compactMap({ $0["name"].string }).map({ $0.components(separatedBy: ",")[0] }) {
                    for query in ["", "?dry_run=true"] {
                        let response = try await server.curl(
                            "POST", "/v1/writers\(query)", body: .json(["dst": "x", "format": .string(name)]))
                        #expect(response.status == 403, "\(name): \(response.text)")
                        #expect(response.problem == "forbidden-destination")
                        #expect(response.json["detail"].string?.contains("--allow-devices") == true)
                    }
                }
            }
        }
    }
}

/// An X server with a screen in memory.
private final class Screen: Sendable {
    static let width = 640
    static let height = 480

    let display: String
    private let process: Peer
    private let folder: TemporaryFolder

    static func start() async throws -> Screen {
        let process = try Peer(
            "Xvfb", ["-displayfd", "1", "-screen", "0", "\(width)x\(height)x24", "-nolisten", "tcp"])
        try await eventually("a display") { process.output.hasSuffix("\n") }
        let number = process.output.trimmingCharacters(in: .whitespacesAndNewlines)
        return Screen(display: ":" + number, process, try TemporaryFolder())
    }

    private init(display: String, _ process: Peer, _ folder: TemporaryFolder) {
        self.display = display
        self.process = process
        self.folder = folder
    }

    struct Pixels {
        let bytes: Data

        func color(x: Int, y: Int) -> [Int] {
            let start = (y * Screen.width + x) * 3
            return bytes[start..<start + 3].map { Int($0) }
        }
    }

    /// What is to be seen now.
    func shot() async throws -> Pixels {
        try await Tool.ffmpeg(
            "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-video_size", "\(Self.width)x\(Self.height)",
            "-i", display, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", folder / "shot")
        return Pixels(bytes: try Data(contentsOf: URL(fileURLWithPath: folder / "shot")))
    }

    func stop() async throws { try await process.stop() }
}
