import Foundation
import StreamWriter
import Testing

@Suite struct VideoTests {
    let folder = TemporaryFolder()
    let rate = Rational(30000, 1001)!

    @Test func mp4HasEveryFrameAndTheRightDuration() throws {
        let config = VideoStreamConfig(frameRate: rate, width: 64, height: 48, encoder: "libx264")
        let summary = try encode(
            .video(config), pictures(count: 25, bytesPerFrame: 64 * 48 * 3), to: folder.destination("a.mp4"))
        let stream = try probe(folder.path("a.mp4"))
        #expect(stream["nb_read_frames"] == "25")
        #expect(stream["codec_name"] == "h264")
        #expect(stream["pix_fmt"] == "yuv420p")
        #expect(stream["r_frame_rate"] == "30000/1001")
        let duration = 25.0 * 1001 / 30000
        #expect(abs(Double(stream["duration"]!)! - duration) < 1e-6)
        #expect(summary.streams.map { [$0.frames, $0.framesEncoded, $0.packets] } == [[25, 25, 25]])
        #expect(summary.bytesWritten == Int64(try folder.bytes("a.mp4").count))
        #expect(abs(summary.duration - duration) < 1e-9)
    }

    @Test(arguments: ["rgb24", "bgr24", "gray8", "yuv444p", "yuv420p", "nv12", "rgba", "yuv420p10le", "gbrp", "bgr0"])
    func packedFormatsComeBackAsTheyWere(format: String) throws {
        // Odd sizes: chroma planes round up, rows are not aligned.
        let (width, height) = (35, 27)
        let frameBytes = try run([
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=s=64x64", "-frames:v", "1", "-vf",
            "scale=\(width):\(height),format=\(format)", "-f", "rawvideo", "-",
        ]).count
        let data = pictures(count: 3, bytesPerFrame: frameBytes)
        let config = VideoStreamConfig(
            frameRate: rate, width: width, height: height, format: format, encoder: "rawvideo")
        let writer = try StreamWriter(destination: folder.destination("raw"), format: "rawvideo")
        _ = try writer.addStream(.video(config))
        #expect(writer.description(of: 0).inputFrameBytes == frameBytes)
        try writer.open()
        #expect(try writer.send(data).frames == 3)
        _ = try writer.close()
        #expect(try folder.bytes("raw") == data)
    }

    @Test(arguments: ["rgb24", "bgr24", "rgb0", "bgr0", "rgba", "abgr", "rgb48le"])
    func nchwIsThePackedPictureInAnotherOrder(format: String) throws {
        let (width, height, count) = (35, 27, 2)
        let channels = format.count == 5 && format.hasSuffix("24") || format.hasPrefix("rgb48") ? 3 : 4
        let sample = format.hasSuffix("48le") ? 2 : 1
        let packed = pictures(count: count, bytesPerFrame: width * height * channels * sample)
        let planar = transposed(packed, pixels: width * height, channels: channels, sample: sample)
        var config = VideoStreamConfig(
            frameRate: rate, width: width, height: height, format: format, encoder: "ffv1",
            encoderFormat: sample == 2 ? "gbrp16le" : channels == 4 && format.contains("a") ? "bgra" : "bgr0")
        try encode(.video(config), packed, to: folder.destination("packed.mkv"))
        config.layout = .nchw
        try encode(.video(config), planar, to: folder.destination("nchw.mkv"))
        let decoded = try decodeVideo(folder.path("packed.mkv"), format: format)
        #expect(try decodeVideo(folder.path("nchw.mkv"), format: format) == decoded)
        if !format.contains("0") { #expect(decoded == packed) }
    }

    private func transposed(_ data: Data, pixels: Int, channels: Int, sample: Int) -> Data {
        var result = Data(count: data.count)
        let frameBytes = pixels * channels * sample
        for frame in 0..<(data.count / frameBytes) {
            for pixel in 0..<pixels {
                for channel in 0..<channels {
                    for byte in 0..<sample {
                        let from = frame * frameBytes + (pixel * channels + channel) * sample + byte
                        result[frame * frameBytes + (channel * pixels + pixel) * sample + byte] = data[from]
                    }
                }
            }
        }
        return result
    }
}
