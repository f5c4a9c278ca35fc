import Foundation
import StreamWriter
import Testing

/// Gaps in time that a container can't hold.
@Suite struct GapTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3
    static let sound = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
    let samples = tone(samples: 4_800, channels: 2)

    /// The tenth of a second twice: from `first` on, and from `second` on.
    private func sound(_ name: String, muxer: String? = nil, encoder: String? = nil, first: Double?, second: Double) throws -> WriterSummary {
        let writer = try StreamWriter(destination: folder.destination(name), format: muxer)
        var config = Self.sound
        config.encoder = encoder
        _ = try writer.addStream(.audio(config))
        try writer.open()
        try writer.send(samples, pts: first)
        #expect(try writer.send(samples, pts: second).startPTS == second)
        return try writer.close()
    }

    @Test(arguments: [
        ("wav", nil, nil), ("flac", nil, nil), ("aiff", nil, nil), ("au", nil, nil), ("w64", nil, nil), ("caf", nil, nil), ("tta", nil, nil),
        ("oga", nil, "flac"), ("mov", nil, "pcm_s16le"), ("mov", nil, "pcm_s16be"),
        ("raw", "s16le", nil), ("avi", "avi", "pcm_s16le"),
    ] as [(String, String?, String?)])
    func soundThatComesLateIsPrecededBySilence(container: String, muxer: String?, encoder: String?) throws {
        let summary = try sound("a." + container, muxer: muxer, encoder: encoder, first: 2.5, second: 3.0)
        let silence = Data(count: 4 * 120_000), gap = Data(count: 4 * 19_200)
        let read = container == "raw" ? try folder.bytes("a.raw") : try decodeAudio(folder.path("a." + container), codec: "pcm_s16le")
        // tta's samples have 8 bits here.
        if container == "tta" {
            #expect(read.count == 4 * (144_000 + 4_800))
        } else {
            #expect(read == silence + samples + gap + samples)
        }
        #expect(summary.duration == 3.1)
        let stream = summary.streams[0]
        #expect(stream.frames == 9_600 && stream.framesEncoded == 148_800)
        #expect(stream.warnings.map(\.code) == [.gapFilled] && stream.warnings[0].parameter == "pts")
        #expect(stream.warnings[0].message.hasPrefix("2.9 s"))
    }

    @Test(arguments: [("mp3", "libmp3lame"), ("aac", "aac"), ("ac3", "ac3"), ("avi", "libmp3lame")])
    func codedSoundKeepsItsPlace(container: String, encoder: String) throws {
        let summary = try sound("a." + container, muxer: container == "aac" ? "adts" : nil, encoder: encoder, first: 2.5, second: 3.0)
        #expect(summary.streams[0].warnings.map(\.code) == [.gapFilled])
        let read = try decodeAudio(folder.path("a." + container), codec: "pcm_s16le")
        let values = read.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        // Encoders smear over a few of their frames, and decoders without a header leave the encoder's delay in.
        let loud = values.indices.filter { abs(Int(values[$0])) > 4_000 }.map { Double($0 / 2) / 48_000 }
        #expect(abs((loud.first ?? 0) - 2.5) < 0.06 && abs((loud.last ?? 0) - 3.1) < 0.06, "\(loud.first ?? 0) to \(loud.last ?? 0)")
        #expect(!loud.contains { $0 > 2.67 && $0 < 2.95 })
    }

    // MARK: Times that no frame has yet

    /// Silence was written for it.
    @Test(arguments: ["wav", "flac", "mp3", "mov"]) func aTimeThatNoFrameFollowsLeavesNothing(container: String) throws {
        for name in ["with", "without"] {
            let writer = try StreamWriter(destination: folder.destination("\(name).\(container)"), format: nil)
            _ = try writer.addStream(.audio(Self.sound))
            try writer.open()
            try writer.send(samples)
            if name == "with" {
                let receipt = try writer.send(Data(), pts: 1.5)
                #expect(receipt.startPTS == 1.5 && receipt.endPTS == 1.5 && writer.progress(of: 0).nextPTS == 1.5)
            }
            let summary = try writer.close()
            #expect(summary.duration == 0.1 && summary.streams[0].warnings.isEmpty)
        }
        #expect(try folder.bytes("with.\(container)") == folder.bytes("without.\(container)"))
    }

    /// The one was a damaged file, the other failed.
    @Test(arguments: ["dv", "mxf"]) func soundThatIsOnlyAnnouncedIsNone(muxer: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 720, height: 576)))
        _ = try writer.addStream(.audio(Self.sound))
        try writer.open()
        try writer.send(Data(), to: 1, pts: 1)
        let summary = try writer.close()
        #expect(summary.streams.allSatisfy { $0.packets == 0 && $0.warnings.isEmpty } && summary.duration == 0)
    }

    @Test func picturesThatAreOnlyAnnouncedFillNothing() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mpg"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        try writer.open()
        try writer.send(Data(), pts: 2)
        let summary = try writer.close()
        #expect(summary.streams[0].warnings.isEmpty && summary.streams[0].framesEncoded == 0)
    }

    /// Also of a sample that comes in pieces, and of a time that was said twice.
    @Test(arguments: [1, 3, 4, 4_001]) func aFrameGoesWhereAnEmptyChunkHasSaid(piece: Int) throws {
        let writer = try StreamWriter(destination: folder.destination("a.wav"), format: nil)
        _ = try writer.addStream(.audio(Self.sound))
        try writer.open()
        try writer.send(samples)
        try writer.send(Data(), pts: 0.25)
        try writer.send(Data(), pts: 0.3)
        // Cut within its first sample.
        #expect(try writer.send(samples.prefix(3)).droppedBytes == 3)
        #expect(try writer.send(samples, piece: piece).startPTS == 0.3)
        #expect(try writer.close().duration == 0.4)
        let read = try decodeAudio(folder.path("a.wav"), codec: "pcm_s16le")
        #expect(read == samples + Data(count: 4 * 9_600) + samples)
    }

    /// Its muxer writes the first packet at zero.
    @Test func soundThatComesLateInFLVIsPrecededBySilence() throws {
        let summary = try sound("a.flv", encoder: "aac", first: 2.5, second: 2.6)
        #expect(summary.streams[0].warnings.map(\.code) == [.gapFilled])
        let times = try Probe(folder.path("a.flv"), showing: ["packets"]).packets.compactMap { $0.number("pts_time") }
        #expect((times.first ?? 1) < 0.03 && zip(times, times.dropFirst()).allSatisfy { $1 - $0 < 0.03 }, "\(times)")
        let read = try decodeAudio(folder.path("a.flv"), codec: "pcm_s16le")
        let values = read.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        let loud = values.indices.filter { abs(Int(values[$0])) > 4_000 }.map { Double($0 / 2) / 48_000 }
        #expect(abs((loud.first ?? 0) - 2.5) < 0.06 && abs((loud.last ?? 0) - 2.7) < 0.06, "\(loud.first ?? 0) to \(loud.last ?? 0)")
    }

    @Test(arguments: ["mka", "mp4", "nut"])
    func containersWithTimesKeepTheGap(container: String) throws {
        let summary = try sound("a." + container, encoder: container == "mp4" ? "aac" : "flac", first: nil, second: 3.0)
        #expect(summary.streams[0].warnings == [])
        let times = try probeList(folder.path("a." + container), "packet", "pts_time").compactMap(Double.init)
        #expect(times.filter { $0 > 0.2 && $0 < 2.9 }.isEmpty)
    }

    @Test(arguments: ["mjpeg", "rawvideo"])
    func picturesThatComeLateAreFilledWithTheOneBefore(muxer: String) throws {
        let name = "a." + muxer
        let writer = try StreamWriter(destination: folder.destination(name), format: muxer)
        // Of one quality, so that a picture that is repeated has the same bytes.
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, format: "yuvj420p", encoder: muxer, codecConfig: CodecConfig(qscale: 3))
        _ = try writer.addStream(.video(config))
        try writer.open()
        let size = 64 * 48 * 3 / 2
        let clip = pictures(count: 3, bytesPerFrame: size)
        func picture(_ index: Int) -> Data { Data(clip[(index * size)..<((index + 1) * size)]) }
        try writer.send(picture(0), pts: 0.12)
        try writer.send(picture(1) + picture(2), pts: 0.4)
        let summary = try writer.close()
        // Three frames of the first picture before its own; six after it.
        let expected = Array(repeating: 0, count: 10) + [1, 2]
        #expect(summary.streams[0].framesEncoded == 12 && summary.streams[0].frames == 3)
        #expect(summary.duration == 0.48)
        #expect(summary.streams[0].warnings.map(\.code) == [.gapFilled])
        if muxer == "rawvideo" {
            #expect(try folder.bytes(name) == expected.map(picture).reduce(Data(), +))
        } else {
            let hashes = try Probe(folder.path(name), showing: ["packets"], hashing: true).packets.compactMap { $0["data_hash"] as String? }
            #expect(hashes.count == 12 && Set(hashes[..<10]).count == 1 && Set(hashes).count == 3)
        }
    }

    @Test func aviBeginsWhereItWasSentToBegin() throws {
        let writer = try StreamWriter(destination: folder.destination("a.avi"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        _ = try writer.addStream(.audio(Self.sound))
        try writer.open()
        try writer.send(pictures(count: 5, bytesPerFrame: Self.frame), to: 0, pts: 1)
        try writer.send(samples, to: 1, pts: 1)
        let summary = try writer.close()
        #expect(summary.streams.map { $0.warnings.map(\.code) } == [[.gapFilled], [.gapFilled]])
        // The first picture is there from the start, and avi itself says by empty frames how long it is. All is
        // later by the samples that mp3 has first, in whole pictures one.
        let times = try probeList(folder.path("a.avi"), "packet", "pts_time").compactMap(Double.init)
        #expect(times == [0, 1.04, 1.08, 1.12, 1.16, 1.2])
    }

    @Test func gapsTooLongToFillOrToTellAreRefused() throws {
        for (name, encoder, pts) in [("a.wav", nil, 3_601.0), ("a.mp4", "aac", 44_800), ("b.mp4", "aac", 1e9)] as [(String, String?, Double)] {
            let writer = try StreamWriter(destination: folder.destination(name), format: nil)
            var config = Self.sound
            config.encoder = encoder
            _ = try writer.addStream(.audio(config))
            try writer.open()
            try writer.send(samples)
            let error = try #require(throws: StreamWriterError.self, "\(name)") { try writer.send(samples, pts: pts) }
            #expect(error.code == .invalidParameter && error.parameter == "pts")
            // It goes on from where it was.
            try writer.send(samples)
            #expect(try writer.close().duration == 0.2)
        }
    }

    /// By what each of FFmpeg's formats has for a packet's time: AVFMT_VARIABLE_FPS and AVFMT_NOTIMESTAMPS in its
    /// sources, and what the formats are.
    @Test func everyMuxersGapsAreAsItsFormatHasThem() throws {
        let holding = [
            "3g2", "3gp", "asf", "dash", "hls", "ipod", "ismv", "matroska", "mov", "mp4", "mpegts", "nut", "rtp_mpegts", "rtsp", "webm", "ivf", "framemd5",
            "psp", "f4v",
        ]
        let filled = [
            "ac3", "adts", "aiff", "au", "caf", "eac3", "f32le", "flac", "h264", "hevc", "image2", "image2pipe", "latm", "m4v", "mjpeg", "mp2", "mp3", "mxf",
            "rawvideo", "s16le", "tta", "w64", "wav", "wv", "yuv4mpegpipe", "voc", "obu", "dts", "gsm", "amr", "mpeg", "vob", "dvd", "svcd", "vcd", "ogg", "oga",
            "ogv", "opus", "rm",
        ]
        for (names, expected) in [(holding, GapFilling.none), (filled, .all)] {
            for name in names {
                let info = try StreamWriter.resolveMuxer(format: name, name: "")
                #expect(info.gapFilling(of: .audio) == expected && info.gapFilling(of: .video) == expected, "\(name)")
            }
        }
        let flv = try StreamWriter.resolveMuxer(format: "flv", name: "")
        #expect(flv.gapFilling(of: .audio) == .start && flv.gapFilling(of: .video) == .none)
        for name in ["apng", "gif", "webp", "avif"] where (try? StreamWriter.resolveMuxer(format: name, name: "")) != nil {
            #expect(try StreamWriter.resolveMuxer(format: name, name: "").gapFilling(of: .video) == .start)
        }
        let avi = try StreamWriter.resolveMuxer(format: "avi", name: "")
        #expect(avi.gapFilling(of: .audio) == .all && avi.gapFilling(of: .video) == .start)
    }

    // MARK: What encoders hold back

    /// What an encoder held of the sound before the gap was in one packet with what came behind it, at the time of the
    /// first: up to a packet of sound was played before the gap.
    @Test(arguments: [
        ("libopus", "matroska"), ("libopus", "webm"), ("vorbis", "matroska"), ("libspeex", "nut"), ("g722", "nut"), ("libmp3lame", "matroska"), ("aac", "mp4"),
        ("truehd", "matroska"),
    ])
    func soundBehindAGapIsNotPlayedBeforeIt(encoder: String, muxer: String) throws {
        for count in encoder == "libspeex" ? [2_000] : [100, 2_000] {
            let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
            var config = Self.sound
            config.encoder = encoder
            if ["vorbis", "truehd"].contains(encoder) { config.encoderOption = ["strict": "experimental"] }
            _ = try writer.addStream(.audio(config))
            try writer.open()
            try writer.send(Data(count: 4 * 48_000))
            let loud = (0..<count * 2).map { Int16(12_000 * sin(Double($0 / 2) / 5)) }
            try writer.send(loud.withUnsafeBytes { Data($0) }, pts: 20)
            let summary = try writer.close()
            // Of resampled sound the last frame is a whole one.
            #expect(abs(summary.duration - 20 - Double(count) / 48_000) < 0.03 && summary.streams[0].warnings.allSatisfy { $0.code != .gapFilled })
            let read = try run([
                "ffmpeg", "-v", "error", "-i", folder.path("a"), "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "s16le", "-",
            ])
            let first = read.withUnsafeBytes { bytes in bytes.bindMemory(to: Int16.self).firstIndex { abs(Int($0)) > 2_500 } }
            let seconds = Double(first ?? 0) / 48_000
            // A codec's own delay is not cut off everywhere.
            #expect(abs(seconds - 20) < 0.05, "\(count) samples are at \(seconds) s")
        }
    }
}
