import Foundation
import StreamWriter
import Testing

/// The format that an encoder gets where none is named, and what is said about it.
@Suite struct FormatChoiceTests {
    let folder = TemporaryFolder()
    static let (width, height) = (64, 64)

    private static func config(_ format: String, _ encoder: String, filter: String? = nil) -> VideoStreamConfig {
        VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: width, height: height, format: format, encoder: encoder, filterDesc: filter)
    }

    private func chosen(_ config: VideoStreamConfig) throws -> StreamDescription {
        let writer = try StreamWriter(destination: folder.destination("a"), format: "framemd5")
        return writer.description(of: try writer.addStream(.video(config)))
    }

    private func chosen(_ format: SampleFormat, _ encoder: String) throws -> StreamDescription {
        let containers = ["tta": "tta", "pcm_dvd": "mpg"]
        let writer = try StreamWriter(destination: folder.destination("a.\(containers[encoder] ?? "mkv")"), format: nil)
        return writer.description(
            of: try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: format, encoder: encoder))))
    }

    private static let pictureEncoders = [
        "ffv1", "huffyuv", "ffvhuff", "utvideo", "png", "apng", "qtrle", "prores_ks", "gif", "mjpeg", "mpeg4", "libvpx-vp9",
        "libx265", "libaom-av1", "libsvtav1", "magicyuv", "tiff", "bmp", "libtheora",
    ]

    @Test(arguments: ["gray", "gray16le", "rgb24", "rgba", "rgb48le", "yuv420p", "yuv444p", "yuva420p", "nv12", "yuv420p10le", "yuv444p12le", "ya8"])
    func pictureFormatIsFFmpegs(format: String) throws {
        let frame = try chosen(Self.config(format, "rawvideo")).inputFrameBytes
        let choices = try ffmpegChoices(
            ["-f", "rawvideo", "-pix_fmt", format, "-s", "\(Self.width)x\(Self.height)", "-r", "25"], Data(count: frame),
            Self.pictureEncoders, "v")
        let rawTagged = choices.compactMapValues { words in words.dropFirst(2).first { $0 != "lossless" } }
        #expect(rawTagged.count > 15)
        for (encoder, expected) in rawTagged {
            // Of ffvhuff's formats with alpha FFmpeg takes one that is not exact, or another that is as good; so are rgb8 and bgr8.
            guard encoder != "ffvhuff" || !["rgba", "ya8"].contains(format) else { continue }
            let chosen = try chosen(Self.config(format, encoder)).encoderFormat
            // FFmpeg 7 has yuv420p of the full range for yuvj420p.
            let ours = isFFmpeg7 ? chosen.replacingOccurrences(of: "yuvj", with: "yuv") : chosen
            let theirs = isFFmpeg7 ? expected.replacingOccurrences(of: "yuvj", with: "yuv") : expected
            #expect((ours == "rgb8" ? "bgr8" : ours) == theirs, "\(encoder)")
        }
    }

    @Test(arguments: SampleFormat.allCases.filter { $0 != .s64 }) func sampleFormatIsFFmpegs(format: SampleFormat) throws {
        let encoders = ["flac", "alac", "tta", "wavpack", "mlp", "truehd", "libmp3lame", "libopus", "aac", "mp2", "ac3", "libtwolame", "libvorbis"]
        let choices = try ffmpegChoices(
            ["-f", format.rawName, "-ar", "48000", "-ac", "2"], Data(count: 32_000), encoders, "a")
        #expect(choices.count == encoders.count)
        for (encoder, words) in choices {
            let expected = words[3].split(separator: " ")[0]
            #expect(try chosen(format, encoder).encoderFormat == expected, "\(encoder)")
        }
    }

    @Test(arguments: [
        ("rgb24", "yuv420p"), ("rgba", "yuv420p"), ("gray8", "yuv420p"), ("gray16le", "yuv420p"), ("rgb48le", "yuv420p"), ("yuv444p", "yuv420p"),
        ("yuv422p", "yuv420p"), ("nv12", "yuv420p"), ("yuvj420p", "yuvj420p"), ("yuv420p10le", "yuv420p10le"), ("p010le", "yuv420p10le"),
        ("yuv422p10le", "yuv422p10le"), ("yuv444p12le", "yuv444p10le"),
    ])
    func h264IsWhatPlayersTake(format: String, expected: String) throws {
        #expect(try chosen(Self.config(format, "libx264")).encoderFormat == expected)
    }

    @Test(arguments: [
        ("libx265", "rgb24", "a.mp4", "yuv420p"), ("libx265", "rgb24", "a.mov", "yuv420p"), ("libx265", "gray8", "a.ts", "yuv420p"),
        ("libx265", "rgb48le", "a.mp4", "yuv420p10le"), ("libx265", "rgb24", "a.mkv", "gbrp"), ("libx265", "yuv444p", "a.mp4", "yuv444p"),
        ("libvpx-vp9", "rgb24", "a.webm", "yuv420p"), ("libvpx-vp9", "rgba", "a.webm", "yuva420p"), ("libvpx-vp9", "gray8", "a.webm", "yuv420p"),
        ("libvpx-vp9", "rgb24", "a.mkv", "gbrp"), ("libaom-av1", "rgb24", "a.mp4", "yuv420p"), ("libaom-av1", "rgb24", "a.mkv", "gbrp"),
        ("ffv1", "rgb24", "a.mkv", "bgr0"),
    ])
    func inContainersOfPlayersRGBIsWhatTheyTake(encoder: String, format: String, name: String, expected: String) throws {
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        let chosen = writer.description(of: try writer.addStream(.video(Self.config(format, encoder))))
        #expect(chosen.encoderFormat == expected)
        let isRGB = ["gbrp"].contains(expected)
        #expect(chosen.warnings.contains { $0.code == .fewPlayers && $0.message.contains("encoder_format yuv420p") } == isRGB)
        if expected.hasPrefix("yuv420p") { #expect(chosen.warnings.contains { $0.code == .colorConverted }) }
    }

    /// What libav's scaler takes through other numbers.
    @Test(arguments: [("bgra64le", "ffv1", true), ("bgra64le", "png", true), ("xyz12le", "ffv1", true), ("rgba64le", "png", false), ("rgb48le", "png", false)])
    func roundedColorsAreSaid(format: String, encoder: String, isRounded: Bool) throws {
        #expect(try chosen(Self.config(format, encoder)).warnings.contains { $0.code == .colorConverted } == isRounded)
    }

    @Test func losslessEncodingsStayWithoutLoss() throws {
        for (encoder, option) in [("libvpx-vp9", ["lossless": "1"]), ("libx265", ["x265-params": "lossless=1:log-level=none"])] {
            var config = Self.config("rgb24", encoder)
            config.encoderOption = option
            let writer = try StreamWriter(destination: folder.destination("a.mp4"), format: nil)
            let chosen = writer.description(of: try writer.addStream(.video(config)))
            #expect(chosen.encoderFormat == "gbrp" && chosen.warnings.map(\.code) == [.fewPlayers])
        }
    }

    @Test(arguments: [
        ("a.mp4", true, "libx264"), ("a.mp4", true, "libx265"), ("a.mov", true, nil), ("a.mkv", true, nil), ("a.ts", true, "libx264"), ("a.flv", true, "libx264"),
        ("a.webm", true, nil), ("a.avi", true, nil), ("a.ogv", true, nil), ("a.m3u8", true, "libx264"), ("a.mpd", true, "libx264"), ("a.wav", false, nil), ("a.flac", false, nil),
        ("a.m4a", false, nil), ("a.aac", false, nil), ("a.mp3", false, nil), ("a.opus", false, nil), ("a.ogg", false, "libopus"), ("a.mka", false, "flac"), ("a.ts", false, "aac"),
        ("a.aiff", false, nil), ("a.caf", false, nil), ("a.wv", false, nil), ("a.ac3", false, nil),
    ] as [(String, Bool, String?)])
    func plainWritersHaveNoWarnings(name: String, isVideo: Bool, encoder: String?) throws {
        let opensItself = name.hasSuffix("m3u8") || name.hasSuffix("mpd")
        let writer = try StreamWriter(destination: opensItself ? .url(folder.path(name)) : folder.destination(name), format: nil)
        let config: StreamConfig = isVideo
            ? .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 64, format: "yuv420p", encoder: encoder))
            : .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder))
        #expect(writer.description(of: try writer.addStream(config)).warnings == [])
    }

    @Test func formatThatFiltersNameIsLeftAlone() throws {
        #expect(try chosen(Self.config("rgb24", "libx264", filter: "format=yuv444p")).encoderFormat == "yuv444p")
        #expect(try chosen(Self.config("rgb24", "libx264", filter: "hue=s=0")).encoderFormat == "yuv420p")
        #expect(try chosen(Self.config("rgb24", "ffv1", filter: "format=gray")).encoderFormat == "gray")
    }

    @Test(arguments: [
        ("rgb24", "libx264", ["color-converted encoder", "chroma-subsampled encoder_format"]),
        ("rgba", "libx264", ["alpha-dropped encoder", "color-converted encoder", "chroma-subsampled encoder_format"]),
        ("yuv420p10le", "mpeg4", ["depth-reduced encoder"]), ("yuv420p10le", "libx264", []), ("yuv420p", "libx264", []),
        ("yuv444p", "libx264", ["chroma-subsampled encoder_format"]), ("gray8", "ffv1", []), ("rgba", "png", []), ("rgb48le", "png", []),
        ("rgba", "libvpx-vp9", ["color-converted encoder", "chroma-subsampled encoder"]), ("rgb24", "gif", ["depth-reduced encoder"]),
        ("yuv420p", "huffyuv", ["color-converted encoder"]), ("rgb24", "rawvideo", []),
    ])
    func whatIsLostIsSaid(format: String, encoder: String, expected: [String]) throws {
        #expect(try chosen(Self.config(format, encoder)).warnings.map { "\($0.code.rawValue) \($0.parameter ?? "")" } == expected)
    }

    @Test func namedFormatIsNoSurprise() throws {
        var config = Self.config("rgb24", "libx264")
        config.encoderFormat = "yuv420p"
        #expect(try chosen(config).warnings == [])
    }

    static let lossless = ["ffv1", "huffyuv", "ffvhuff", "utvideo", "png", "apng", "qtrle", "magicyuv", "rawvideo"]
    static let sources = [
        "gray8", "gray16le", "rgb24", "bgr24", "rgb0", "rgba", "abgr", "gbrp", "rgb48le", "rgba64le", "yuv420p", "yuv422p", "yuv444p", "yuva420p", "yuva444p",
        "nv12", "yuyv422", "yuv420p10le", "p010le", "yuv422p12le", "gray10le", "ya8", "gbrp10le",
    ]

    /// What nothing is said about comes back bit for bit.
    @Test(arguments: lossless) func losslessEncoderGivesBackWhatItWasSent(encoder: String) throws {
        var held = 0
        for source in Self.sources where encoder != "rawvideo" || source != "p010le" {
            let config = Self.config(source, encoder)
            let description = try chosen(config)
            // Gray in the form of RGB, or of qtrle's palette, is not quite the same when it is made gray again.
            guard description.warnings.isEmpty, source != "ya8" || description.encoderFormat == "ya8", source != "gray8" || encoder != "qtrle"
            else { continue }
            held += 1
            let data = Self.clip(source, description.inputFrameBytes)
            let name = "\(encoder)-\(source)." + (["png", "qtrle"].contains(encoder) ? "mov" : encoder == "apng" ? "apng" : encoder == "rawvideo" ? "nut" : "mkv")
            try encode(.video(config), data, to: folder.destination(name))
            // The fourth byte of rgb0 is nothing.
            let (sent, seen) = source == "rgb0" ? (Self.withoutPadding(data), "rgb24") : (data, source == "gray8" ? "gray" : source)
            #expect(try decodeVideo(folder.path(name), format: seen) == sent, "\(source) as \(description.encoderFormat)")
        }
        #expect(held >= 3)
    }

    private static func withoutPadding(_ data: Data) -> Data { Data(data.indices.filter { $0 % 4 != 3 }.map { data[$0] }) }

    private static func clip(_ source: String, _ frameBytes: Int) -> Data {
        var data = pictures(count: 2, bytesPerFrame: frameBytes)
        // p010 has its bits at the top.
        if source == "p010le" { for index in stride(from: 0, to: data.count, by: 2) { data[index] &= 0xc0 } }
        let mask = [("10le", UInt8(0x03)), ("12le", 0x0f)].first { source.hasSuffix($0.0) && source != "p010le" }?.1
        if let mask { for index in stride(from: 1, to: data.count, by: 2) { data[index] &= mask } }
        return data
    }

    @Test(arguments: [
        ("flac", "flac"), ("alac", "m4a"), ("wavpack", "wv"), ("tta", "tta"), ("pcm_s16le", "wav"), ("pcm_s24le", "wav"),
        ("pcm_s32le", "wav"), ("pcm_s64le", "nut"), ("pcm_f32le", "wav"), ("pcm_f64le", "wav"), ("pcm_u8", "wav"),
    ])
    func losslessSoundComesBackAsItWas(encoder: String, container: String) throws {
        var held = 0
        for format in SampleFormat.allCases {
            guard try chosen(format, encoder).warnings.isEmpty else { continue }
            held += 1
            let data = AudioMatrixTests.signal(format, channels: 2)
            let name = "\(format).\(container)"
            try encode(
                .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: format, encoder: encoder)), data, to: folder.destination(name))
            #expect(try decodeAudio(folder.path(name), codec: "pcm_\(format.rawName)") == data, "\(format)")
        }
        #expect(held > 0)
    }

    /// FFmpeg's encoder makes errors of square waves at full scale; its frames are filled up to their size.
    @Test(arguments: [("mlp", "mlp"), ("truehd", "thd")]) func losslessDiscSoundComesBackAsItWas(encoder: String, container: String) throws {
        let data = tone(samples: 14_417, channels: 2)
        try encode(
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder)), data,
            to: folder.destination("a.\(container)"), format: encoder)
        let back = try decodeAudio(folder.path("a.\(container)"), codec: "pcm_s16le")
        #expect(back.prefix(data.count) == data && back.count - data.count < 2048)
    }

    @Test(arguments: [
        (SampleFormat.flt, "pcm_s16le", true), (.s32, "flac", true), (.s16, "flac", false), (.s32, "wavpack", false), (.flt, "wavpack", false), (.dbl, "wavpack", true),
        (.flt, "flac", true), (.s32, "pcm_s24le", true), (.flt, "aac", false), (.s32, "pcm_f32le", true), (.u8, "tta", false), (.s32, "pcm_dvd", true), (.s16, "pcm_dvd", false),
    ])
    func lostBitsOfSamplesAreSaid(format: SampleFormat, encoder: String, isLost: Bool) throws {
        #expect(try chosen(format, encoder).warnings.map(\.code) == (isLost ? [.depthReduced] : []))
    }

    /// ffprobe finds yuv420p in a WebP of RGB, unless it is lossless.
    @Test(arguments: [(nil, nil, true), ("bgra", nil, true), (nil, "1", false), ("bgra", "1", false)] as [(String?, String?, Bool)])
    func webPOfRGBIsSaidToLoseColor(encoderFormat: String?, lossless: String?, isLost: Bool) throws {
        var config = Self.config("rgb24", "libwebp")
        config.encoderFormat = encoderFormat
        config.encoderOption = lossless.map { ["lossless": $0] } ?? [:]
        #expect(try chosen(config).warnings.map(\.code) == (isLost ? [.chromaSubsampled] : []))
        try encode(.video(config), pictures(count: 1, bytesPerFrame: Self.width * Self.height * 3), to: folder.destination("a.webp"))
        #expect(try probe(folder.path("a.webp"))["pix_fmt"] == (isLost ? "yuv420p" : "argb"))
    }

    /// As many samples of color, at other places.
    @Test func chromaOfAnotherShapeIsSaidToBeConverted() throws {
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, format: "yuv411p", encoder: "mpeg4")
        let chosen = try chosen(config)
        #expect(chosen.encoderFormat == "yuv420p" && Set(chosen.warnings.map(\.code)).isSuperset(of: [.chromaSubsampled, .colorConverted]), "\(chosen)")
    }

    /// FFmpeg's own gave samples of gray16le that were 12,515 away.
    @Test(arguments: ["gray16le", "rgb48le"]) func jpeg2000OfMoreThan8BitsIsRefused(format: String) throws {
        let error = try #require(throws: StreamWriterError.self) { try chosen(Self.config(format, "jpeg2000")) }
        #expect(error.code == .unsupportedValue && error.parameter == "encoder" && error.message.contains("libopenjpeg"), "\(error)")
        #expect(try chosen(Self.config(format, "libopenjpeg")).warnings.isEmpty)
        let config = Self.config(format, "libopenjpeg")
        let data = pictures(count: 1, bytesPerFrame: Self.width * Self.height * (format == "rgb48le" ? 6 : 2))
        try encode(.video(config), data, to: folder.destination("a.mov"))
        #expect(try decodeVideo(folder.path("a.mov"), format: format) == data)
    }

    /// 24-bit samples, at the top of 32.
    @Test(arguments: [("flac", "flac"), ("alac", "m4a"), ("tta", "tta"), ("pcm_s24le", "wav")])
    func samplesOf24BitsAreKept(encoder: String, container: String) throws {
        let samples = (0..<9000).map { Int32(truncatingIfNeeded: $0 &* 0x9e37_79b9) & ~0xff }
        let data = samples.withUnsafeBytes { Data($0) }
        let name = "a.\(container)"
        try encode(
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s32, encoder: encoder)), data, to: folder.destination(name))
        #expect(try decodeAudio(folder.path(name), codec: "pcm_s32le") == data)
    }

    @Test(arguments: [("wavpack", "wv"), ("libopus", "ogg"), ("libtwolame", "mp2"), ("pcm_f32le", "wav"), ("libmp3lame", "mp3"), ("aac", "m4a"), ("libvorbis", "ogg"), ("ac3", "ac3")])
    func floatsThatAreNoNumbersHurtNothing(encoder: String, container: String) throws {
        for bad in [Float.nan, .infinity, -.infinity, 3e38] {
            let writer = try StreamWriter(destination: folder.destination("a.\(container)"), format: nil)
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, encoder: encoder)))
            try writer.open()
            let good = [Float](repeating: 0.25, count: 2 * 4800)
            try writer.send(Self.bytes(good))
            let samples = [Float](repeating: bad, count: 2 * 4800)
            let refusal = code { _ = try writer.send(Self.bytes(samples)) }
            #expect([nil, .invalidSamples].contains(refusal), "\(bad)")
            try writer.send(Self.bytes(good))
            _ = try writer.close()
            if encoder == "wavpack" || encoder == "pcm_f32le" {
                #expect(try decodeAudio(folder.path("a.\(container)"), codec: "pcm_f32le") == Self.bytes(good + samples + good))
            }
        }
    }

    /// They were clicks at full scale, and what Opus made of them.
    @Test(arguments: [
        ("flac", "flac", nil), ("pcm_s16le", "wav", nil), ("pcm_s24le", "wav", nil), ("alac", "m4a", nil), ("libopus", "ogg", nil), ("libvorbis", "ogg", nil),
        ("ac3", "ac3", nil), ("flac", "flac", "volume=0.5"), ("flac", "flac", "aresample=44100"),
    ] as [(String, String, String?)])
    func floatsThatAreNoNumbersAreRefusedWhereTheyWouldBecomeSound(encoder: String, container: String, filter: String?) throws {
        for (bad, format) in [(Double.nan, SampleFormat.flt), (.infinity, .flt), (-.infinity, .dbl), (.nan, .dbl)] {
            let writer = try StreamWriter(destination: folder.destination("a.\(container)"), format: nil)
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: format, encoder: encoder, filterDesc: filter)))
            try writer.open()
            var samples = [Double](repeating: 0.25, count: 2 * 4800)
            samples[2 * 1000 + 1] = bad
            let data = format == .dbl ? samples.withUnsafeBytes { Data($0) } : Self.bytes(samples.map { Float($0) })
            let error = try #require(throws: StreamWriterError.self) { _ = try writer.send(data) }
            #expect(error.code == .invalidSamples && error.sample?.frame == 1000 && error.sample?.channel == 1, "\(error)")
            _ = try writer.close()
        }
    }

    private static func bytes(_ samples: [Float]) -> Data { samples.withUnsafeBytes { Data($0) } }

    @Test func gifKeepsThePaletteThatAFilterMade() throws {
        let filter = "split[a][b];[a]palettegen=max_colors=16:reserve_transparent=0[p];[b][p]paletteuse=dither=none"
        let config = Self.config("rgb24", "gif", filter: filter)
        let colors = (0..<15).map { (index: Int) -> [UInt8] in [UInt8(index * 17), UInt8(255 - index * 13), UInt8(index * 5 + 3)] }
        var data = Data()
        for pixel in 0..<(Self.width * Self.height) { data.append(contentsOf: colors[pixel / 8 % 15]) }
        try encode(.video(config), data, to: folder.destination("a.gif"))
        #expect(try chosen(config).encoderFormat == "pal8")
        #expect(try decodeVideo(folder.path("a.gif"), format: "rgb24").prefix(data.count) == data)
    }
}
