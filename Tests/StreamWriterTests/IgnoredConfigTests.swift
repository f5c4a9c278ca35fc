import Foundation
import StreamWriter
import Testing

/// Which encoders look at `bit_rate`, `qscale` and `compression_level` is asked of their packets: the same, whatever
/// is said, are those of an encoder that does not.
@Suite struct IgnoredConfigTests {
    let folder = TemporaryFolder()

    private static let audio = Set(Capabilities.encoders(.audio).map(\.name))

    /// Without those of hardware, and those whose packets are no bytes.
    static let encoders = (Capabilities.encoders(.audio) + Capabilities.encoders(.video))
        .filter { encoder in !encoder.capabilities.contains { ["hardware", "hybrid"].contains($0) } && encoder.name != "wrapped_avframe" }
        .map(\.name).sorted()

    private static let sizes = [
        "avui": (720, 576), "dnxhd": (1280, 720), "dvvideo": (720, 576), "h261": (176, 144), "h263": (176, 144), "vbn": (64, 64),
    ]
    private static let rates = ["g723_1": 8_000, "libgsm": 8_000, "libgsm_ms": 8_000, "libcodec2": 8_000, "libspeex": 16_000]
    private static let quick = ["libaom-av1": ["cpu-used": "8"], "librav1e": ["speed": "10"], "libsvtav1": ["preset": "12"], "dnxhd": ["profile": "dnxhr_sq"]]

    private static func stream(_ encoder: String, _ config: CodecConfig) -> StreamConfig {
        var config = config
        if encoder == "dca", config.bitRate == nil { config.bitRate = 768_000 }
        guard !audio.contains(encoder) else {
            return .audio(AudioStreamConfig(sampleRate: rates[encoder] ?? 48_000, numChannels: 2, format: .s16, encoder: encoder, codecConfig: config))
        }
        let (width, height) = sizes[encoder] ?? (64, 64)
        return .video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: width, height: height, format: "yuv420p", encoder: encoder, encoderOption: quick[encoder] ?? [:],
                codecConfig: config))
    }

    /// What comes out, and whether it is said that the parameter is ignored; nil: the encoder refuses it.
    private func encoded(_ encoder: String, _ config: CodecConfig) -> (packets: String, ignored: Set<String>)? {
        let stream = Self.stream(encoder, config)
        let input: Data
        switch stream {
        case .audio(let audio): input = tone(samples: audio.sampleRate / 4, channels: 2, rate: audio.sampleRate)
        case .video(let video): input = pictures(count: 4, bytesPerFrame: video.width * video.height * 3 / 2)
        }
        do {
            let writer = try StreamWriter(destination: folder.destination("a"), format: "framecrc")
            _ = try writer.addStream(stream)
            let warnings = writer.description(of: 0).warnings.filter { $0.code == .optionIgnored }
            try writer.open()
            try writer.send(input)
            _ = try writer.close()
            let lines = String(decoding: try folder.bytes("a"), as: UTF8.self).split(separator: "\n")
            return (lines.filter { !$0.hasPrefix("#") }.joined(separator: "\n"), Set(warnings.compactMap(\.parameter)))
        } catch {
            return nil
        }
    }

    private static let values: [(String, @Sendable (Int) -> CodecConfig, [Int])] = [
        ("codec_config.bit_rate", { CodecConfig(bitRate: $0) }, [12_000, 32_000, 64_000, 128_000, 6_000_000, 60_000_000]),
        ("codec_config.qscale", { CodecConfig(qscale: Double($0)) }, [1, 5, 9]),
        ("codec_config.compression_level", { CodecConfig(compressionLevel: $0) }, [0, 1, 2, 8]),
    ]

    @Test(arguments: encoders) func encoderThatIgnoresAParameterIsNamed(encoder: String) throws {
        guard let plain = encoded(encoder, CodecConfig()) else { return }
        #expect(plain.ignored == [], "nothing was said")
        for (name, config, values) in Self.values {
            let found = values.compactMap { encoded(encoder, config($0)) }
            // Others than this one are refused, with a reason.
            guard !found.isEmpty, found.count == values.count || found.contains(where: { $0.packets != plain.packets }) else { continue }
            let isUsed = found.contains { $0.packets != plain.packets }
            #expect(found.allSatisfy { $0.ignored == (isUsed ? [] : [name]) }, "\(encoder) and \(name): \(isUsed ? "used" : "ignored")")
        }
    }

    /// By the sizes of their packets: some tell of the bit rate in a head.
    @Test(arguments: encoders) func bitRateBesideAQscaleIsSaidToBeIgnored(encoder: String) throws {
        let name = "codec_config.bit_rate"
        func sizes(_ bitRate: Int?) -> (sizes: [Substring], ignored: Set<String>)? {
            guard let found = encoded(encoder, CodecConfig(bitRate: bitRate, qscale: 5)) else { return nil }
            return (found.packets.split(separator: "\n").map { $0.split(separator: ",")[4] }, found.ignored)
        }
        // Those that use one of the two alone are asked above.
        guard let plain = sizes(nil), !plain.ignored.contains("codec_config.qscale"), let alone = encoded(encoder, CodecConfig(bitRate: 32_000)),
            !alone.ignored.contains(name)
        else { return }
        let both = [32_000, 64_000, 128_000].compactMap(sizes)
        let isUsed = both.contains { $0.sizes != plain.sizes }
        #expect(both.allSatisfy { $0.ignored == (isUsed ? [] : [name]) }, "\(encoder): \(isUsed ? "used" : "ignored")")
    }

    /// What is named instead does it.
    @Test(arguments: [
        ("libx264", "qscale", "crf", "10", "40"), ("libx265", "qscale", "crf", "10", "40"), ("libsvtav1", "qscale", "crf", "10", "50"), ("libaom-av1", "qscale", "crf", "10", "50"),
        ("libvpx", "qscale", "crf", "10", "50"), ("libvpx-vp9", "qscale", "crf", "10", "50"), ("librav1e", "qscale", "qp", "50", "200"),
        ("libx264", "compression_level", "preset", "ultrafast", "medium"), ("libx265", "compression_level", "preset", "ultrafast", "medium"),
        ("libsvtav1", "compression_level", "preset", "12", "8"), ("libaom-av1", "compression_level", "cpu-used", "8", "1"),
        ("libvpx-vp9", "compression_level", "cpu-used", "8", "2"), ("libjxl", "compression_level", "effort", "1", "7"), ("librav1e", "compression_level", "speed", "10", "6"),
    ])
    func optionThatIsNamedInsteadIsUsed(encoder: String, parameter: String, option: String, low: String, high: String) throws {
        let config = parameter == "qscale" ? CodecConfig(qscale: 5) : CodecConfig(compressionLevel: 1)
        guard Self.encoders.contains(encoder) else { return }
        guard case .video(var stream) = Self.stream(encoder, config) else { return }
        let files = try [low, high].map { value -> Data in
            stream.encoderOption[option] = value
            let writer = try StreamWriter(destination: folder.destination("a"), format: "framemd5")
            _ = try writer.addStream(.video(stream))
            let warning = try #require(writer.description(of: 0).warnings.first { $0.code == .optionIgnored })
            #expect(warning.parameter == "codec_config.\(parameter)" && warning.message.contains("; \(option) in encoder_option"), "\(warning.message)")
            try writer.open()
            try writer.send(pictures(count: 4, bytesPerFrame: 64 * 64 * 3 / 2))
            _ = try writer.close()
            return try folder.bytes("a")
        }
        #expect(files[0] != files[1])
    }
}
