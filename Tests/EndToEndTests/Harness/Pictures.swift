import Foundation

/// Small yuv420p pictures, each unlike the others, that come back bit by bit from x264 at qp 0.
struct Pictures: Sendable {
    static let width = 64
    static let height = 48
    static let bytesPerFrame = width * height * 3 / 2

    let frames: [Data]
    var data: Data { frames.reduce(into: Data()) { $0 += $1 } }

    init(_ count: Int) {
        frames = (0..<count).map { index in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Self.bytesPerFrame)
            for y in 0..<Self.height {
                for x in 0..<Self.width { bytes.append(UInt8(truncatingIfNeeded: x * 3 + y * 2 + index * 11)) }
            }
            for plane in 1...2 {
                for position in 0..<Self.width * Self.height / 4 {
                    bytes.append(UInt8(truncatingIfNeeded: position / 64 + index * 5 * plane))
                }
            }
            return Data(bytes)
        }
    }

    /// Encoded without loss, with a key frame every `gop` frames and no delay.
    static func stream(gop: Int = 5) -> JSON {
        [
            "type": "video", "frame_rate": 25, "width": .number(Double(width)), "height": .number(Double(height)),
            "format": "yuv420p", "encoder": "libx264",
            "encoder_option": ["preset": "ultrafast", "qp": 0, "tune": "zerolatency"],
            "codec_config": ["gop_size": .number(Double(gop))],
        ]
    }

    /// The decoded frames of a file, or of what else ffmpeg can open.
    static func decoded(_ path: String, options: [String] = []) async throws -> [Data] {
        let folder = try TemporaryFolder()
        let result = try await Tool.run(
            "ffmpeg",
            ["-nostdin", "-hide_banner", "-v", "error", "-y"] + options
                + ["-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", folder / "raw"])
        guard result.end == .exited(0) else { throw HarnessError("ffmpeg \(path): \(result.errors)") }
        return frames(of: try Data(contentsOf: URL(fileURLWithPath: folder / "raw")))
    }

    /// The same of a file that a program may still be writing: none while not even its beginning is there.
    static func decodedSoFar(_ path: String) async -> [Data] { (try? await decoded(path)) ?? [] }

    static func frames(of raw: Data) -> [Data] {
        ranges(of: raw.count, by: bytesPerFrame).map { Data(raw[$0]) }
    }
}
