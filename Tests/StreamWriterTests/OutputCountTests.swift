import Foundation
import StreamWriter
import Testing

/// What is counted is the output: what was taken is `frames`.
@Suite struct OutputCountTests {
    let folder = TemporaryFolder()

    /// Twelve pictures of 25 a second through filters. FFmpeg's `fps` says itself what it drops and repeats.
    @Test(arguments: [
        ("fps=50", nil, 24, 0, 12, 0.48), ("fps=10", nil, 5, 7, 0, 0.5), (nil, "50", 24, 0, 12, 0.48), (nil, "10", 5, 7, 0, 0.5),
        ("setpts=2*PTS", nil, 12, 0, 0, 0.92), ("trim=start_frame=2:end_frame=7", nil, 5, 7, 0, 0.2), ("framestep=2", nil, 6, 6, 0, 0.48),
        ("tpad=stop=3:stop_mode=clone", nil, 15, 0, 3, 0.6), ("reverse", nil, 12, 0, 0, 0.48), ("hflip,scale=32:24", nil, 12, 0, 0, 0.48),
        ("setpts=0", nil, 1, 11, 0, 0.04),
    ] as [(String?, String?, Int64, Int64, Int64, Double)])
    func picturesAreCountedWhereTheyAreEncoded(
        filter: String?, rate: String?, encoded: Int64, dropped: Int64, repeated: Int64, duration: Double
    ) throws {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "ffv1",
            encoderFrameRate: rate.flatMap { Rational(parsing: $0) }, encoderFormat: "bgr0", filterDesc: filter)
        let summary = try encode(.video(config), pictures(count: 12, bytesPerFrame: 64 * 48 * 3), to: folder.destination("a.mkv"))
        let stream = summary.streams[0]
        #expect(stream.frames == 12)
        #expect(stream.framesEncoded == encoded && stream.packets == encoded)
        #expect(stream.framesDropped == dropped)
        #expect(stream.framesRepeated == repeated)
        #expect(try probe(folder.path("a.mkv"))["nb_read_frames"] == "\(encoded)")
        #expect(abs(summary.duration - duration) < 1e-9, "\(summary.duration)")
        #expect(stream.warnings.map(\.code) == (dropped > 0 ? [.framesDropped] : []) + (repeated > 0 ? [.framesRepeated] : []))
    }

    @Test func durationCountsFromTheFirstFrame() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "ffv1", encoderFormat: "bgr0")))
        try writer.open()
        try writer.send(pictures(count: 5, bytesPerFrame: 64 * 48 * 3), pts: 100)
        #expect(abs(try writer.close().duration - 0.2) < 1e-9)
    }

    @Test func samplesAreCountedAtTheEncodersRate() throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "flac", encoderSampleRate: 16_000)
        let summary = try encode(.audio(config), tone(samples: 48_000, channels: 1), to: folder.destination("a.flac"))
        #expect(summary.streams[0].frames == 48_000)
        #expect(abs(summary.streams[0].framesEncoded - 16_000) <= 1)
        #expect(abs(summary.duration - 1) < 1.0 / 8_000)
    }
}
