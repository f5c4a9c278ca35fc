import Foundation
import StreamWriter
import Testing

/// Every pixel format and layout through every encoder and container.
@Suite struct VideoMatrixTests {
    struct Source: Sendable, CustomTestStringConvertible {
        let format: String
        var layout = PixelLayout.packed
        /// FFmpeg's name of the format the body is in, and its order of the body's planes.
        var twin: (format: String, planes: [Int])?
        var testDescription: String { "\(format) \(layout.rawValue)" }
        var twinFormat: String { twin?.format ?? (format == "gray8" ? "gray" : format) }
    }

    struct Target: Sendable, CustomTestStringConvertible {
        let encoder: String
        let container: String
        var format: String?
        var option: [String: String] = [:]
        var testDescription: String { "\(encoder)/\(container)" }
    }

    static let packed = [
        "gray8", "rgb24", "bgr24", "rgb0", "bgr0", "rgba", "abgr", "gbrp", "yuv444p", "yuv422p", "yuv420p", "nv12",
        "yuyv422", "yuva420p", "yuv420p10le", "yuv444p12le", "p010le", "gray16le", "rgb48le", "gbrpf32le", "ya8",
    ].map { Source(format: $0) }

    /// The planes of gbrp are G, B, R.
    static let nchw = [
        Source(format: "gray8", layout: .nchw), Source(format: "yuv444p", layout: .nchw),
        Source(format: "rgb24", layout: .nchw, twin: ("gbrp", [1, 2, 0])),
        Source(format: "bgr24", layout: .nchw, twin: ("gbrp", [1, 0, 2])),
        Source(format: "rgb0", layout: .nchw, twin: ("gbrp", [1, 2, 0])),
        Source(format: "bgr0", layout: .nchw, twin: ("gbrp", [1, 0, 2])),
        Source(format: "rgba", layout: .nchw, twin: ("gbrap", [1, 2, 0, 3])),
        Source(format: "rgb48le", layout: .nchw, twin: ("gbrp16le", [1, 2, 0])),
    ]

    static let everyInput = [
        Target(encoder: "libx264", container: "mp4"), Target(encoder: "ffv1", container: "mkv"),
        Target(encoder: "rawvideo", container: "nut"),
    ]

    static let everyTarget = [
        Target(encoder: "libx264", container: "mkv"), Target(encoder: "libx264", container: "flv"),
        Target(encoder: "libx264", container: "ts"), Target(encoder: "libx264", container: "mov", format: "yuv444p"),
        Target(encoder: "libx264rgb", container: "mp4", option: ["qp": "0"]),
        Target(encoder: "mpeg1video", container: "mpg"), Target(encoder: "mpeg2video", container: "ts"),
        Target(encoder: "mpeg4", container: "avi"), Target(encoder: "mpeg4", container: "mp4"),
        Target(encoder: "mjpeg", container: "avi"), Target(encoder: "mjpeg", container: "mov"),
        Target(encoder: "png", container: "mov"), Target(encoder: "apng", container: "apng"),
        Target(encoder: "libvpx", container: "webm"), Target(encoder: "libvpx-vp9", container: "webm", option: ["cpu-used": "8"]),
        Target(encoder: "huffyuv", container: "avi"), Target(encoder: "ffvhuff", container: "mkv", format: "yuv420p"),
        Target(encoder: "utvideo", container: "avi", format: "gbrp"), Target(encoder: "qtrle", container: "mov"),
        Target(encoder: "gif", container: "gif"), Target(encoder: "flv", container: "flv"),
        Target(encoder: "wmv2", container: "asf"), Target(encoder: "libtheora", container: "ogv"),
        Target(
            encoder: "libx265", container: "mp4",
            option: ["preset": "ultrafast", "x265-params": "pools=none:frame-threads=1:log-level=none"]),
        Target(encoder: "prores_ks", container: "mov"), Target(encoder: "rawvideo", container: "avi", format: "bgr24"),
        Target(encoder: "snow", container: "nut", option: ["pred": "dwt53"]),
    ]

    static let (width, height, count) = (64, 48, 10)

    @Test(arguments: packed + nchw, everyInput) func everyInputGivesFFmpegsOutput(source: Source, target: Target) throws {
        // NUT has no name for these as raw video.
        if target.encoder == "rawvideo", ["gbrpf32le", "p010le"].contains(source.format) { return }
        try check(source, target)
    }

    @Test(arguments: [packed[10], nchw[2]], everyTarget)
    func everyEncoderGivesFFmpegsOutput(source: Source, target: Target) throws {
        try check(source, target)
    }

    private func check(_ source: Source, _ target: Target) throws {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: Self.width, height: Self.height, format: source.format,
            layout: source.layout, encoder: target.encoder, encoderOption: target.option, encoderFormat: target.format)
        let frameBytes = try Self.frameBytes(source)
        let data = Self.clip(source, frameBytes)
        let rounded = source.format.contains("f32") ? Self.rounded(data, for: target) : nil
        let twin = try Twin(
            .video(config), data, container: target.container,
            input: ["-f", "rawvideo", "-pix_fmt", rounded?.format ?? source.twinFormat, "-s", "\(Self.width)x\(Self.height)", "-r", "25"],
            twin: rounded?.data ?? source.twin.map { Self.reordered(data, $0.planes, frameBytes, source.format) })
        #expect(twin.description.inputFrameBytes == frameBytes)
        // ProRes has the matrix in the header of each frame, to which FFmpeg's command line gives none before FFmpeg 7.
        let isMarked = target.encoder == "prores_ks" && source.format == "rgb24" && !isFFmpeg7
        #expect(twin.streamDifferences == (isMarked ? ["color_space: smpte170m, not none"] : []))
        if !isMarked { #expect(twin.packetDifference == nil) }
        let stream = twin.ours.streams[0]
        #expect(stream["width"] == "64")
        #expect(stream["pix_fmt"] == Self.decoded(twin.description.encoderFormat, target.encoder))
        // FFmpeg guesses a program stream's.
        if target.container != "mpg", let duration = stream.number("duration") { #expect(abs(duration - 0.4) < 0.011) }
        // Raw video keeps the body as it is: what the twin shows.
        if target.encoder == "rawvideo", target.format == nil, source.layout == .packed {
            #expect(try decodeVideo(twin.oursPath, format: source.twinFormat) == data)
        }
    }

    /// What a decoder makes of an encoder's format.
    private static func decoded(_ format: String, _ encoder: String) -> String {
        switch encoder {
        case "gif": "bgra"
        case "libx264rgb": "gbrp"
        case "huffyuv" where format == "rgb24": "bgr0"
        case "ffv1" where format == "rgb48le": "gbrp16le"
        // Of ProRes 4444 the decoder always makes 12 bits.
        case "prores_ks" where format == "yuv444p10le": "yuv444p12le"
        default: format
        }
    }

    private static func frameBytes(_ source: Source) throws -> Int {
        let writer = try StreamWriter(destination: .file(descriptor: open("/dev/null", O_WRONLY), name: "a.nut"), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: width, height: height, format: source.format, layout: source.layout,
                encoder: "ffv1")))
        return writer.description(of: 0).inputFrameBytes
    }

    /// A moving gradient with noise; floats stay from 0 to 1.
    private static func clip(_ source: Source, _ frameBytes: Int) -> Data {
        var data = pictures(count: count, bytesPerFrame: frameBytes)
        guard source.format.contains("f32") else {
            guard let mask = [("p10", 0x03), ("p12", 0x0f)].first(where: { source.format.contains($0.0) })?.1 else { return data }
            for index in stride(from: 1, to: data.count, by: 2) { data[index] &= UInt8(mask) }
            return data
        }
        data = (0..<(data.count / 4)).map { Float($0 % 1000) / 1000 }.withUnsafeBytes { Data($0) }
        return data
    }

    /// Floats as the whole numbers nearest to them, which FFmpeg's scaler does not make of them; nil where they stay.
    private static func rounded(_ data: Data, for target: Target) -> (format: String, data: Data)? {
        let floats = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        switch target.encoder {
        case "rawvideo": return nil
        case "libx264": return ("gbrp", Data(floats.map { UInt8(($0 * 255).rounded(.toNearestOrEven)) }))
        default: return ("gbrp16le", floats.map { UInt16(($0 * 65_535).rounded(.toNearestOrEven)).littleEndian }.withUnsafeBytes { Data($0) })
        }
    }

    /// The body's planes in the order of FFmpeg's planar format; a plane it has not is dropped.
    private static func reordered(_ data: Data, _ planes: [Int], _ frameBytes: Int, _ format: String) -> Data {
        let plane = width * height * (format.contains("48") ? 2 : 1)
        var result = Data()
        for frame in stride(from: 0, to: data.count, by: frameBytes) {
            for index in planes { result += data[(frame + index * plane)..<(frame + (index + 1) * plane)] }
        }
        return result
    }
}
