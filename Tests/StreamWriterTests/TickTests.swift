import Foundation
import StreamWriter
import Testing

/// Pictures nearer to each other than what the container counts time in: the writer died of the second one.
@Suite struct TickTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    private func writer(_ muxer: String, _ encoder: String, rate: Int, timeBase: Rational? = nil, encoderRate: Int? = nil) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
        var config = VideoStreamConfig(frameRate: Rational(rate, 1)!, width: 64, height: 48, encoder: encoder)
        config.timeBase = timeBase
        config.encoderFrameRate = encoderRate.map { Rational($0, 1)! }
        _ = try writer.addStream(.video(config))
        return writer
    }

    /// GIF counts hundredths of a second.
    @Test(arguments: [(101, nil), (120, nil), (240, Rational(1, 1000)!), (1000, nil)] as [(Int, Rational?)])
    func ratesAboveTheTickAreRefused(rate: Int, timeBase: Rational?) throws {
        let error = try #require(throws: StreamWriterError.self) { try writer("gif", "gif", rate: rate, timeBase: timeBase) }
        #expect(error.code == .unsupportedValue && error.parameter == "encoder_frame_rate" && error.supported == ["100"])
        #expect(error.message.contains("1/100 s") && error.message.contains("encoder_frame_rate 100"), "\(error.message)")
    }

    @Test(arguments: [(100, nil, 30), (240, 100, 12), (240, 50, 6)] as [(Int, Int?, Int)])
    func ratesUpToItAreWritten(rate: Int, encoderRate: Int?, expected: Int) throws {
        let writer = try writer("gif", "gif", rate: rate, encoderRate: encoderRate)
        try writer.open()
        try writer.send(pictures(count: 30, bytesPerFrame: Self.frame))
        let written = try writer.close().streams[0].framesEncoded
        #expect(abs(Int(written) - expected) <= 1, "\(written)")
        #expect(try probe(folder.path("a"))["nb_read_frames"] == "\(written)")
    }

    @Test(arguments: [("gif", "gif", 0.01, Rational(1, 1000)!), ("asf", "wmv2", 0.001, Rational(1, 10_000)!)])
    func picturesWithinATickAreRefusedAndTheWriterGoesOn(muxer: String, encoder: String, tick: Double, timeBase: Rational) throws {
        let writer = try writer(muxer, encoder, rate: 25, timeBase: timeBase)
        try writer.open()
        let picture = pictures(count: 1, bytesPerFrame: Self.frame)
        try writer.send(picture, pts: 0)
        try writer.send(picture, pts: 1)
        for pts in [1 + tick * 0.2, 1 + tick * 0.4] {
            let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: pts) }
            #expect(error.code == .invalidParameter && error.parameter == "pts" && error.message.contains(muxer), "\(error.message)")
        }
        let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: 2, duration: tick * 0.4) }
        #expect(error.code == .invalidParameter && error.parameter == "duration" && error.message.contains(muxer), "\(error.message)")
        try writer.send(picture, pts: 1 + tick)
        try writer.send(picture, pts: 1 + tick * 2)
        #expect(try writer.close().streams[0].framesEncoded == 4)
        #expect(try probe(folder.path("a"))["nb_read_frames"] == "4")
    }

    /// The gap before it is filled with a picture at zero.
    @Test func theFirstPictureIsAtZeroOrATickLater() throws {
        let writer = try writer("gif", "gif", rate: 25, timeBase: Rational(1, 1000)!)
        try writer.open()
        let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: 0.004) }
        #expect(error.code == .invalidParameter && error.parameter == "pts", "\(error.message)")
        try writer.send(pictures(count: 2, bytesPerFrame: Self.frame), pts: 0.01)
        _ = try writer.close()
        #expect(try probe(folder.path("a"))["nb_read_frames"] == "3")
    }

    /// ASF does not tell how long the last picture is, so that it is there once more, a frame before its end.
    @Test(arguments: [(0.0404, 1), (0.08, 2)]) func aLastPictureThatIsHardlyLongerIsThereOnce(duration: Double, expected: Int) throws {
        let writer = try writer("asf", "wmv2", rate: 25, timeBase: Rational(1, 10_000)!)
        try writer.open()
        let chunk = try writer.beginChunk(stream: 0, pts: 0, duration: duration)
        try pictures(count: 1, bytesPerFrame: Self.frame).withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
        _ = try writer.close()
        #expect(try probe(folder.path("a"))["nb_read_frames"] == "\(expected)")
    }

    /// Matroska has milliseconds, of which several packets may share one.
    @Test func whereTimesMayBeTheSamePicturesAreTaken() throws {
        let writer = try writer("matroska", "ffv1", rate: 25, timeBase: Rational(1, 10_000)!)
        try writer.open()
        for pts in [0, 1, 1.0001, 1.0002] { try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), pts: pts) }
        _ = try writer.close()
        #expect(try probe(folder.path("a"))["nb_read_frames"] == "4")
    }

    @Test func ratesAboveATickThatAnOptionSetsAreRefused() throws {
        let writer = try writer("mp4", "libx264", rate: 25)
        let error = try #require(throws: StreamWriterError.self) { try writer.open(option: ["video_track_timescale": "10"]) }
        #expect(error.parameter == "encoder_frame_rate" && error.message.contains("1/10 s"), "\(error.message)")
    }
}
