import Libav
import StreamWriter

/// Samples in every form, 1 to 8 channels, from one of them to more than a frame.
enum AudioCases {
    private static let counts = [1, 2, 3, 5, 7, 8, 15, 16, 17, 63, 255, 1023, 1153, 2049]
    private static let formats: [SampleFormat] = [.flt, .s16, .u8, .s32, .dbl, .s64]

    /// They fill long histories, or make samples of higher rates, each time they are made.
    private static let slow = ["loudnorm", "rubberband", "speechnorm"]

    private static func third(_ number: Int) -> [Int] { counts.enumerated().filter { $0.offset % 3 == number % 3 }.map(\.element) }

    /// The plain one in its first format over all counts, in each other over a third of them.
    static func filter(_ descriptions: [(label: String, text: String)]) -> [Case] {
        let isSlow = slow.contains { descriptions[0].text.contains($0) }
        return descriptions.enumerated().flatMap { number, description in
            formats.prefix(number > 0 ? 1 : isSlow ? 2 : formats.count).enumerated().flatMap { index, format in
                (number > 0 || isSlow ? [1 + number % 7, 2049] : index == 0 ? counts : third(index)).enumerated().map { place, count in
                    let channels = 1 + (number + index + place * 3) % 8
                    return Case(name: "\(count) \(format) \(channels)ch \(description.label)") {
                        try encode(
                            .init(
                                sampleRate: 8000, numChannels: channels, format: format, encoder: "pcm_\(wide(format))",
                                filterDesc: description.text), samples: count * 2)
                    }
                }
            }
        }
    }

    private static func wide(_ format: SampleFormat) -> String {
        switch format {
        case .u8: "u8"
        case .s16: "s16le"
        case .s32: "s32le"
        case .s64: "s64le"
        case .flt: "f32le"
        case .dbl: "f64le"
        }
    }

    static func encoder(_ name: String) -> [Case] {
        guard let capability = Capabilities.encoder(named: name) else { return [] }
        let rate = rate(of: capability)
        return (capability.formats ?? formats.map(\.rawValue)).flatMap { format in
            (1...8).flatMap { channels in
                // Three numbers of channels after one another have all counts.
                third(channels).map { count in
                    Case(name: "\(count) \(format) \(channels)ch") {
                        try encode(
                            .init(
                                sampleRate: rate, numChannels: channels, format: source(format), encoder: name,
                                encoderOption: option(of: capability), encoderNumChannels: channels, encoderFormat: format), samples: count)
                    }
                }
            }
        }
    }

    /// Without it "opus" is libopus.
    static func option(of encoder: EncoderCapability) -> [String: String] { encoder.isExperimental ? ["strict": "experimental"] : [:] }

    static func rate(of encoder: EncoderCapability) -> Int {
        if let only = ratesOfTheirOwn[encoder.name] { return only }
        return encoder.sampleRates.map { $0.contains(44_100) ? 44_100 : $0[0] } ?? 44_100
    }

    /// Of encoders that take no others, and do not list them.
    private static let ratesOfTheirOwn = [
        "adpcm_ima_amv": 22_050, "adpcm_swf": 22_050, "g726": 8_000, "g726le": 8_000, "roq_dpcm": 22_050, "s302m": 48_000,
    ]

    static func source(_ format: String) -> SampleFormat {
        SampleFormat(rawValue: format.hasSuffix("p") ? String(format.dropLast()) : format) ?? .flt
    }

    private static func encode(_ config: AudioStreamConfig, samples: Int) throws -> String {
        try StreamWriter.encode([.audio(config)], format: "framemd5") { writer in
            var noise = Noise(samples)
            let bytes = bytes(of: config.format, samples * config.numChannels, &noise)
            // In two, so that a frame is not whole when the first one ends.
            let half = samples / 2 * writer.description(of: 0).inputFrameBytes
            if half > 0 { try writer.send(Array(bytes[..<half])) }
            try writer.send(Array(bytes[half...]))
        }
    }

    static func bytes(of format: SampleFormat, _ count: Int, _ noise: inout Noise) -> [UInt8] {
        switch format {
        case .flt: (0..<count).flatMap { _ in withUnsafeBytes(of: Float(noise.sample()), Array.init) }
        case .dbl: (0..<count).flatMap { _ in withUnsafeBytes(of: noise.sample(), Array.init) }
        default: noise.bytes(count * format.bytesPerSample)
        }
    }
}
