import Foundation
import StreamWriter
import Testing

/// A flush never changes what the finished file holds or how long it is.
@Suite struct FlushTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3
    /// Parts of what is sent, after which a flush comes: before the end, in the middle, three times.
    static let places = [[0.97], [0.5], [0.31, 0.31, 0.77]]

    /// Sends 12 pictures, or so many seconds of sound, with flushes at these parts of it.
    private func encode(
        _ streams: [StreamConfig], _ name: String, muxer: String?, flushes: [Double], last: Bool = false, seconds: Double = 1,
        option: [String: String] = [:]
    ) throws -> WriterSummary {
        let writer = try StreamWriter(destination: folder.destination(name), format: muxer)
        for stream in streams { _ = try writer.addStream(stream) }
        try writer.open(option: option)
        var sent = streams.map { _ in 0 }
        for place in flushes + [1] {
            for (index, stream) in streams.enumerated() {
                let (data, size) = Self.source(stream, seconds)
                let end = Int(Double(data.count / size) * place) * size
                if end > sent[index] { try writer.send(Data(data[sent[index]..<end]), to: index) }
                sent[index] = end
            }
            if place < 1 || last { try writer.flush() }
        }
        return try writer.close()
    }

    private static func source(_ stream: StreamConfig, _ seconds: Double) -> (Data, Int) {
        switch stream {
        case .audio(let audio):
            let samples = Int(Double(audio.sampleRate) * seconds)
            return (tone(samples: samples, channels: audio.numChannels, rate: audio.sampleRate), 2 * audio.numChannels)
        case .video(let video):
            let size = video.width * video.height * 3
            return (pictures(count: 12, bytesPerFrame: size), size)
        }
    }

    /// Sound that every one of them takes, by the little they say.
    private static func soundTries(_ encoder: String?) -> [StreamConfig] {
        [(48_000, 2), (44_100, 2), (48_000, 1), (8_000, 1), (16_000, 1), (22_050, 1), (48_000, 6)].map {
            .audio(AudioStreamConfig(sampleRate: $0.0, numChannels: $0.1, format: .s16, encoder: encoder))
        }
    }

    private static func pictureTries(_ encoder: String?) -> [StreamConfig] {
        [(64, 48), (176, 144), (720, 576), (128, 96)].map {
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: $0.0, height: $0.1, encoder: encoder))
        }
    }

    /// Hardware, and what waits for ever or takes long.
    private static let untried = ["_nvenc", "_vaapi", "_qsv", "_v4l2m2m", "_vulkan", "_amf", "libaom-av1", "librav1e"]

    static func encoders(_ kind: StreamDescription.Kind) -> [String] {
        Capabilities.encoders(kind).map(\.name).filter { name in !untried.contains { name.hasSuffix($0) } }
    }

    private func expectSame(_ tries: [StreamConfig], seconds: Double) throws {
        // In NUT nothing but the packets tells of a flush.
        guard let stream = tries.first(where: {
            (try? encode([$0], "plain.nut", muxer: "nut", flushes: [], seconds: seconds)).map { $0.streams[0].packets > 0 } ?? false
        }) else { return }
        let plain = try folder.bytes("plain.nut")
        for flushes in Self.places {
            _ = try encode([stream], "flushed.nut", muxer: "nut", flushes: flushes, last: true, seconds: seconds)
            #expect(try folder.bytes("flushed.nut") == plain, "\(flushes)")
        }
    }

    @Test(arguments: encoders(.audio)) func everySoundEncoderGoesOnAsIfNothingWere(encoder: String) throws {
        try expectSame(Self.soundTries(encoder), seconds: 0.4)
    }

    @Test(arguments: encoders(.video)) func everyPictureEncoderGoesOnAsIfNothingWere(encoder: String) throws {
        try expectSame(Self.pictureTries(encoder), seconds: 1)
    }

    /// What a file decodes to, and what it says of itself.
    private func content(_ name: String, format: String?, isDecoded: Bool = true) throws -> [String] {
        let read = format.map { ["-f", $0] } ?? []
        let copy = isDecoded ? [] : ["-c", "copy"]
        let decoded = try run(["ffmpeg", "-v", "error"] + read + ["-i", folder.path(name), "-map", "0", "-fps_mode", "passthrough"] + copy + ["-f", "framemd5", "-"])
        let probed = try run(["ffprobe", "-v", "error"] + read + ["-show_entries", "format=duration:stream=duration", "-of", "csv", folder.path(name)])
        return [decoded, probed].flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
    }

    @Test(arguments: [
        ("mp4", [:]), ("mov", [:]), ("mkv", [:]), ("webm", [:]), ("avi", [:]), ("flv", [:]), ("ts", [:]), ("nut", [:]), ("asf", [:]), ("ogv", [:]), ("mxf", [:]),
        ("mp4", ["movflags": "frag_keyframe+empty_moov"]), ("mp4", ["movflags": "frag_keyframe+delay_moov"]),
    ]) func everyContainerOfBothHoldsTheSame(container: String, option: [String: String]) throws {
        let muxer = container == "ts" ? "mpegts" : nil
        let picture = ["webm": "libvpx", "mov": "libx264", "mp4": "libx264", "mkv": "libx264", "ts": "libx264", "flv": "libx264"][container]
        let sound = ["flv": "aac", "ts": "aac", "avi": "libmp3lame", "asf": "wmav2"][container]
        let streams: [StreamConfig] = [
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: picture)),
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: sound)),
        ]
        let plainSummary = try encode(streams, "plain." + container, muxer: muxer, flushes: [], seconds: 0.48, option: option)
        let plain = try content("plain." + container, format: nil)
        for flushes in Self.places {
            let summary = try encode(streams, "flushed." + container, muxer: muxer, flushes: flushes, last: true, seconds: 0.48, option: option)
            #expect(summary.duration == plainSummary.duration && summary.streams == plainSummary.streams)
            #expect(try content("flushed." + container, format: nil).sorted() == plain.sorted(), "\(flushes)")
        }
    }

    static let soundMuxers = Capabilities.muxers().map(\.name).filter { name in
        let info = try? StreamWriter.resolveMuxer(format: name, name: "")
        return info.map { $0.needsFile && !$0.isDevice && $0.defaultAudioEncoder != nil } ?? false
    }

    @Test(arguments: soundMuxers) func everyMuxerOfSoundHoldsTheSame(muxer: String) throws {
        guard let stream = Self.soundTries(nil).first(where: { (try? encode([$0], "plain", muxer: muxer, flushes: [])) != nil }) else { return }
        let plain = try folder.bytes("plain")
        for flushes in Self.places {
            _ = try encode([stream], "flushed", muxer: muxer, flushes: flushes, last: true)
            if try folder.bytes("flushed") == plain { continue }
            let readers = ["matroska": "matroska", "webm": "matroska", "mpegts": "mpegts"]
            // FFmpeg 7's decoder of Speex gives other samples each time it reads the same file.
            let isDecoded = muxer != "spx"
            let held = try content("plain", format: readers[muxer], isDecoded: isDecoded)
            #expect(try content("flushed", format: readers[muxer], isDecoded: isDecoded) == held, "\(flushes)")
        }
    }

    @Test func filtersGoOnAsIfNothingWere() throws {
        let sound = StreamConfig.audio(
            AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "flac", filterDesc: "atempo=0.7,aecho=0.8:0.9:40:0.3"))
        let picture = StreamConfig.video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "ffv1", encoderFrameRate: Rational(60, 1)!,
                encoderFormat: "bgr0", filterDesc: "tmix=frames=3,reverse"))
        for stream in [sound, picture] { try expectSame([stream], seconds: 1) }
    }

    @Test func anEncoderThatHoldsNothingBackHasGivenAllOfIt() throws {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264", encoderOption: ["tune": "zerolatency"])
        let writer = try StreamWriter(destination: folder.destination("a.ts"), format: "mpegts")
        _ = try writer.addStream(.video(config))
        try writer.open()
        try writer.send(pictures(count: 9, bytesPerFrame: Self.frame))
        try writer.flush()
        #expect(try probe(folder.path("a.ts"))["nb_read_frames"] == "9")
        _ = try writer.close()
    }
}
