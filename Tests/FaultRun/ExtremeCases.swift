import StreamWriter

/// Input that an encoder may never have been tried with: none, too little, numbers that are none, and
/// times far apart.
enum ExtremeCases {
    /// Seconds; the first is past 2^31 samples or pictures, the last the largest that is taken.
    static let jumps = [300_000.0, 3e6, 1e9]

    private static let values: [(name: String, of: @Sendable (Int) -> Double)] = [
        ("nan", { _ in .nan }), ("one nan", { $0 == 700 ? .nan : 0.1 }), ("inf", { _ in .infinity }), ("-inf", { _ in -.infinity }),
        ("one inf", { $0 == 700 ? .infinity : 0.1 }), ("1e30", { _ in 1e30 }), ("±1e30", { $0 % 2 == 0 ? 1e30 : -1e30 }),
        ("±1e10", { $0 % 3 == 0 ? 1e10 : -1e10 }), ("±1e5", { $0 % 3 == 0 ? 1e5 : -1e5 }), ("±2", { $0 % 3 == 0 ? 2 : -2 }), ("±30", { $0 % 3 == 0 ? 30 : -30 }),
        ("largest", { $0 % 5 == 0 ? .greatestFiniteMagnitude : 0 }), ("denormal", { _ in 1e-40 }), ("1", { $0 % 2 == 0 ? 1 : -1 }),
    ]

    static func audioEncoder(_ name: String) -> [Case] {
        guard let capability = Capabilities.encoder(named: name) else { return [] }
        let rate = AudioCases.rate(of: capability)
        return (capability.formats ?? ["flt"]).flatMap { format in
            [1, 2].flatMap { channels in
                let source = AudioCases.source(format)
                let config = AudioStreamConfig(
                    sampleRate: rate, numChannels: channels, format: source, encoder: name, encoderOption: AudioCases.option(of: capability),
                    encoderNumChannels: channels, encoderFormat: format)
                return amounts(config) + levels(config) + times(config)
            }
        }
    }

    private static func label(_ config: AudioStreamConfig, _ text: String) -> String {
        "\(config.encoderFormat ?? "") \(config.numChannels)ch \(text)"
    }

    private static func audio(_ config: AudioStreamConfig, _ feed: @escaping (StreamWriter) throws -> Void) throws -> String {
        try StreamWriter.encode([.audio(config)], format: "framemd5", feed)
    }

    private static func noise(_ config: AudioStreamConfig, _ samples: Int) -> [UInt8] {
        var noise = Noise(samples)
        return AudioCases.bytes(of: config.format, samples * config.numChannels, &noise)
    }

    private static func amounts(_ config: AudioStreamConfig) -> [Case] {
        [[], [0], [1], [1, 1], [9], [100, 1], [1500, 1], [5000, 3]].map { pieces in
            Case(name: label(config, "flushed after \(pieces)")) {
                try audio(config) { writer in
                    for piece in pieces {
                        if piece > 0 { try writer.send(noise(config, piece)) }
                        try writer.flush()
                    }
                }
            }
        } + [0, 1, 2, 3, 4].map { distance in
            Case(name: label(config, "a frame and \(distance - 2)")) {
                try audio(config) { writer in
                    let frame = writer.description(of: 0).frameSize ?? 1024
                    if frame + distance > 2 { try writer.send(noise(config, frame + distance - 2)) }
                }
            }
        }
    }

    private static func levels(_ config: AudioStreamConfig) -> [Case] {
        guard config.format == .flt || config.format == .dbl else {
            return [("lowest", [UInt8](repeating: 0x80, count: 1)), ("highest", [0x7F]), ("ones", [0xFF]), ("zeros", [0])].map { name, bytes in
                Case(name: label(config, name)) {
                    try audio(config) { writer in
                        let count = 5000 * config.numChannels * config.format.bytesPerSample
                        let size = config.format.bytesPerSample
                        try writer.send((0..<count).map { $0 % size == size - 1 || name == "ones" ? bytes[0] : bytes[0] == 0x7F ? 0xFF : 0 })
                    }
                }
            }
        }
        return values.map { value in
            Case(name: label(config, value.name)) {
                try audio(config) { writer in
                    let numbers = (0..<5000 * config.numChannels).map(value.of)
                    try writer.send(
                        config.format == .dbl
                            ? numbers.flatMap { withUnsafeBytes(of: $0, Array.init) }
                            : numbers.flatMap { withUnsafeBytes(of: Float($0), Array.init) })
                }
            }
        }
    }

    private static func times(_ config: AudioStreamConfig) -> [Case] {
        jumps.map { seconds in
            Case(name: label(config, "jump to \(seconds)")) {
                try audio(config) { writer in
                    try writer.send(noise(config, 3000))
                    try writer.send(noise(config, 3000), pts: seconds)
                }
            }
        }
    }

    // MARK: Video

    static func videoEncoder(_ name: String) -> [Case] {
        guard let capability = Capabilities.encoder(named: name) else { return [] }
        let formats = (capability.formats ?? ["yuv420p"]).prefix(VideoCases.isSlow(name) ? 1 : 3)
        return formats.flatMap { format in
            let source = format == "pal8" ? "rgb8" : format
            func config(_ rate: Rational) -> VideoStreamConfig {
                let size = VideoCases.sizesOfTheirOwn[name]?[0] ?? (width: 64, height: 48)
                return .init(
                    frameRate: rate, width: size.width, height: size.height, format: source, encoder: name,
                    encoderOption: VideoCases.options[name] ?? [:], encoderFormat: format)
            }
            func video(_ label: String, _ rate: Rational = Rational(25, 1)!, _ feed: @escaping (StreamWriter, (UInt8?) -> [UInt8]) throws -> Void) -> Case {
                Case(name: "\(format) \(label)") {
                    try StreamWriter.encode([.video(config(rate))], format: "framemd5") { writer in
                        let bytes = writer.description(of: 0).inputFrameBytes
                        var noise = Noise(bytes)
                        try feed(writer) { fill in fill.map { [UInt8](repeating: $0, count: bytes) } ?? noise.bytes(bytes) }
                    }
                }
            }
            return [
                video("none") { _, _ in }, video("one") { try $0.send($1(nil)) },
                video("flushed") { writer, picture in
                    try writer.flush()
                    for _ in 0..<3 {
                        try writer.send(picture(nil))
                        try writer.flush()
                    }
                },
                video("ones") { writer, picture in for _ in 0..<3 { try writer.send(picture(0xFF)) } },
                video("0x7f") { writer, picture in for _ in 0..<3 { try writer.send(picture(0x7F)) } },
                video("zeros") { writer, picture in for _ in 0..<3 { try writer.send(picture(0)) } },
                video("1000 a second", Rational(1000, 1)!) { writer, picture in for _ in 0..<3 { try writer.send(picture(nil)) } },
                video("one in 1000 s", Rational(1, 1000)!) { writer, picture in for _ in 0..<3 { try writer.send(picture(nil)) } },
            ] + jumps.map { seconds in
                video("jump to \(seconds)") { writer, picture in
                    try writer.send(picture(nil))
                    try writer.send(picture(nil), pts: seconds)
                    try writer.send(picture(nil))
                }
            }
        }
    }
}
