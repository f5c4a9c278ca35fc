import Foundation
import StreamWriter
import Testing

/// The same input and options through FFmpeg's command line.
@Suite struct CommandLineTests {
    let folder = TemporaryFolder()
    let rate = Rational(30, 1)!

    private func ffmpeg(_ input: [String], _ data: Data, _ output: [String]) throws {
        try data.write(to: folder.url.appendingPathComponent("input"))
        try run(["ffmpeg", "-v", "error"] + input + ["-i", folder.path("input")] + output)
    }

    @Test(arguments: [
        ("ffv1", [:], "rgb24", "mkv", "bgr0"), ("libx264", ["crf": "18"], "rgb24", "mp4", "yuv420p"),
        ("libx264", ["preset": "ultrafast"], "yuv444p", "mp4", "yuv444p"),
        ("mpeg4", ["b": "900000"], "bgr24", "avi", "yuv420p"),
    ])
    func videoIsTheSame(
        encoder: String, options: [String: String], format: String, container: String, pixels: String
    ) throws {
        let (width, height) = (160, 90)
        let data = pictures(count: 12, bytesPerFrame: width * height * 3)
        let config = VideoStreamConfig(
            frameRate: rate, width: width, height: height, format: format, encoder: encoder,
            encoderOption: options, encoderFormat: pixels)
        try encode(.video(config), data, to: folder.destination("ours.\(container)"))
        try ffmpeg(
            ["-f", "rawvideo", "-pix_fmt", format, "-s", "\(width)x\(height)", "-r", "30"], data,
            ["-c:v", encoder, "-threads", "1", "-pix_fmt", pixels] + options.flatMap { ["-\($0.key)", $0.value] }
                + [folder.path("theirs.\(container)")])
        let ours = try decodeVideo(folder.path("ours.\(container)"), format: pixels)
        #expect(ours.count > 0)
        #expect(try ours == decodeVideo(folder.path("theirs.\(container)"), format: pixels))
        let entries = ["frame", "pts_time"]
        #expect(
            try probeList(folder.path("ours.\(container)"), entries[0], entries[1])
                == probeList(folder.path("theirs.\(container)"), entries[0], entries[1]))
    }

    @Test(arguments: [("hflip,crop=80:40", 80, 40), ("split[a][b];[a]vflip[c];[b][c]hstack", 320, 90)])
    func filtersAreTheSame(filter: String, width: Int, height: Int) throws {
        let data = pictures(count: 6, bytesPerFrame: 160 * 90 * 3)
        let config = VideoStreamConfig(
            frameRate: rate, width: 160, height: 90, encoder: "ffv1", encoderFormat: "bgr0", filterDesc: filter)
        try encode(.video(config), data, to: folder.destination("ours.mkv"))
        try ffmpeg(
            ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x90", "-r", "30"], data,
            ["-filter_complex", filter, "-c:v", "ffv1", "-pix_fmt", "bgr0", folder.path("theirs.mkv")])
        let ours = try decodeVideo(folder.path("ours.mkv"), format: "rgb24")
        #expect(ours.count == 6 * width * height * 3)
        #expect(try ours == decodeVideo(folder.path("theirs.mkv"), format: "rgb24"))
    }

    @Test func resizingAndAnotherRateAreTheSame() throws {
        let data = pictures(count: 30, bytesPerFrame: 160 * 90 * 3)
        let config = VideoStreamConfig(
            frameRate: rate, width: 160, height: 90, encoder: "ffv1", encoderFrameRate: Rational(25, 1)!,
            encoderWidth: 100, encoderHeight: 60, encoderFormat: "yuv420p")
        try encode(.video(config), data, to: folder.destination("ours.mkv"))
        try ffmpeg(
            ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x90", "-r", "30"], data,
            ["-vf", "fps=25,scale=100:60:flags=bicubic", "-c:v", "ffv1", "-pix_fmt", "yuv420p", folder.path("theirs.mkv")])
        let ours = try decodeVideo(folder.path("ours.mkv"), format: "yuv420p")
        #expect(ours.count == 25 * 100 * 60 * 3 / 2)
        #expect(try ours == decodeVideo(folder.path("theirs.mkv"), format: "yuv420p"))
    }

    @Test(arguments: [("flac", "flac"), ("libmp3lame", "mp3"), ("aac", "m4a"), ("pcm_f32le", "wav")])
    func audioIsTheSame(encoder: String, container: String) throws {
        let data = tone(samples: 50_003, channels: 2)
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder)
        try encode(.audio(config), data, to: folder.destination("ours.\(container)"))
        try ffmpeg(
            ["-f", "s16le", "-ar", "48000", "-ac", "2"], data,
            ["-c:a", encoder, folder.path("theirs.\(container)")])
        let ours = try decodeAudio(folder.path("ours.\(container)"), codec: "pcm_f32le")
        #expect(try ours == decodeAudio(folder.path("theirs.\(container)"), codec: "pcm_f32le"))
    }

    @Test func resamplingIsTheSame() throws {
        let data = tone(samples: 44_100, channels: 2, rate: 44_100)
        let config = AudioStreamConfig(
            sampleRate: 44_100, numChannels: 2, format: .s16, encoder: "flac", encoderSampleRate: 16_000,
            encoderNumChannels: 1)
        try encode(.audio(config), data, to: folder.destination("ours.flac"))
        try ffmpeg(
            ["-f", "s16le", "-ar", "44100", "-ac", "2"], data,
            ["-c:a", "flac", "-ar", "16000", "-ac", "1", folder.path("theirs.flac")])
        let ours = try decodeAudio(folder.path("ours.flac"), codec: "pcm_s16le")
        #expect(try ours == decodeAudio(folder.path("theirs.flac"), codec: "pcm_s16le"))
    }
}
