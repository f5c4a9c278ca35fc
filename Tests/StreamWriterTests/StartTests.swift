import Foundation
import StreamWriter
import Testing

/// Where time begins in the file, whatever comes first.
@Suite struct StartTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    private func writer(_ name: String, format: String?, rate: Int = 25, sound: String? = nil, option: [String: String] = [:]) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination(name), format: format)
        let picture = name.hasSuffix("asf") || name.hasSuffix("avi") || name.hasSuffix("ogv") || name.hasSuffix("mxf") ? nil : name.hasSuffix("webm") ? "libvpx" : "libx264"
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(rate, 1)!, width: 64, height: 48, encoder: picture)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: name.hasSuffix("mxf") ? 48_000 : 44_100, numChannels: 2, format: .s16, encoder: sound)))
        try writer.open(option: option)
        return writer
    }

    /// Seconds, in the order of decoding.
    private func times(_ probe: Probe, _ stream: Int, _ entry: String) -> [Double] {
        probe.packets(of: stream).compactMap { $0.number(entry) }
    }

    @Test(arguments: [
        "flv", "nut", "asf", "mkv", "mp4", "mov", "ts", "avi", "webm", "ogv", "3gp", "mxf", "fragmented.mp4", "live.webm",
    ])
    func soundAfterAllOfItsPicturesKeepsItsPlace(container: String) throws {
        let option = container == "fragmented.mp4" ? ["movflags": "frag_keyframe+empty_moov"] : [:]
        let format = ["ts": "mpegts"][container]
        let writer = try writer("a." + container, format: format, sound: ["flv", "3gp"].contains(container) ? "aac" : nil, option: option)
        try writer.send(pictures(count: 300, bytesPerFrame: Self.frame), to: 0, piece: 100 * Self.frame)
        try writer.send(tone(samples: 12 * (container == "mxf" ? 48_000 : 44_100), channels: 2, rate: 44_100), to: 1)
        let summary = try writer.close()
        let probe = try Probe(folder.path("a." + container), showing: ["packets"])
        #expect(probe.packets(of: 0).count == Int(summary.streams[0].packets))
        #expect(probe.packets(of: 0).count >= 300)
        for stream in 0..<2 {
            let order = times(probe, stream, "dts_time")
            #expect(zip(order, order.dropFirst()).allSatisfy { $0 <= $1 }, "stream \(stream)")
            // mp4 and mov say in an edit list what lies before zero, Matroska in a codec's delay, and mxf has no times.
            if !["mp4", "mov", "3gp", "mxf", "ogv", "webm", "live.webm"].contains(container) { #expect(order.allSatisfy { $0 >= 0 }, "stream \(stream)") }
        }
        let pictures = times(probe, 0, "pts_time").sorted(), sounds = times(probe, 1, "pts_time")
        // avi has no times of presentation.
        let first = pictures.first ?? 0
        if container != "avi" { #expect(abs(pictures[pictures.count - 1] - first - 299.0 / 25) < 0.002) }
        // The encoders' samples before the first, at most two frames of theirs, are all that lies between.
        #expect(sounds[0] - first <= 0.001 && sounds[0] - first > -2 * 2048 / 44_100.0 || container == "avi", "\(sounds[0]) and \(first)")
        #expect(sounds[sounds.count - 1] > 11.8 && sounds[sounds.count - 1] < 12.2)
        let complaints = try run(["sh", "-c", "ffmpeg -v error -i '\(folder.path("a." + container))' -f null - 2>&1"])
        #expect(String(decoding: complaints, as: UTF8.self) == "")
    }

    @Test(arguments: ["flv", "ts", "mkv"], [1, 2])
    func fewPicturesBesideSoundKeepTheirTimes(container: String, rate: Int) throws {
        let writer = try writer("a." + container, format: container == "ts" ? "mpegts" : nil, rate: rate, sound: "aac")
        let seconds = 50
        let second = pictures(count: rate, bytesPerFrame: Self.frame)
        let sound = tone(samples: 44_100, channels: 2, rate: 44_100)
        for _ in 0..<seconds {
            try writer.send(second, to: 0)
            try writer.send(sound, to: 1)
        }
        #expect(try writer.close().streams.map(\.packets)[0] == Int64(seconds * rate))
        let probe = try Probe(folder.path("a." + container), showing: ["packets"])
        for stream in 0..<2 {
            let order = times(probe, stream, "dts_time")
            // Matroska has no decoding times.
            if container == "mkv" && stream == 0 { continue }
            // FFmpeg 7's muxer says in the codec's delay that AAC's samples before the first lie before zero.
            let start = container == "mkv" && isFFmpeg7 ? -1024.0 / 44_100 - 0.001 : 0
            #expect(order.allSatisfy { $0 >= start } && zip(order, order.dropFirst()).allSatisfy { $0 < $1 }, "stream \(stream): \(order.prefix(5))")
        }
        let shown = times(probe, 0, "pts_time").sorted()
        #expect(shown.count == seconds * rate)
        for (index, time) in shown.enumerated() { #expect(abs(time - shown[0] - Double(index) / Double(rate)) < 0.0011) }
        // Before the first sample that was sent AAC has 1,024 of its own; flv may have them earlier.
        #expect(abs(times(probe, 1, "pts_time")[1] - shown[0]) < 0.002, "picture and sound begin together")
    }

    /// Without edit lists, and with pictures that are dated back rather than decoded earlier (ISO/IEC 23000-19, 7.5.17),
    /// each track began at zero: the sound by its encoder's own samples late.
    @Test(arguments: [("mp4", "cmaf"), ("mp4", "cmaf+frag_keyframe"), ("ismv", ""), ("mp4", "negative_cts_offsets+frag_keyframe+empty_moov")])
    func fragmentsWithoutEditListsBeginTogether(muxer: String, flags: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264")))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "aac")))
        try writer.open(option: flags.isEmpty ? [:] : ["movflags": flags])
        try writer.send(pictures(count: 25, bytesPerFrame: Self.frame), to: 0)
        try writer.send(tone(samples: 48_000, channels: 2), to: 1)
        _ = try writer.close()
        let starts = try Fragments(folder.bytes("a")).starts
        // AAC has 1,024 samples of its own before the first.
        #expect(abs(starts[0] - starts[1] - 1_024.0 / 48_000) < 0.0002, "\(starts)")
    }

    /// FFmpeg's command line finds from the packets how far to move them.
    @Test(arguments: ["aac", "libmp3lame", "ac3", "libopus", "libvorbis", "mp2", "flac"])
    func soundBeginsWhereFFmpegHasItBegin(encoder: String) throws {
        let config = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder))
        let sound = tone(samples: 9_600, channels: 2)
        let twin = try Twin(config, sound, container: "nut", input: ["-f", "s16le", "-ar", "48000", "-ac", "2"])
        #expect(twin.packetDifference == nil)
        let writer = try StreamWriter(destination: folder.destination("a.nut"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(1, 1)!, width: 64, height: 48, encoder: "rawvideo")))
        _ = try writer.addStream(config)
        try writer.open()
        try writer.send(pictures(count: 12, bytesPerFrame: Self.frame), to: 0)
        try writer.send(sound, to: 1)
        _ = try writer.close()
        let probe = try Probe(folder.path("a.nut"), showing: ["packets"])
        #expect(times(probe, 1, "pts_time") == times(twin.ours, 0, "pts_time"), "its delay was known before the pictures were written")
    }

    @Test(arguments: ["libx264", "libx265", "mpeg2video", "mpeg4"])
    func reorderedPicturesAfterAllOfTheSoundBeginAtZero(encoder: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a.ts"), format: "mpegts")
        let config = encoder.hasPrefix("mpeg") ? CodecConfig(maxBFrames: 2) : CodecConfig()
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder, codecConfig: config)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "mp2")))
        try writer.open()
        try writer.send(tone(samples: 12 * 48_000, channels: 1), to: 1)
        try writer.send(pictures(count: 60, bytesPerFrame: Self.frame), to: 0)
        _ = try writer.close()
        let probe = try Probe(folder.path("a.ts"), showing: ["packets"])
        let order = times(probe, 0, "dts_time")
        #expect(order[0] == 0 && zip(order, order.dropFirst()).allSatisfy { $0 < $1 }, "\(order.prefix(4))")
        // mp2 has 481 samples of its own first.
        let first = times(probe, 0, "pts_time").min() ?? 0
        #expect(abs(times(probe, 1, "pts_time")[0] - (first - 481.0 / 48_000)) < 0.001)
    }

    @Test func aGapBehindTheFirstPictureDoesNotMoveTheStart() throws {
        let writer = try writer("a.flv", format: nil, sound: "aac")
        try writer.send(tone(samples: 44_100, channels: 2, rate: 44_100), to: 1)
        try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), to: 0)
        try writer.send(pictures(count: 30, bytesPerFrame: Self.frame), to: 0, pts: 7)
        _ = try writer.close()
        let probe = try Probe(folder.path("a.flv"), showing: ["packets"])
        #expect(times(probe, 0, "dts_time").allSatisfy { $0 >= 0 })
        let shown = times(probe, 0, "pts_time").sorted()
        #expect(abs(shown[1] - shown[0] - 7) < 0.0011)
        // x264 reorders by two pictures.
        #expect(abs(shown[0] - 2.0 / 25) < 0.0011)
    }

    /// AAC has 1,024 samples before the first.
    @Test(arguments: ["frag_keyframe+empty_moov", "frag_keyframe+empty_moov+default_base_moof", "frag_keyframe", "frag_keyframe+delay_moov", "faststart"])
    func picturesThatBeginLaterDoSoInFragmentsToo(movflags: String) throws {
        let writer = try writer("a.mp4", format: nil, sound: "aac", option: ["movflags": movflags])
        try writer.send(pictures(count: 10, bytesPerFrame: Self.frame), to: 0, pts: 1)
        try writer.send(tone(samples: 66_150, channels: 2, rate: 44_100), to: 1)
        _ = try writer.close()
        let probe = try Probe(folder.path("a.mp4"), showing: ["packets"])
        let pictures = times(probe, 0, "pts_time").sorted(), sounds = times(probe, 1, "pts_time").sorted()
        #expect(pictures.count == 10 && abs(pictures[0] - sounds[0] - 1 - 1024 / 44_100.0) < 0.001, "\(pictures[0]) beside \(sounds[0])")
    }
}
