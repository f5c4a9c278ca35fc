import Foundation
import StreamWriter
import Testing

/// Pictures at times of their own, beside the rate that the encoder plans by.
@Suite struct TimeBaseTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    private func config(_ timeBase: Rational?, encoder: String = "libx264") -> VideoStreamConfig {
        VideoStreamConfig(frameRate: Rational(30, 1)!, timeBase: timeBase, width: 64, height: 48, encoder: encoder)
    }

    @Test(arguments: ["mp4", "mkv", "flv", "nut", "mov"])
    func picturesAreWhereTheyWereSeen(container: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: nil)
        let stream = try writer.addStream(.video(config(Rational(1, 1000))))
        #expect(writer.description(of: stream).timeBase == Rational(1, 1000))
        #expect(writer.description(of: stream).encoderFrameRate == Rational(30, 1))
        try writer.open()
        let seen = [0, 0.030, 0.071, 0.099, 0.132, 0.5, 0.501, 1.25]
        for time in seen { try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), pts: time) }
        #expect(abs(try writer.close().duration - 1.283) < 1e-9)
        let times = try Probe(folder.path("a." + container), showing: ["packets"]).packets.compactMap { $0.number("pts_time") }.sorted()
        #expect(times.count == seen.count)
        for (time, wanted) in zip(times, seen) { #expect(abs(time - times[0] - wanted) < 0.0006, "\(times)") }
    }

    /// 2, 4 and 6 frames of 30 a second are 66.7, 133.3 and 200 ms.
    @Test func framesWithoutTimesAreAFrameApartToTheNearestTick() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        _ = try writer.addStream(.video(config(Rational(1, 1000), encoder: "ffv1")))
        try writer.open()
        #expect(try writer.send(pictures(count: 4, bytesPerFrame: Self.frame)).endPTS == 0.133)
        #expect(try writer.send(pictures(count: 2, bytesPerFrame: Self.frame)).endPTS == 0.2)
        #expect(try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), pts: 0.168).startPTS == 0.168)
        let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: 0.168) }
        #expect(error.code == .ptsTooEarly && error.expectedPTS == 0.169)
        _ = try writer.close()
        let times = try probeList(folder.path("a.mkv"), "packet", "pts_time").compactMap(Double.init)
        #expect(times.map { ($0 * 1000).rounded() } == [0, 33, 67, 100, 133, 167, 168])
    }

    @Test func rateControlIsOfTheRateAndNotOfTheTimeBase() throws {
        var sizes: [Int] = []
        for timeBase in [nil, Rational(1, 1000), Rational(1, 90_000)] {
            var config = config(timeBase)
            config.width = 320
            config.height = 240
            config.codecConfig = CodecConfig(bitRate: 300_000)
            config.encoderOption = ["maxrate": "300000", "bufsize": "300000"]
            try encode(.video(config), pictures(count: 60, bytesPerFrame: 320 * 240 * 3), to: folder.destination("a.mp4"))
            sizes.append(try folder.bytes("a.mp4").count)
        }
        // Two seconds of 300,000 bits; the noise would take many times that.
        for size in sizes { #expect(abs(Double(size) / Double(sizes[0]) - 1) < 0.1, "\(sizes)") }
    }

    @Test(arguments: ["mp4", "mkv", "mov"], [nil, Rational(1, 1000)])
    func theLastPictureIsAsLongAsItsChunkSays(container: String, timeBase: Rational?) throws {
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: nil)
        _ = try writer.addStream(.video(config(timeBase)))
        try writer.open()
        let chunk = try writer.beginChunk(stream: 0, pts: nil, duration: 2)
        try pictures(count: 3, bytesPerFrame: Self.frame).withUnsafeBytes { try chunk.write($0) }
        let receipt = try chunk.finish()
        #expect(receipt.frames == 3 && abs(receipt.endPTS - (2 + 2.0 / 30)) < 0.0006)
        let last = try writer.beginChunk(stream: 0, pts: nil, duration: 1)
        try pictures(count: 1, bytesPerFrame: Self.frame).withUnsafeBytes { try last.write($0) }
        _ = try last.finish()
        #expect(abs(try writer.close().duration - (3 + 2.0 / 30)) < 0.0006)
        let probe = try Probe(folder.path("a." + container), showing: ["packets"])
        let times = probe.packets.compactMap { $0.number("pts_time") }.sorted()
        #expect(times.count == 4 && abs(times[3] - times[0] - (2 + 2.0 / 30)) < 0.0011)
        let told = container == "mkv" ? probe.format.number("duration") ?? 0 : try movieSeconds("a." + container)
        #expect(abs(told - (3 + 2.0 / 30)) < 0.08)
    }

    /// What the movie header says (ISO/IEC 14496-12, 8.2.2). FFmpeg 7's reader goes by the packets, in which the last
    /// to be decoded need not be the last to be seen.
    private func movieSeconds(_ name: String) throws -> Double {
        let bytes = try folder.bytes(name)
        let header = try #require(bytes.firstRange(of: Data("mvhd".utf8))).upperBound
        try #require(bytes[header] == 0, "times are of 32 bits")
        func number(at offset: Int) -> Double { Double(bytes[header + offset..<header + offset + 4].reduce(0) { $0 << 8 | Int($1) }) }
        return number(at: 16) / number(at: 12)
    }

    @Test(arguments: [("ogv", "libtheora"), ("avi", "libx264"), ("avi", "mpeg4"), ("h264", "libx264"), ("mjpeg", "mjpeg"), ("mpg", "mpeg1video"), ("hevc", "libx265"), ("dv", nil)] as [(String, String?)])
    func whereTheRateIsAllThereIsAnotherTimeBaseIsRefused(container: String, encoder: String?) throws {
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: nil)
        var config = config(Rational(1, 1000))
        config.encoder = encoder
        if container == "dv" { (config.width, config.height, config.frameRate) = (720, 576, Rational(25, 1)!) }
        let error = try #require(throws: StreamWriterError.self) { try writer.addStream(.video(config)) }
        #expect(error.parameter == "time_base" || encoder == "mpeg1video" || encoder == nil, "\(error.message)")
        config.timeBase = nil
        if encoder == "mpeg1video" { config.frameRate = Rational(25, 1)! }
        _ = try writer.addStream(.video(config))
    }

    @Test func durationsAreForPicturesAndTimeBasesPartsOfAFrame() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        for wrong in [Rational(1, 10)!, Rational(1, 1)!, Rational(1, Int(Int32.max))!] {
            let error = try #require(throws: StreamWriterError.self) { try writer.addStream(.video(config(wrong))) }
            #expect(error.parameter == "time_base" || wrong.denominator > 1000)
        }
        _ = try writer.addStream(.video(config(Rational(1, 1000))))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 8000, numChannels: 1)))
        try writer.open()
        for (stream, duration) in [(1, 1.0), (0, 0), (0, .nan), (0, 0.0001), (0, 1e300)] {
            let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: stream, pts: nil, duration: duration) }
            #expect(error.code == .invalidParameter && error.parameter == "duration")
        }
        // What was refused holds nothing.
        try writer.send(pictures(count: 1, bytesPerFrame: Self.frame))
        writer.abort()
    }
}
