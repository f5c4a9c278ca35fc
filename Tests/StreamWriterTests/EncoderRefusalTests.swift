import Foundation
import StreamWriter
import Testing

/// What an encoder does not take is refused with the parameter to change, and with what would be right.
@Suite struct EncoderRefusalTests {
    private func add(_ config: StreamConfig, _ format: String = "framemd5") throws -> StreamDescription {
        let writer = try StreamWriter(destination: .file(descriptor: open("/dev/null", O_WRONLY), name: "a"), format: format)
        return writer.description(of: try writer.addStream(config))
    }

    private func refusal(_ config: StreamConfig, _ format: String = "framemd5") throws -> StreamWriterError {
        try #require(throws: StreamWriterError.self) { try add(config, format) }
    }

    private static func video(_ encoder: String, _ width: Int, _ height: Int, _ change: (inout VideoStreamConfig) -> Void = { _ in }) -> StreamConfig {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: width, height: height, format: "yuv420p", encoder: encoder)
        change(&config)
        return .video(config)
    }

    private static func audio(_ encoder: String, _ rate: Int, _ channels: Int, _ change: (inout AudioStreamConfig) -> Void = { _ in }) -> StreamConfig {
        var config = AudioStreamConfig(sampleRate: rate, numChannels: channels, encoder: encoder)
        change(&config)
        return .audio(config)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let config: StreamConfig
        let parameter: String
        /// In the message: libav's own words, and a way out.
        let says: [String]
        var supported: [String]?
        var code = StreamWriterError.Code.unsupportedValue

        init(_ config: StreamConfig, _ parameter: String, _ says: String..., supported: [String]? = nil, code: StreamWriterError.Code = .unsupportedValue) {
            testDescription = "\(parameter): \(says.joined(separator: ", "))"
            self.config = config
            self.parameter = parameter
            self.says = says
            self.supported = supported
            self.code = code
        }
    }

    /// The words of libav's are those that `ffmpeg -c:v … -s …` prints (5.1), the numbers those of the formats' definitions.
    static let cases = [
        Case(video("libx264", 64, 48) { $0.encoderOption = ["preset": "fastest"] }, "encoder_option.preset", "libx264 has no preset fastest; it has ultrafast, "),
        Case(video("libx265", 64, 48) { $0.encoderOption = ["tune": "film"] }, "encoder_option.tune", "libx265 has no tune film; it has ", "psnr"),
        Case(video("libx264", 64, 48) { $0.encoderOption = ["coder": "best"] }, "encoder_option.coder", "It takes default, cavlc, cabac"),
        Case(video("libx264", 63, 47), "encoder_width", "width not divisible by 2 (63x47)", "encoder_width 64 with encoder_height 48", "pad=64:48", "yuv444p", supported: ["64"]),
        Case(video("libx264", 64, 47), "encoder_height", "height not divisible by 2 (64x47)", "encoder_height 48 scales", supported: ["48"]),
        Case(video("libx264", 63, 48) { $0.encoderFormat = "yuv422p" }, "encoder_width", "width not divisible by 2", supported: ["64"]),
        Case(video("libxvid", 63, 48), "encoder_width", "encoder_width 64", supported: ["64"]),
        Case(video("wmv2", 65, 48), "encoder_width", "width must be multiple of 2", supported: ["66"]),
        Case(video("cinepak", 62, 46), "encoder_width", "multiples of four", "encoder_width 64 with encoder_height 48"),
        Case(video("rv10", 100, 96), "encoder_width", "multiple of 16", supported: ["112"]),
        Case(video("y41p", 60, 48), "encoder_width", "divisible by 8", supported: ["64"]),
        Case(video("h263", 100, 100), "encoder_width", "Valid sizes are 128x96", supported: ["128", "176", "352", "704", "1408"]),
        Case(video("h261", 320, 240), "encoder_width", "352x288", supported: ["176", "352"]),
        Case(video("h261", 320, 144), "encoder_width", "encoder_width 176 scales", supported: ["176"]),
        Case(video("h261", 176, 288), "encoder_height", "encoder_height 144 scales", supported: ["144"]),
        Case(video("dvvideo", 640, 480), "encoder_width", "no DV profile for 640x480", "720x576; pixel format: yuv420p, framerate: 25/1", "dvvideo takes 720x576"),
        Case(video("avui", 640, 480), "encoder_width", "720x486", supported: ["720"]),
        Case(video("mpeg1video", 4096, 16), "encoder_width", "above 4095x4095", supported: ["4095"]),
        Case(video("svq1", 16, 5000), "encoder_height", "4095x4095", supported: ["4095"]),
        Case(video("libsvtav1", 64, 48), "encoder_height", supported: ["64"]),
        Case(video("libx265", 63, 48), "encoder_width", "encoder_width 64 scales", "pad=64:48", "yuv444p", supported: ["64"]),
        Case(video("libx265", 8, 8), "encoder_width", "too small (8x8)", "encoder_width 16 with encoder_height 16"),
        Case(video("libvpx", 16_384, 16), "encoder_width", "out of range [1..16383]", supported: ["16383"]),
        Case(video("dnxhd", 720, 576), "encoder_width", "Frame size: 1440x1080", "dnxhr_sq"),
        Case(video("dnxhd", 1920, 1080) { $0.encoderFormat = "gbrp10le" }, "encoder_format", "pixel format"),
        Case(video("mpeg2video", 64, 48) { $0.timeBase = Rational(1, 90_000) }, "time_base", "without time_base it takes 25 frames a second"),
        Case(video("mpeg4", 64, 48) { $0.timeBase = Rational(1, 90_000) }, "time_base", "65535"),
        Case(video("mjpeg", 64, 48) { $0.codecConfig.maxBFrames = 3 }, "codec_config.max_b_frames", "B-frames not supported", supported: ["0"]),
        Case(video("libx264", 64, 48) { $0.codecConfig.bitRate = 1 }, "codec_config.bit_rate", "bitrate", "bits a second"),
        Case(video("libvpx", 64, 48) { $0.format = "rgba" }, "encoder_option.auto-alt-ref", "encoder_option.auto-alt-ref=0", supported: ["0"]),
        Case(video("h264_nvenc", 64, 48), "encoder", "libx264", code: .unsupportedHardware),
        Case(audio("aac", 48_000, 9), "filter_desc", "Unsupported channel layout", supported: ["pan=stereo|c0=c0|c1=c1"]),
        Case(audio("aac", 48_000, 1) { $0.codecConfig.bitRate = 1 }, "codec_config.bit_rate", "extremely low"),
        Case(audio("flac", 48_000, 1) { $0.codecConfig.compressionLevel = 13 }, "codec_config.compression_level", "from 0 to 12", code: .invalidParameter),
        Case(audio("libopus", 48_000, 1) { $0.codecConfig.qscale = 3 }, "codec_config.qscale", "Leave codec_config.qscale out", "codec_config.bit_rate"),
        Case(audio("libopus", 48_000, 1) { $0.codecConfig.bitRate = 100 }, "codec_config.bit_rate", "between 500 and 256000"),
        Case(audio("mp2", 48_000, 1) { $0.codecConfig.bitRate = 1000 }, "codec_config.bit_rate", "32000 to 384000"),
        Case(audio("libtwolame", 24_000, 1) { $0.codecConfig.bitRate = 100_000 }, "codec_config.bit_rate", "8000 to 160000"),
        Case(audio("libgsm", 8_000, 1) { $0.codecConfig.bitRate = 8000 }, "codec_config.bit_rate", "13000bps required", supported: ["13000"]),
        Case(audio("wmav2", 44_100, 1) { $0.codecConfig.bitRate = 1000 }, "codec_config.bit_rate", "need 24000 or higher"),
        Case(audio("flac", 768_000, 1) { $0.encoderSampleRate = 768_000 }, "encoder_sample_rate", "up to 655350", supported: ["44100", "48000", "96000", "192000"]),
        Case(audio("nellymoser", 48_000, 1) { $0.encoderSampleRate = 48_000 }, "encoder_sample_rate", supported: ["8000", "11025", "16000", "22050", "44100"]),
    ]

    @Test(arguments: cases) func refusalNamesTheParameterAndAWayOut(test: Case) throws {
        let error = try refusal(test.config)
        #expect(error.code == test.code, "\(error.message)")
        #expect(error.parameter == test.parameter, "\(error.message)")
        for part in test.says { #expect(error.message.contains(part), "\(error.message)") }
        if let supported = test.supported { #expect(error.supported == supported) }
        // libtwolame says nothing.
        if error.log.isEmpty { return }
        for code in ["Invalid argument", "Generic error", "not implemented", "Invalid data", "not permitted", "Unknown error"] {
            #expect(!error.message.contains(code), "\(error.message)")
        }
    }

    /// Of every encoder whose sizes Penstock knows.
    @Test(arguments: [
        ("avui", 700, 500), ("bitpacked", 63, 48), ("prores", 63, 48), ("prores_aw", 63, 48), ("v210", 63, 48), ("v308", 63, 48), ("v410", 63, 48),
        ("wmv1", 63, 48), ("wmv2", 63, 48), ("cfhd", 63, 20), ("cinepak", 62, 46), ("hap", 62, 46), ("msvideo1", 62, 46), ("rv20", 62, 46),
        ("dvvideo", 700, 500), ("flashsv", 5000, 16), ("flashsv2", 5000, 8), ("h261", 320, 240), ("h263", 320, 240), ("h263p", 3000, 46),
        ("librav1e", 8, 8), ("libsvtav1", 32, 32), ("libvpx", 16_384, 16), ("libx265", 8, 8), ("mpeg1video", 5000, 16),
        ("mpeg2video", 16_384, 16), ("mpeg4", 8200, 16), ("roqvideo", 30, 30), ("rv10", 30, 30), ("svq1", 5000, 16), ("vc2", 8, 8), ("y41p", 60, 48),
        ("libx264", 63, 47), ("libxvid", 63, 47),
    ])
    func suggestedSizeIsTaken(encoder: String, width: Int, height: Int) throws {
        let error = try refusal(Self.video(encoder, width, height))
        let words = error.message.replacing(",", with: " ").split(separator: " ")
        func suggested(_ name: String) -> Int? {
            words.firstIndex { $0 == name }.flatMap { Int(words[$0 + 1]) }
        }
        let (newWidth, newHeight) = (suggested("encoder_width"), suggested("encoder_height"))
        try #require(newWidth != nil || newHeight != nil, "\(error.message)")
        let chosen = try add(Self.video(encoder, width, height) {
            $0.encoderWidth = newWidth
            $0.encoderHeight = newHeight
            if ["librav1e"].contains(encoder) { $0.encoderOption = ["speed": "10"] }
        })
        #expect(chosen.encoderWidth == newWidth ?? width && chosen.encoderHeight == newHeight ?? height)
    }

    /// torchaudio's rule for rates that libav lists holds for those that it does not.
    @Test(arguments: [
        ("adpcm_swf", 48_000, 44_100), ("nellymoser", 48_000, 44_100), ("adpcm_ima_amv", 48_000, 22_050), ("roq_dpcm", 48_000, 22_050),
        ("g726", 48_000, 8_000), ("wmav2", 96_000, 48_000), ("flac", 768_000, 192_000), ("libvorbis", 384_000, 192_000), ("s302m", 44_100, 48_000),
    ])
    func rateThatOnlyTheEncodersSourceRefusesIsReplaced(encoder: String, rate: Int, expected: Int) throws {
        let chosen = try add(Self.audio(encoder, rate, 2))
        #expect(chosen.encoderSampleRate == expected)
        #expect(chosen.warnings.contains { $0.code == .sampleRateChanged && $0.parameter == "encoder_sample_rate" })
    }

    /// RFC 7845 has mono to 7.1, each in one order.
    @Test(arguments: 1...8) func opusTakesEveryNumberOfChannels(channels: Int) throws {
        let chosen = try add(Self.audio("libopus", 48_000, channels))
        #expect(chosen.encoderNumChannels == channels)
        #expect(!chosen.warnings.contains { $0.code == .channelsMixed })
    }

    // MARK: Names

    @Test(arguments: [("opus", "libopus"), ("vorbis", "libvorbis"), ("h264", "libx264"), ("mp3", "libmp3lame"), ("hevc", "libx265")])
    func nameOfACodecIsItsUsualEncoder(name: String, encoder: String) throws {
        let isAudio = ["opus", "vorbis", "mp3"].contains(name)
        let chosen = try add(isAudio ? Self.audio(name, 48_000, 2) : Self.video(name, 64, 64))
        #expect(chosen.encoder == encoder)
    }

    @Test(arguments: ["opus", "vorbis"]) func experimentalEncoderIsForThoseWhoSayHowStrict(name: String) throws {
        #expect(try add(Self.audio(name, 48_000, 2) { $0.encoderOption = ["strict": "experimental"] }).encoder == name)
        #expect(try add(Self.audio("dca", 48_000, 2) { $0.codecConfig.bitRate = 768_000 }).encoder == "dca", "there is no other")
    }

    // MARK: Lengths

    @Test func hugeValueIsNotRepeatedWhole() throws {
        let huge = String(repeating: "x", count: 100_000)
        let configs: [StreamConfig] = [
            Self.audio(huge, 48_000, 2), Self.audio("flac", 48_000, 2) { $0.encoderFormat = huge }, Self.audio("flac", 48_000, 2) { $0.channelLayout = huge },
            Self.video(huge, 64, 64), Self.video("ffv1", 64, 64) { $0.format = huge }, Self.video("ffv1", 64, 64) { $0.encoderFormat = huge },
            Self.video("ffv1", 64, 64) { $0.fieldOrder = huge }, Self.video("ffv1", 64, 64) { $0.color.space = huge },
            Self.video("ffv1", 64, 64) { $0.disposition = [huge] },
        ]
        for config in configs {
            let message = try refusal(config).message
            #expect(message.utf8.count < 400 && message.contains("x…"), "\(message.prefix(400))")
        }
    }

    /// By libav's tables: of the encoder's own options, of those that all have, and of its names for these.
    @Test func aBadChoiceSaysWhichThereAre() throws {
        let aac = try refusal(Self.audio("aac", 48_000, 2) { $0.encoderOption = ["profile": "nope"] })
        #expect(aac.parameter == "encoder_option.profile" && aac.supported?.contains("aac_low") == true, "\(aac)")
        let mpeg4 = try refusal(Self.video("mpeg4", 64, 48) { $0.encoderOption = ["mbd": "nope"] })
        #expect(mpeg4.parameter == "encoder_option.mbd" && mpeg4.supported?.contains("rd") == true, "\(mpeg4)")
        let svt = try refusal(Self.video("libsvtav1", 64, 64) { $0.encoderOption = ["preset": "nope"] })
        #expect(svt.parameter == "encoder_option.preset" && svt.message.contains("It is a number from -"), "\(svt)")
    }

    @Test(arguments: [("crff", "crf"), ("presett", "preset"), ("threds", "threads")])
    func anOptionThatIsMistypedSuggestsTheEncoders(written: String, meant: String) throws {
        let found = try refusal(Self.video("libx264", 64, 48) { $0.encoderOption = [written: "1"] })
        #expect(found.code == .unknownOption && found.suggestion == meant, "\(found)")
    }

    @Test(arguments: [("scal=32:32", "scale"), ("scale=widht=32", "width"), ("hflip,vlfip", "vflip")])
    func aFilterThatIsMistypedSuggestsWhatThereIs(description: String, meant: String) throws {
        let found = try refusal(Self.video("libx264", 64, 48) { $0.filterDesc = description })
        #expect(found.parameter == "filter_desc" && found.suggestion == meant, "\(found)")
    }
}
