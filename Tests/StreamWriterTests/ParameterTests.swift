import Foundation
import StreamWriter
import Testing

@Suite struct ParameterTests {
    let folder = TemporaryFolder()
    let rate = Rational(25, 1)!

    private func add(_ config: StreamConfig, _ name: String) throws -> StreamDescription {
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        return writer.description(of: try writer.addStream(config))
    }

    private func addError(_ config: StreamConfig, _ name: String = "a.mp4") throws -> StreamWriterError {
        try #require(throws: StreamWriterError.self) { try add(config, name) }
    }

    private func video(_ change: (inout VideoStreamConfig) -> Void = { _ in }) -> StreamConfig {
        var config = VideoStreamConfig(frameRate: rate, width: 64, height: 48)
        change(&config)
        return .video(config)
    }

    private func audio(_ rate: Int = 48_000, _ change: (inout AudioStreamConfig) -> Void = { _ in }) -> StreamConfig {
        var config = AudioStreamConfig(sampleRate: rate, numChannels: 2)
        change(&config)
        return .audio(config)
    }

    @Test func theMuxersDefaultEncoderIsUsed() throws {
        #expect(try add(audio(), "a.mp3").encoder == "libmp3lame")
        #expect(try add(audio(), "a.wav").encoder == "pcm_s16le")
        #expect(try add(video(), "a.mp4").encoder == "libx264")
    }

    @Test func anUnsupportedSourceRateIsReplaced() throws {
        #expect(try add(audio(50_000), "a.mp3").encoderSampleRate == 44_100)
        #expect(try add(audio(16_000), "a.mp3").encoderSampleRate == 16_000)
        #expect(try add(audio(44_100) { $0.encoder = "libopus" }, "a.ogg").encoderSampleRate == 48_000)
        #expect(try add(audio(44_100) { $0.encoder = "g722" }, "a.wav").encoderSampleRate == 16_000)
        #expect(try add(audio(44_100) { $0.encoder = "g722" }, "a.wav").encoderNumChannels == 1)
        #expect(try add(audio(44_100) { $0.numChannels = 1; $0.encoder = "vorbis"; $0.encoderOption = ["strict": "-2"] }, "a.ogg").encoderNumChannels == 2)
        #expect(try add(audio { $0.numChannels = 6 }, "a.mp3").encoderNumChannels == 2)
        #expect(try add(video { $0.frameRate = Rational(10, 1)!; $0.encoder = "mpeg1video" }, "a.mpg")
            .encoderFrameRate == Rational(24_000, 1001))
    }

    @Test func anExplicitUnsupportedValueListsTheSupported() throws {
        var error = try addError(audio { $0.encoderSampleRate = 50_000 }, "a.mp3")
        #expect(error.code == .unsupportedValue)
        #expect(error.parameter == "encoder_sample_rate")
        #expect(error.supported?.contains("44100") == true)
        error = try addError(audio { $0.encoderFormat = "s16" }, "a.mp4")
        #expect(error.supported == ["fltp"])
        error = try addError(audio { $0.encoderNumChannels = 5 }, "a.mp3")
        #expect(error.supported == ["1", "2"])
        error = try addError(video { $0.encoderFormat = "rgb24" })
        #expect(error.supported?.contains("yuv420p") == true)
        error = try addError(video { $0.encoder = "mpeg2video"; $0.encoderFrameRate = Rational(11, 1)! }, "a.mpg")
        #expect(error.supported?.contains("30000/1001") == true)
    }

    @Test func anUnknownEncoderNamesNearOnes() throws {
        let error = try addError(video { $0.encoder = "lib264" })
        #expect(error.code == .unknownEncoder)
        #expect(error.supported?.contains("libx264") == true)
        #expect(try addError(video { $0.encoder = "aac" }).code == .wrongEncoderType)
        #expect(try addError(video(), "a.wav").parameter == "type")
    }

    @Test func noOptionIsIgnored() throws {
        var error = try addError(video { $0.encoderOption = ["crf": "20", "crff": "3"] })
        #expect(error.code == .unknownOption)
        #expect(error.parameter == "encoder_option.crff")
        error = try addError(video { $0.encoderOption = ["crf": "good"] })
        #expect(error.code == .unsupportedValue)
        #expect(error.parameter == "encoder_option.crf")
        // A video option on an audio encoder, and a decoder's option.
        #expect(try addError(audio { $0.encoderOption = ["g": "3"] }).code == .unknownOption)
        #expect(try addError(video { $0.encoderOption = ["skip_frame": "all"] }).code == .unknownOption)
        let writer = try StreamWriter(destination: folder.destination("b.mp4"), format: nil)
        _ = try writer.addStream(video())
        error = try #require(throws: StreamWriterError.self) {
            try writer.open(option: ["movflags": "faststart", "movflag": "x"])
        }
        #expect(error.code == .unknownOption)
        #expect(error.parameter == "option.movflag")
        #expect(code { try writer.open() } == .unknownOption)
    }

    @Test func theCodecConfigReachesTheEncoder() throws {
        let config = CodecConfig(bitRate: 96_000)
        #expect(try add(audio { $0.codecConfig = config }, "a.mp3").bitRate == 96_000)
        let data = pictures(count: 12, bytesPerFrame: 64 * 48 * 3)
        try encode(
            video { $0.codecConfig = CodecConfig(gopSize: 4, maxBFrames: 0); $0.encoder = "mpeg4" }, data,
            to: folder.destination("gop.mp4"))
        let types = try probeList(folder.path("gop.mp4"), "frame", "pict_type")
        #expect(types == ["I", "P", "P", "P", "I", "P", "P", "P", "I", "P", "P", "P"])
    }

    @Test func sizesHaveLimits() throws {
        #expect(try addError(video { $0.width = 0 }).parameter == "width")
        #expect(try addError(video { $0.height = 16_385 }).parameter == "height")
        #expect(try addError(audio(0)).parameter == "sample_rate")
        #expect(try addError(audio { $0.numChannels = 65 }).parameter == "num_channels")
        #expect(try addError(video { $0.frameRate = Rational(1001, 1)! }).parameter == "frame_rate")
        #expect(try addError(video { $0.codecConfig.qscale = .nan }).parameter == "codec_config.qscale")
        #expect(try addError(video { $0.codecConfig.bitRate = -5 }).parameter == "codec_config.bit_rate")
        #expect(try addError(video { $0.encoderWidth = -2 }).parameter == "encoder_width")
        // What `ffmpeg -c:v vc2 -flags +ildct` writes, ffmpeg does not decode.
        #expect(try addError(video { $0.encoder = "vc2"; $0.fieldOrder = "tt" }, "a.mkv").parameter == "field_order")
        #expect(try addError(video { $0.width = 63; $0.encoder = "libx264" }).log.isEmpty == false)
    }

    /// Beyond its scale each of these encoders would take the nearest end, or its default.
    @Test(arguments: [
        ("libmp3lame", [-1, 10], [0, 9]), ("libvorbis", [-1.01, 10.5, -2], [-1, 0, 10]), ("libspeex", [-1, 11], [10]), ("aac", [-1, 10_001], [0.3]),
    ] as [(String, [Double], [Double])])
    func aQscaleBeyondItsEncodersScaleIsRefused(encoder: String, refused: [Double], taken: [Double]) throws {
        for scale in refused {
            let error = try addError(audio { $0.encoder = encoder; $0.codecConfig.qscale = scale }, "a.nut")
            #expect(error.parameter == "codec_config.qscale" && error.message.contains(encoder), "\(scale)")
        }
        for scale in taken {
            let writer = try StreamWriter(destination: folder.destination("\(scale).nut"), format: nil)
            _ = try writer.addStream(audio { $0.encoder = encoder; $0.codecConfig.qscale = scale })
        }
    }

    @Test(arguments: [("flac", 13), ("flac", -2), ("libmp3lame", 10), ("libopus", 11), ("alac", 3), ("wavpack", 9)])
    func aCompressionLevelBeyondItsEncodersScaleIsRefused(encoder: String, level: Int) throws {
        let error = try addError(audio(48_000) { $0.encoder = encoder; $0.codecConfig.compressionLevel = level }, "a.mka")
        #expect(error.parameter == "codec_config.compression_level" && error.message.contains(" to "), "\(error.message)")
    }

    @Test func formatsThatCannotBeUploadedAreRefused() throws {
        for format in ["nope", "cuda", "pal8"] {
            let error = try addError(video { $0.format = format })
            #expect(error.code == .unsupportedValue)
            #expect(error.supported?.contains("rgb24") == true)
        }
        #expect(try addError(video { $0.format = "nv12"; $0.layout = .nchw }).parameter == "layout")
        #expect(try addError(video { $0.format = "yuyv422"; $0.layout = .nchw }).parameter == "layout")
    }

    @Test func filtersMustParseAndFit() throws {
        #expect(try addError(video { $0.filterDesc = "nosuchfilter" }).code == .invalidFilter)
        #expect(try addError(video { $0.filterDesc = "split" }).code == .invalidFilter)
        let error = try addError(video { $0.filterDesc = "scale=nooption=3" })
        #expect(error.code == .unknownOption)
        #expect(error.parameter == "filter_desc")
        #expect(error.log.contains { $0.contains("nooption") })
        #expect(try add(video { $0.filterDesc = "scale=32:16" }, "a.mp4").encoderWidth == 32)
        #expect(try add(video { $0.filterDesc = "scale=32:16"; $0.encoderHeight = 24 }, "a.mp4").encoderHeight == 24)
        #expect(try add(video { $0.filterDesc = "fps=10" }, "a.mp4").encoderFrameRate == Rational(10, 1))
        // As in torchaudio: filters may work at a rate of their own (loudnorm's is 192 kHz).
        #expect(try add(audio { $0.filterDesc = "aresample=8000" }, "a.wav").encoderSampleRate == 48_000)
    }

    /// FFmpeg 5.1's last words were the refusal: "with args 'w=abc'", "Cannot create the link abuffer:0 -> hflip:0".
    @Test(arguments: [
        ("scale=w=abc", false, ["Invalid size 'abc'"]), ("eq=contrst=2", false, ["'contrst'"]), ("gblur=sigma=-5", false, ["'sigma' out of range [0 - 1024]"]),
        ("atempo=500", true, ["'tempo' out of range [0.5 - 100]"]), ("hflip", true, ["Media type mismatch"]), ("highpass=f=abc", true, ["option", "abc"]),
    ])
    func refusalOfAFilterSaysWhatIsWrongWithIt(filter: String, isAudio: Bool, words: [String]) throws {
        let error = try addError(isAudio ? audio { $0.filterDesc = filter } : video { $0.filterDesc = filter }, "a.mkv")
        // FFmpeg 7 says some of it otherwise.
        for word in words where !isFFmpeg7 || word != "Media type mismatch" { #expect(error.message.contains(word), "\(error.message)") }
        for echo in ["with args", "Error initializing filter", "Cannot create the link"] {
            #expect(!error.message.contains(echo), "\(error.message)")
        }
    }

    @Test func theMuxerFollowsFromTheNameOrTheURL() throws {
        #expect(try StreamWriter.resolveMuxer(format: nil, name: "x/y.mkv").name == "matroska")
        #expect(try StreamWriter.resolveMuxer(format: nil, name: "rtmp://host/live/key").name == "flv")
        #expect(try StreamWriter.resolveMuxer(format: nil, name: "srt://host:1").name == "mpegts")
        #expect(try StreamWriter.resolveMuxer(format: nil, name: "rtsp://host/x").name == "rtsp")
        #expect(try StreamWriter.resolveMuxer(format: "adts", name: "x.mkv").name == "adts")
        #expect(try StreamWriter.resolveMuxer(format: nil, name: "x.mp4").seeksBack)
        let error = try #require(throws: StreamWriterError.self) {
            try StreamWriter.resolveMuxer(format: "mp5", name: "x")
        }
        #expect(error.code == .unknownFormat)
        #expect(error.supported?.contains("mp4") == true)
        #expect(code { _ = try StreamWriter.resolveMuxer(format: nil, name: "x.unknown") } == .unknownFormat)
    }

    @Test func hardwareThatIsMissingIsNamed() throws {
        var error = try addError(video { $0.hwAccel = "abacus:0" })
        #expect(error.code == .unsupportedHardware)
        #expect(error.supported == ["cuda", "vaapi"])
        error = try addError(video { $0.hwAccel = "vaapi" })
        #expect(error.message.contains("libx264"))
        error = try addError(video { $0.encoder = "h264_vaapi"; $0.hwAccel = "vaapi:/dev/dri/nosuchdevice" })
        #expect(error.code == .unsupportedHardware)
        #expect(error.message.contains("/dev/dri/nosuchdevice"))
        #expect(error.parameter == "hw_accel")
        #expect(try addError(video { $0.encoder = "h264_vaapi" }).message.contains("hw_accel"))
        error = try addError(video { $0.encoder = "h264_nvenc"; $0.hwAccel = "cuda:99" })
        #expect(error.code == .unsupportedHardware)
    }

    @Test func ratesAreParsedExactly() {
        #expect(Rational(parsing: "30000/1001")?.description == "30000/1001")
        #expect(Rational(parsing: "29.97")?.description == "30000/1001")
        #expect(Rational(23.976)?.description == "24000/1001")
        #expect(Rational(23.98)?.description == "24000/1001")
        #expect(Rational(parsing: "59.94")?.description == "60000/1001")
        #expect(Rational(12.5)?.description == "25/2")
        #expect(Rational(parsing: "50/2")?.description == "25")
        for text in ["", "0", "-1", "1/0", "a", "1/2/3", "+5", "1e3", "nan", "inf", "0x10", "1/-2", "."] {
            #expect(Rational(parsing: text) == nil, "\(text)")
        }
    }
}
