import Foundation
import StreamWriter
import Testing

/// What a refusal says to write instead works when it is written.
@Suite struct WayOutTests {
    private let folder = TemporaryFolder()

    private func add(_ config: StreamConfig, _ format: String) throws -> StreamDescription {
        let writer = try StreamWriter(destination: .file(descriptor: open("/dev/null", O_WRONLY), name: "a"), format: format)
        return writer.description(of: try writer.addStream(config))
    }

    private func refusal(_ config: StreamConfig, _ format: String) throws -> StreamWriterError {
        try #require(throws: StreamWriterError.self) { try add(config, format) }
    }

    private func video(_ encoder: String?, _ width: Int, _ height: Int, rate: Rational = Rational(25, 1)!, _ option: [String: String] = [:]) -> VideoStreamConfig {
        VideoStreamConfig(frameRate: rate, width: width, height: height, format: "yuv420p", encoder: encoder, encoderOption: option)
    }

    /// Each of `supported` in the place of what was refused.
    private func paste(_ value: String, as parameter: String, into config: StreamConfig) -> StreamConfig {
        switch config {
        case .audio(var audio):
            switch parameter {
            case "filter_desc": audio.filterDesc = value
            case "encoder": audio.encoder = value
            default: Issue.record("\(parameter) of a stream of sound")
            }
            return .audio(audio)
        case .video(var video):
            switch parameter {
            case "encoder": video.encoder = value
            case "encoder_format": video.encoderFormat = value
            case "encoder_height": video.encoderHeight = Int(value)
            case "codec_config.bit_rate": video.codecConfig.bitRate = Int(value)
            case _ where parameter.hasPrefix("encoder_option."): video.encoderOption[String(parameter.dropFirst(15))] = value
            default: Issue.record("\(parameter) of a stream of pictures")
            }
            return .video(video)
        }
    }

    private func everyValueIsTaken(_ error: StreamWriterError, of config: StreamConfig, in format: String, _ parameter: String) throws {
        #expect(error.parameter == parameter, "\(error.message)")
        let values = try #require(error.supported, "\(error.message)")
        try #require(!values.isEmpty)
        for value in values {
            let changed = paste(value, as: parameter, into: config)
            #expect(throws: Never.self, "\(parameter) \(value): \(error.message)") { try add(changed, format) }
        }
    }

    // MARK: Channels

    /// libav has no layout of nine channels.
    @Test(arguments: [
        ("aac", nil), ("libmp3lame", nil), ("flac", nil), ("libopus", nil), ("g722", nil), ("libmp3lame", 2), ("pcm_s16le", 2), ("pcm_s16le", 6), ("aac", 1),
    ] as [(String, Int?)])
    func channelsThatNothingIsSaidOfArePanned(encoder: String, channels: Int?) throws {
        let config = StreamConfig.audio(AudioStreamConfig(sampleRate: 16_000, numChannels: 9, format: .s16, encoder: encoder, encoderNumChannels: channels))
        try everyValueIsTaken(try refusal(config, "matroska"), of: config, in: "matroska", "filter_desc")
    }

    @Test func pannedChannelsAreTheOnesOfThoseNumbers() throws {
        var config = AudioStreamConfig(sampleRate: 8_000, numChannels: 9, format: .s16, encoder: "pcm_s16le", encoderNumChannels: 2)
        config.filterDesc = try #require(try refusal(.audio(config), "wav").supported?.first)
        var samples: [Int16] = []
        var first: [Int16] = []
        for frame: Int16 in 0..<90 {
            for channel: Int16 in 0..<9 { samples.append(frame * 100 + channel) }
            first += [frame * 100, frame * 100 + 1]
        }
        try encode(.audio(config), samples.withUnsafeBytes { Data($0) }, to: folder.destination("a.wav"))
        let decoded = try decodeAudio(folder.path("a.wav"), codec: "pcm_s16le")
        #expect(decoded == first.withUnsafeBytes { Data($0) })
    }

    // MARK: Pictures

    private static let ntsc = Rational(30_000, 1001)!

    @Test(arguments: [(1440, 1080, Rational(25, 1)!), (960, 720, Rational(50, 1)!), (1280, 1080, ntsc), (720, 480, ntsc)])
    func sizeOfDVIsTakenInItsFormats(width: Int, height: Int, rate: Rational) throws {
        let config = StreamConfig.video(video("dvvideo", width, height, rate: rate))
        try everyValueIsTaken(try refusal(config, "avi"), of: config, in: "avi", "encoder_format")
    }

    @Test func sizeThatDVHasNotIsScaledInAFormatThatItHas() throws {
        let error = try refusal(.video(video("dvvideo", 640, 480, rate: Self.ntsc)), "avi")
        #expect(error.message.contains("encoder_width 720 with encoder_format yuv411p scales"), "\(error.message)")
        var config = video("dvvideo", 640, 480, rate: Self.ntsc)
        (config.encoderWidth, config.encoderFormat) = (720, "yuv411p")
        #expect(try add(.video(config), "avi").encoderWidth == 720)
    }

    @Test(arguments: [
        (1920, 1080, "yuv422p", "progressive"), (1920, 1080, "yuv422p10le", "progressive"), (1920, 1080, "yuv422p", "tt"), (1920, 1080, "yuv422p10le", "tt"),
        (1440, 1080, "yuv422p", "progressive"), (1280, 720, "yuv422p", "progressive"), (1280, 720, "yuv422p10le", "progressive"), (960, 720, "yuv422p", "progressive"),
    ])
    func bitRateThatDNxHDHasNotIsRefusedWithThoseThatItHas(width: Int, height: Int, format: String, order: String) throws {
        var config = video("dnxhd", width, height)
        (config.encoderFormat, config.fieldOrder, config.codecConfig.bitRate) = (format, order, 99_000_000)
        let error = try refusal(.video(config), "mov")
        // ffmpeg -c:v dnxhd -b:v 99M prints them.
        let printed = try dnxhdRates("\(width)x\(height)\(order == "tt" ? "i" : "p")", format.replacingOccurrences(of: "le", with: ""))
        #expect(error.supported == printed.map { "\($0)000000" })
        try everyValueIsTaken(error, of: .video(config), in: "mov", "codec_config.bit_rate")
    }

    private func dnxhdRates(_ size: String, _ format: String) throws -> [Int] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=s=1920x1080", "-frames:v", "1", "-pix_fmt", "yuv422p", "-c:v", "dnxhd", "-b:v", "99M", "-f", "null", "-"]
        let output = Pipe()
        (process.standardError, process.standardInput) = (output, FileHandle.nullDevice)
        try process.run()
        let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").filter { $0.contains("Frame size: \(size);") }
        process.waitUntilExit()
        let rates = lines.filter { $0.components(separatedBy: "pixel format: ").last?.components(separatedBy: ", ").contains(format) == true }
            .compactMap { $0.components(separatedBy: "bitrate: ").last?.components(separatedBy: "Mbps").first.flatMap { Int($0) } }
        return Array(Set(rates)).sorted()
    }

    @Test(arguments: [("yuv422p", "dnxhr_sq"), ("yuv422p10le", "dnxhr_hqx")])
    func sizeThatDNxHDHasNotIsTakenInTheProfileThatIsNamed(format: String, profile: String) throws {
        var config = video("dnxhd", 640, 480)
        config.encoderFormat = format
        #expect(try refusal(.video(config), "mov").message.contains(#"encoder_option {"profile": "\#(profile)"}"#))
        config.encoderOption["profile"] = profile
        #expect(try add(.video(config), "mov").encoderWidth == 640)
    }

    /// H.264's fields have whole samples of color each: 4:2:0 needs lines by four.
    @Test func heightOfFieldsIsRefusedWithOneOfWholeFields() throws {
        var config = video("libx264", 64, 46)
        config.fieldOrder = "tt"
        let error = try refusal(.video(config), "mp4")
        #expect(error.supported == ["48"] && error.message.contains("pad=64:48"), "\(error.message)")
        try everyValueIsTaken(error, of: .video(config), in: "mp4", "encoder_height")
    }

    /// What a player shows of an mp4 with the rotation, ffmpeg's among them, is what the filter makes.
    @Test(arguments: [90, 180, 270]) func rotationThatAContainerHasNotIsMadeByTheFilterThatIsNamed(rotation: Int) throws {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 32, encoder: "png", rotation: rotation)
        let data = pictures(count: 2, bytesPerFrame: 64 * 32 * 3)
        try encode(.video(config), data, to: folder.destination("a.mov"))
        let error = try refusal(.video(config), "matroska")
        #expect(error.parameter == "rotation")
        config.filterDesc = String(try #require(error.message.components(separatedBy: "filter_desc \"").last?.split(separator: "\"").first))
        config.rotation = 0
        try encode(.video(config), data, to: folder.destination("a.mkv"))
        #expect(try decodeVideo(folder.path("a.mkv"), format: "rgb24") == decodeVideo(folder.path("a.mov"), format: "rgb24"))
    }

    // MARK: Options of encoders

    @Test(arguments: [
        ("libx264", "preset", "yuv420p"), ("libx264", "tune", "yuv420p"), ("libx264", "level", "yuv420p"), ("libx265", "preset", "yuv420p"), ("libx265", "tune", "yuv420p"),
        ("libx264", "profile", "yuv420p"), ("libx264", "profile", "yuv444p"), ("libx264", "profile", "yuv422p10le"), ("libx264", "profile", "gray"), ("libx264", "profile", "gray10le"),
        ("libx265", "profile", "yuv420p"), ("libx265", "profile", "yuv422p10le"), ("libx265", "profile", "gray"), ("libx265", "profile", "gbrp"), ("libx265", "profile", "yuv444p12le"),
        ("prores_ks", "profile", "yuv422p10le"), ("libvpx-vp9", "deadline", "yuv420p"), ("vc2", "wavelet_type", "yuv420p"),
    ])
    func valueThatAnEncoderHasNotIsRefusedWithThoseThatItHas(encoder: String, option: String, format: String) throws {
        var config = video(encoder, 64, 64, [option: "bogus"])
        config.encoderFormat = format
        let error = try refusal(.video(config), "matroska")
        try everyValueIsTaken(error, of: .video(config), in: "matroska", "encoder_option.\(option)")
    }

    // MARK: Containers

    @Test(arguments: [("3gp", "audio"), ("mov", "libopus"), ("mov", "libvpx-vp9"), ("mov", "flac"), ("matroska", "rv10"), ("matroska", "aptx"), ("ismv", "libopus")])
    func encoderThatAContainerHasNotIsRefusedWithOnesThatItHas(format: String, encoder: String) throws {
        let isVideo = ["libvpx-vp9", "rv10"].contains(encoder)
        let audio = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder == "audio" ? nil : encoder)
        let config = isVideo ? StreamConfig.video(video(encoder, 352, 288)) : .audio(audio)
        let error = try refusal(config, format)
        #expect(error.parameter == "encoder" && error.supported?.isEmpty == false, "\(error.message)")
        let first = try #require(error.supported?.first)
        #expect(error.message.contains(first), "\(error.message)")
        #expect(throws: Never.self) { try add(paste(first, as: "encoder", into: config), format) }
    }

    @Test func streamOfAKindThatAContainerHasNotIsRefusedWithFormatsThatHaveIt() throws {
        let error = try refusal(.video(video(nil, 64, 48)), "wav")
        #expect(error.parameter == "type" && error.supported == ["audio"], "\(error.message)")
        for format in try #require(error.message.components(separatedBy: "that does: ").last).components(separatedBy: ", ") {
            #expect(throws: Never.self, "\(format)") { try add(.video(video(nil, 64, 48)), format) }
        }
    }

    /// It was refused when the writer was opened, without a way out.
    @Test func secondStreamOfRTPIsRefusedWithAFormatThatTakesBoth() throws {
        func addBoth(_ format: String) throws {
            let writer = try StreamWriter(destination: .url("rtp://127.0.0.1:9"), format: format)
            _ = try writer.addStream(.video(video("mpeg4", 64, 48)))
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, encoder: "aac")))
        }
        let error = try #require(throws: StreamWriterError.self) { try addBoth("rtp") }
        #expect(error.parameter == "streams" && error.message.contains("the format rtp_mpegts"), "\(error.message)")
        #expect(throws: Never.self) { try addBoth("rtp_mpegts") }
    }

    /// FFmpeg's muxers ask for it.
    @Test(arguments: [("mp4", "flac", "option.strict"), ("matroska", "rawvideo", "option.allow_raw_vfw"), ("flv", "mpeg4", "option.strict")])
    func optionThatAMuxerAsksForIsNamed(format: String, encoder: String, parameter: String) throws {
        if isFFmpeg7 && encoder == "flac" { return }
        func openWriter(_ option: [String: String]) throws {
            let writer = try StreamWriter(destination: folder.destination("a"), format: format)
            let pictures = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder, encoderFormat: encoder == "rawvideo" ? "bgr24" : nil)
            _ = try writer.addStream(encoder == "flac" ? .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, encoder: encoder)) : .video(pictures))
            try writer.open(option: option)
        }
        let error = try #require(throws: StreamWriterError.self) { try openWriter([:]) }
        #expect(error.parameter == parameter, "\(error.message)")
        let value = try #require(error.supported?.first)
        #expect(throws: Never.self) { try openWriter([String(parameter.dropFirst(7)): value]) }
    }

    // MARK: Names

    @Test(arguments: [("H264", "libx264"), ("H264", "h264"), ("LIBX264", "libx264"), ("HEVC", "libx265"), ("x264", "libx264"), ("AV1", "libaom-av1"), ("h265", "hevc"), ("h265", "libx265"), ("H.265", "libx265"), ("avc", "libx264"), ("jpeg", "mjpeg")])
    func mistypedEncoderIsAnsweredWithTheOneThatWasMeant(name: String, meant: String) throws {
        let error = try refusal(.video(video(name, 64, 64)), "matroska")
        #expect(error.supported?.contains(meant) == true, "\(error.supported ?? [])")
        #expect(error.supported?.contains { $0.contains("nvenc") } == false)
    }
}
