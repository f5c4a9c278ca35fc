import Libav

/// What is decided for an audio stream: the defaults and substitutions of torchaudio's StreamWriter.
struct AudioPlan {
    let input: AudioShape
    let encode: EncodePlan

    init(
        _ config: AudioStreamConfig, for format: OutputFormat, _ limits: WriterLimits, _ calls: StreamCalls
    ) throws(StreamWriterError) {
        try Self.validate(config, limits)
        let codec = try Codec.choose(config.encoder, .audio, for: format)
        let source = AudioShape(
            format: AudioFormat(name: config.format.rawValue)!,
            layout: Self.layout(channels: config.numChannels, codec), sampleRate: config.sampleRate)
        func filtering(_ stages: [FilterGraph.Stage]) -> EncodePlan.Filtering {
            .init(
                input: .audio(source), description: config.filterDesc, stages: stages, limits: limits,
                calls: calls.filters)
        }
        let filtered = config.filterDesc == nil ? source : try Self.output(of: filtering([]))
        let target = AudioShape(
            format: try Self.format(config, filtered, codec),
            layout: try Self.layout(config, filtered, codec),
            sampleRate: try Self.sampleRate(config, filtered, codec))

        var settings = EncoderSettings(codec: codec, input: .audio(target))
        settings.apply(config.codecConfig, config.encoderOption, format, limits)
        let remixes = target.layout != source.layout || target.sampleRate != source.sampleRate
        let needsGraph = config.filterDesc != nil || remixes
        input = source
        encode = EncodePlan(
            settings: settings,
            filtering: needsGraph ? filtering([.audio(target)]) : nil,
            conversion: !needsGraph && target.format != source.format ? (source, target.format) : nil,
            inputTimeBase: Fraction(1, Int32(config.sampleRate)))
    }

    /// Samples in a block that goes through in one piece, where the encoder does not say:
    /// about 20 ms, so that a live sender's samples do not wait for long.
    static func blockSamples(sampleRate: Int) -> Int {
        var samples = 256
        while samples < 4096 && samples * 2 <= sampleRate / 40 { samples *= 2 }
        return samples
    }

    private static func validate(
        _ config: AudioStreamConfig, _ limits: WriterLimits
    ) throws(StreamWriterError) {
        try require(config.sampleRate, in: Limits.sampleRate, "sample_rate")
        try require(config.numChannels, in: Limits.channels, "num_channels")
        try limits.check(channels: config.numChannels, "num_channels")
        if let rate = config.encoderSampleRate {
            try require(rate, in: Limits.sampleRate, "encoder_sample_rate")
        }
        if let channels = config.encoderNumChannels {
            try require(channels, in: Limits.channels, "encoder_num_channels")
            try limits.check(channels: channels, "encoder_num_channels")
        }
    }

    /// The shape after the client's own filters.
    private static func output(of filtering: EncodePlan.Filtering) throws(StreamWriterError) -> AudioShape {
        guard case .audio(let shape) = try filtering.build().output else {
            throw StreamWriterError(
                .invalidFilter, "the filters of an audio stream must give audio", parameter: "filter_desc")
        }
        return shape
    }

    /// The encoder's layout with that many channels, so that nothing is remixed for its name.
    private static func layout(channels: Int, _ codec: Codec) -> ChannelLayout {
        let standard = ChannelLayout(channels: channels)
        let supported = codec.channelLayouts
        if supported.isEmpty || supported.contains(standard) { return standard }
        return supported.first { $0.channels == channels } ?? standard
    }

    private static func sampleRate(
        _ config: AudioStreamConfig, _ source: AudioShape, _ codec: Codec
    ) throws(StreamWriterError) -> Int {
        let supported = codec.sampleRates
        let wanted = config.encoderSampleRate ?? source.sampleRate
        if supported.isEmpty || supported.contains(wanted) { return wanted }
        guard config.encoderSampleRate == nil else {
            throw unsupported("encoder_sample_rate", "\(wanted)", by: codec, supported.sorted().map(String.init))
        }
        return supported.contains(44_100) ? 44_100 : supported[0]
    }

    private static func layout(
        _ config: AudioStreamConfig, _ source: AudioShape, _ codec: Codec
    ) throws(StreamWriterError) -> ChannelLayout {
        let supported = codec.channelLayouts
        guard let wanted = config.encoderNumChannels, wanted != source.layout.channels else {
            let channels = source.layout.channels
            if supported.isEmpty || supported.contains(source.layout) { return source.layout }
            if let same = supported.first(where: { $0.channels == channels }) { return same }
            if let wanted = config.encoderNumChannels { throw unsupportedChannels(wanted, codec) }
            return supported[0]
        }
        if supported.isEmpty { return ChannelLayout(channels: wanted) }
        let chosen = layout(channels: wanted, codec)
        guard supported.contains(chosen) else { throw unsupportedChannels(wanted, codec) }
        return chosen
    }

    private static func unsupportedChannels(_ wanted: Int, _ codec: Codec) -> StreamWriterError {
        let counts = Set(codec.channelLayouts.map(\.channels)).sorted().map(String.init)
        return unsupported("encoder_num_channels", "\(wanted)", by: codec, counts)
    }

    private static func format(
        _ config: AudioStreamConfig, _ source: AudioShape, _ codec: Codec
    ) throws(StreamWriterError) -> AudioFormat {
        let supported = codec.audioFormats
        guard let name = config.encoderFormat else { return supported.first ?? source.format }
        guard let format = AudioFormat(name: name), supported.isEmpty || supported.contains(format) else {
            throw unsupported("encoder_format", name, by: codec, supported.map(\.name))
        }
        return format
    }
}

func require(_ value: Int, in range: ClosedRange<Int>, _ parameter: String) throws(StreamWriterError) {
    guard !range.contains(value) else { return }
    throw StreamWriterError(
        .invalidParameter, "\(parameter) must be from \(range.lowerBound) to \(range.upperBound)",
        parameter: parameter)
}
