import Foundation

/// The bundled clip, decoded by ffmpeg to what a client would send.
struct Clip: Sendable {
    let video: Data
    let audio: Data
    let width: Int
    let height: Int
    let channels: Int
    /// The raw video as a file, for comparisons by ffmpeg.
    let videoFile: String
    private let folder: TemporaryFolder

    static let frameCount = 132
    static let frameRate = 25
    static let sampleRate = 48_000

    var bytesPerFrame: Int { width * height * 3 }
    var bytesPerSample: Int { channels * 4 }
    var sampleCount: Int { audio.count / bytesPerSample }

    /// As it is: 1280x720 rgb24 and 5.1 float samples.
    static func full() async throws -> Clip { try await decoded(width: 1280, height: 720, channels: 6) }

    /// Small enough for many writers at once: 320x180 and stereo.
    static func small() async throws -> Clip { try await decoded(width: 320, height: 180, channels: 2) }

    private static func decoded(width: Int, height: Int, channels: Int) async throws -> Clip {
        let folder = try TemporaryFolder()
        try await Tool.ffmpeg(
            "-loglevel", "error", "-i", Repository.clip,
            "-map", "0:v", "-vf", "scale=\(width):\(height)", "-f", "rawvideo", "-pix_fmt", "rgb24", folder / "video",
            "-map", "0:a", "-ac", "\(channels)", "-f", "f32le", "-c:a", "pcm_f32le", folder / "audio")
        // Mapped, not read: the full clip is 365 MB.
        func mapped(_ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: folder / name), options: .alwaysMapped)
        }
        return Clip(
            video: try mapped("video"), audio: try mapped("audio"), width: width, height: height,
            channels: channels, videoFile: folder / "video", folder: folder)
    }

    /// `range` of the video's frames.
    func frames(_ range: Range<Int>) -> Data {
        video[range.lowerBound * bytesPerFrame..<min(range.upperBound * bytesPerFrame, video.count)]
    }

    /// `range` of the audio's samples.
    func samples(_ range: Range<Int>) -> Data {
        audio[range.lowerBound * bytesPerSample..<min(range.upperBound * bytesPerSample, audio.count)]
    }

    /// The stream objects for this clip. `encoding` adds to the video's.
    func streams(_ encoding: [String: JSON] = [:]) -> JSON {
        var video: JSON = [
            "type": "video", "frame_rate": .number(Double(Self.frameRate)),
            "width": .number(Double(width)), "height": .number(Double(height)), "format": "rgb24",
        ]
        for (name, value) in encoding { video[name] = value }
        let audio: JSON = [
            "type": "audio", "sample_rate": .number(Double(Self.sampleRate)),
            "num_channels": .number(Double(channels)), "format": "flt",
        ]
        return [video, audio]
    }

    /// How ffmpeg reads the raw video.
    var ffmpegVideoInput: [String] {
        ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "\(width)x\(height)", "-r", "\(Self.frameRate)", "-i", videoFile]
    }
}

/// `count` split into ranges of at most `size`.
func ranges(of count: Int, by size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}
