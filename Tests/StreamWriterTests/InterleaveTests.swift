import Foundation
import StreamWriter
import Testing

@Suite struct InterleaveTests {
    let folder = TemporaryFolder()

    @Test func aSilentStreamHoldsNothingUpForLong() throws {
        let writer = try StreamWriter(destination: folder.destination("a.nut"), format: nil)
        let config = VideoStreamConfig(
            frameRate: Rational(1, 1)!, width: 64, height: 48, encoder: "rawvideo")
        _ = try writer.addStream(.video(config))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 8000, numChannels: 1)))
        try writer.open()
        let frame = 64 * 48 * 3
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        // At a frame a second, at most about ten are held.
        #expect(writer.bytesWritten > 15 * frame)
        let summary = try writer.close()
        #expect(summary.streams.map(\.packets) == [30, 0])
        #expect(try probe(folder.path("a.nut"))["nb_read_frames"] == "30")
    }

    @Test func streamsSentOneAfterTheOtherAreInterleaved() throws {
        let writer = try StreamWriter(destination: folder.destination("b.mp4"), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(10, 1)!, width: 64, height: 48, encoder: "mpeg4")))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16)))
        try writer.open()
        try writer.send(pictures(count: 50, bytesPerFrame: 64 * 48 * 3), to: 0)
        try writer.send(tone(samples: 5 * 48_000, channels: 1), to: 1)
        _ = try writer.close()
        let text = try run(["ffprobe", "-v", "error", "-show_entries", "packet=stream_index,dts_time,pos", "-of", "csv=p=0", folder.path("b.mp4")])
        let packets = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.split(separator: ",") }
            .sorted { Int($0[2])! < Int($1[2])! }
        var latest = -1.0
        for packet in packets {
            let time = Double(packet[1])!
            #expect(time >= latest - 0.11)
            latest = max(latest, time)
        }
    }

    /// By where each packet lies: how far, in seconds, one comes behind a later one of the other stream.
    private func secondsApart(_ path: String) throws -> Double {
        let text = try run(["ffprobe", "-v", "error", "-show_entries", "packet=stream_index,dts_time,pos", "-of", "csv=p=0", path])
        let packets = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.split(separator: ",") }.sorted { Int($0[2])! < Int($1[2])! }
        var latest = [-1.0, -1.0], apart = 0.0
        for packet in packets {
            guard let stream = Int(packet[0]), let time = Double(packet[1]) else { continue }
            apart = max(apart, latest[1 - stream] - time)
            latest[stream] = max(latest[stream], time)
        }
        return apart
    }

    /// Half a minute of pictures, and then its sound.
    @Test(arguments: [("mp4", false), ("mov", false), ("mkv", true), ("nut", true), ("ts", true)])
    func streamsFarApartInTheFileAreSaidToBe(container: String, areApart: Bool) throws {
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: container == "ts" ? "mpegts" : nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(2, 1)!, width: 64, height: 48, encoder: "libx264")))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 8_000, numChannels: 1, format: .s16, encoder: "aac")))
        try writer.open()
        try writer.send(pictures(count: 60, bytesPerFrame: 64 * 48 * 3), to: 0)
        try writer.send(tone(samples: 30 * 8_000, channels: 1, rate: 8_000), to: 1)
        let summary = try writer.close()
        let apart = try secondsApart(folder.path("a." + container))
        #expect((apart > 10) == areApart, "\(apart)")
        #expect(summary.streams.flatMap { $0.warnings.map(\.code) } == (areApart ? [.streamsApart] : []))
    }

    /// Whichever comes first, and however much later pictures are decoded than shown.
    @Test(arguments: [25, 2], [true, false])
    func soundOfFLVBeginsWhereItBelongs(rate: Int, soundFirst: Bool) throws {
        let writer = try StreamWriter(destination: folder.destination("a.flv"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(rate, 1)!, width: 64, height: 48, encoder: "libx264")))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "aac")))
        try writer.open()
        let (shown, heard) = (pictures(count: 3 * rate, bytesPerFrame: 64 * 48 * 3), tone(samples: 3 * 48_000, channels: 2))
        if soundFirst { try writer.send(heard, to: 1) }
        try writer.send(shown)
        if !soundFirst { try writer.send(heard, to: 1) }
        _ = try writer.close()
        let sound = try probeList(folder.path("a.flv"), "packet", "pts_time", stream: 1).compactMap(Double.init)
        let first = try #require(try probeList(folder.path("a.flv"), "packet", "pts_time").compactMap(Double.init).min())
        #expect(zip(sound, sound.dropFirst()).allSatisfy { (0.020...0.023).contains($1 - $0) }, "\(sound.prefix(4))")
        // The encoder puts 1,024 samples before the first.
        #expect((0.020...0.023).contains(first - sound[0]), "\(first) \(sound[0])")
    }

    @Test(arguments: ["mp4", "mkv", "avi", "ts", "flv", "nut", "mov", "asf"])
    func aStreamThatGotNothingDoesNotBreakClose(format: String) throws {
        let name = "half.\(format)"
        let writer = try StreamWriter(destination: folder.destination(name), format: format == "ts" ? "mpegts" : nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2)))
        try writer.open()
        try writer.send(pictures(count: 5, bytesPerFrame: 64 * 48 * 3))
        #expect(try writer.close().streams.map(\.packets) == [5, 0])
        #expect(try probe(folder.path(name))["nb_read_frames"] == "5")
    }

    @Test(arguments: ["mp4", "mkv", "mov", "webm", "avi", "ts", "flv", "ogg", "wav", "mp3", "flac", "adts", "gif", "nut", "mxf"])
    func aWriterThatGotNothingCloses(format: String) throws {
        let muxer = try StreamWriter.resolveMuxer(format: format == "ts" ? "mpegts" : nil, name: format == "adts" ? "a.aac" : "a.\(format)")
        let writer = try StreamWriter(destination: folder.destination("none.\(format)"), format: muxer.name)
        if muxer.defaultVideoEncoder != nil, !["ogg", "mp3", "flac", "wav"].contains(format) {
            _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        }
        if muxer.defaultAudioEncoder != nil {
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2)))
        }
        try writer.open()
        _ = try writer.close()
    }
}
