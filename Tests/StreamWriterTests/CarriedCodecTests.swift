import Foundation
import StreamWriter
import Testing

/// A codec that a container can't carry is refused when the stream is added.
@Suite struct CarriedCodecTests {
    let folder = TemporaryFolder()

    private static let audioEncoders = Set(Capabilities.encoders(.audio).map(\.name))
    private static let videoEncoders = Set(Capabilities.encoders(.video).map(\.name))

    static func config(_ encoder: String, rate: Int = 48_000) -> StreamConfig {
        guard audioEncoders.contains(encoder) else {
            return .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 352, height: 288, format: "yuv420p", encoder: encoder))
        }
        return .audio(AudioStreamConfig(sampleRate: rate, numChannels: 2, format: .s16, encoder: encoder))
    }

    private func refusal(_ format: String, _ streams: StreamConfig...) throws -> StreamWriterError {
        let writer = try StreamWriter(destination: folder.destination("a"), format: format)
        return try #require(throws: StreamWriterError.self) { for stream in streams { _ = try writer.addStream(stream) } }
    }

    /// FFmpeg 7 has enhanced RTMP's HEVC, and holds files of one codec to it.
    private static let ofRelease =
        isFFmpeg7
        ? [("h263", "h263p", "avi", "h263"), ("mpeg1video", "mpeg2video", "mpegts", "mpeg1video")] : [("flv", "libx265", "mp4", "flv")]

    @Test(arguments: [
        ("mp4", "libvpx", "matroska", "libx264"), ("webm", "libx264", "mp4", "libvpx-vp9"), ("mpegts", "flac", "matroska", "mp2"),
        ("mpegts", "libvpx-vp9", "webm", "mpeg2video"), ("mpegts", "pcm_s16le", "wav", "mp2"), ("ac3", "pcm_s16le", "wav", "ac3"),
        ("eac3", "ac3", "matroska", "eac3"), ("adts", "libmp3lame", "avi", "aac"), ("flac", "aac", "mp4", "flac"), ("mp3", "aac", "mp4", "libmp3lame"),
        ("caf", "flac", "matroska", "pcm_s16be"), ("avi", "flac", "matroska", "libmp3lame"), ("avi", "libx265", "mp4", "mpeg4"), ("avi", "qtrle", "mov", "mpeg4"), ("mov", "wmav2", "avi", "aac"), ("nut", "qtrle", "mov", "mpeg4"),
        ("vcd", "libx265", "mp4", "mpeg1video"), ("dvd", "aac", "mp4", "mp2"), ("svcd", "mjpeg", "mov", "mpeg2video"), ("chromaprint", "aac", "mp4", "pcm_s16le"),
        ("chromaprint", "libopus", "ogg", "pcm_s16le"), ("alaw", "pcm_mulaw", "wav", "pcm_alaw"), ("s16le", "pcm_s16be", "nut", "pcm_s16le"),
        ("h264", "libx265", "mp4", "libx264"), ("fits", "tiff", "mov", "fits"), ("ogg", "libmp3lame", "avi", "libvorbis"), ("flv", "libvpx", "webm", "flv"), ("flv", "libopus", "ogg", "aac"),
    ] + ofRelease)
    func codecThatAContainerDoesNotCarryIsRefused(format: String, encoder: String, other: String, right: String) throws {
        let error = try refusal(format, Self.config(encoder))
        #expect(error.code == .unsupportedValue && error.parameter == "encoder", "\(error.message)")
        #expect(error.message.contains(format) && error.message.contains(other), "\(error.message)")
        #expect(error.supported?.contains(right) == true && error.supported?.contains(encoder) == false, "\(error.supported ?? [])")
    }

    /// FFmpeg decodes 150,465 of 200,000 samples of a TTA in Matroska, and nothing in the others.
    @Test(arguments: ["matroska", "nut", "avi", "wav", "asf"]) func ttaIsRefusedOutsideOfItsOwnFiles(format: String) throws {
        let error = try refusal(format, Self.config("tta"))
        #expect(error.code == .unsupportedValue && error.parameter == "encoder" && error.message.contains("\(format) does not take tta"), "\(error.message)")
        #expect(error.supported?.contains("tta") == false)
    }

    /// FFmpeg's decoder has no layout of five channels for it.
    @Test(arguments: 1...8) func ttaHasNotFiveChannels(channels: Int) throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: .s16, encoder: "tta")
        if channels == 5 {
            let writer = try StreamWriter(destination: folder.destination("a.tta"), format: nil)
            let error = try #require(throws: StreamWriterError.self) { try writer.addStream(.audio(config)) }
            #expect(error.code == .unsupportedValue && error.parameter == "encoder_num_channels", "\(error)")
            return
        }
        let data = tone(samples: 50_000, channels: channels)
        try encode(.audio(config), data, to: folder.destination("a.tta"))
        #expect(try decodeAudio(folder.path("a.tta"), codec: "pcm_s16le") == data)
    }

    /// Without sound these do not begin, and it may still come.
    @Test(arguments: ["aiff", "flac", "mp3"]) func aCoverMayComeBeforeTheSound(format: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: format)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(1, 1)!, width: 64, height: 48, encoder: "png", disposition: ["attached_pic"])))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16)))
        try writer.open()
        try writer.send(Data(count: 64 * 48 * 3), to: 0)
        try writer.send(tone(samples: 44_100, channels: 2, rate: 44_100), to: 1)
        #expect(try writer.close().streams.map(\.framesEncoded) == [1, 44_100])
        #expect(try Probe(folder.path("a")).streams.map { $0["codec_name"] }.contains("png"), "the cover is there")
    }

    @Test(arguments: [("wav", "libx264"), ("flac", "libx264"), ("h264", "aac"), ("ac3", "mjpeg"), ("gif", "aac")])
    func streamOfAKindThatAContainerHasNotIsRefused(format: String, encoder: String) throws {
        #expect(try refusal(format, Self.config(encoder)).code == .unsupportedValue)
    }

    /// FFmpeg 5.1, flvenc.c: 44100, 22050, 11025, and 16000 and 8000 for Nellymoser and Speex.
    @Test func rateThatFLVHasNotIsRefused() throws {
        let error = try refusal("flv", Self.config("libmp3lame", rate: 16_000))
        #expect(error.parameter == "encoder_sample_rate" && error.supported == ["44100", "22050", "11025"], "\(error.message)")
        #expect(error.message.contains("16000"))
    }

    @Test func streamTooManyIsRefused() throws {
        let error = try refusal("wav", Self.config("pcm_s16le"), Self.config("pcm_s16le"))
        #expect(error.parameter == "streams" && error.message.contains("one"), "\(error.message)")
    }

    /// What ffprobe finds is what was encoded.
    @Test(arguments: [
        ("mpegts", ["mpeg1video", "mpeg2video", "mpeg4", "libx264", "libx265", "vc2", "mp2", "libmp3lame", "aac", "ac3", "eac3", "libopus", "s302m"]),
        ("mpeg", ["mpeg1video", "mpeg2video", "mpeg4", "mp2", "libmp3lame", "ac3", "pcm_dvd"]), ("dvd", ["mpeg2video", "ac3", "mp2"]),
        ("ogg", ["libvorbis", "libopus", "flac", "libspeex", "libtheora", "libvpx"]), ("flv", ["flv", "libx264", "aac", "flashsv"]),
        ("swf", ["flv", "mjpeg", "libmp3lame"]), ("mov", ["ffv1", "huffyuv", "prores_ks", "libvorbis", "adpcm_ms"]), ("avi", ["prores_ks"]), ("nut", ["prores_ks"]), ("ac3", ["ac3"]), ("eac3", ["eac3"]), ("dts", ["dca"]), ("mp2", ["mp2"]), ("h263", isFFmpeg7 ? ["h263"] : ["h263", "h263p"]),
        ("caf", ["alac", "pcm_s16le", "libopus"]), ("mxf", ["mpeg2video"]),
    ])
    func codecThatAContainerCarriesIsFoundInIt(format: String, encoders: [String]) throws {
        for encoder in encoders {
            guard Self.audioEncoders.contains(encoder) || Self.videoEncoders.contains(encoder) else { continue }
            let rate = ["flv", "swf"].contains(format) ? 44_100 : 48_000
            var config = Self.config(encoder, rate: rate)
            if case .audio(var audio) = config, encoder == "dca" {
                audio.codecConfig.bitRate = 768_000
                config = .audio(audio)
            }
            let name = "a." + (try StreamWriter.resolveMuxer(format: format, name: "").extensions.first ?? "bin")
            let writer = try StreamWriter(destination: folder.destination(name), format: format)
            _ = try writer.addStream(config)
            let description = writer.description(of: 0)
            try writer.open()
            try writer.send(Data(count: description.inputFrameBytes * (description.kind == .audio ? 24_000 : 12)))
            _ = try writer.close()
            // A DVD's first is for its menus.
            let codec = try probe(folder.path(name), stream: format == "dvd" ? 1 : 0)["codec_name"]
            #expect(codec == Self.codec(of: encoder, in: format), "\(encoder) in \(format)")
        }
    }

    private static func codec(of encoder: String, in format: String) -> String {
        switch encoder {
        case "libx264": "h264"
        case "libx265": "hevc"
        case "libmp3lame": "mp3"
        case "libopus": "opus"
        case "libvorbis": "vorbis"
        case "libspeex": "speex"
        case "libtheora": "theora"
        case "libvpx": "vp8"
        case "prores_ks": "prores"
        case "vc2": "dirac"
        case "dca": "dts"
        case "flv": "flv1"
        case "h263p": "h263"
        default: encoder
        }
    }

    // MARK: Pictures

    @Test(arguments: [("rgb24", "yuv444p"), ("yuv420p", "yuv420p"), ("gray8", "gray"), ("yuv422p", "yuv422p"), ("rgba", "yuv444p"), ("yuv420p10le", "yuv420p")])
    func y4mTakesTheFormatThatLosesLeast(source: String, expected: String) throws {
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, format: source)
        let writer = try StreamWriter(destination: folder.destination("a.y4m"), format: nil)
        _ = try writer.addStream(.video(config))
        #expect(writer.description(of: 0).encoderFormat == expected)
        try writer.open()
        try writer.send(Data(count: writer.description(of: 0).inputFrameBytes * 3))
        _ = try writer.close()
        let stream = try probe(folder.path("a.y4m"))
        #expect(stream["pix_fmt"] == expected && stream["nb_read_frames"] == "3")
    }

    /// ISO/IEC 23003-5, which FFmpeg writes since its version 7, has floats in mp4.
    @Test(arguments: [("wav", "pcm_f32le"), ("aiff", "pcm_f32be"), ("mp4", isFFmpeg7 ? "pcm_f32le" : nil)])
    func warningOfLostFloatsNamesTheEncoderThatKeepsThem(format: String, keeper: String?) throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: format)
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, encoder: format == "mp4" ? "flac" : nil)))
        let warning = try #require(writer.description(of: 0).warnings.first { $0.code == .depthReduced })
        #expect(warning.message.contains("pcm_f32") == (keeper != nil))
        if let keeper { #expect(warning.message.hasSuffix("encoder \(keeper) keeps them"), "\(warning.message)") }
    }
}
