import Bytewise
import Libav

/// What is decided for an audio stream: the defaults and substitutions of torchaudio's StreamWriter.
struct AudioPlan {
    let input: AudioShape
    let encode: EncodePlan
    /// Of the samples that come out of the client's filters.
    let filteredFormat: AudioFormat
    /// The client has named no `encoder_format`.
    let choosesFormat: Bool
    /// An encoder that would keep these samples as they are, and that the muxer takes.
    let keeper: String?

    /// `layout`: of the channels that come in, where another rendition has settled it.
    init(
        _ config: AudioStreamConfig, for format: OutputFormat, _ limits: WriterLimits, _ calls: StreamCalls, layout: ChannelLayout? = nil
    ) throws(StreamWriterError) {
        try Self.validate(config, limits)
        let codec = try Codec.choose(config.encoder, config.encoderOption, .audio, for: format)
        try format.require(codec)
        let source = AudioShape(
            format: AudioFormat(name: config.format.rawValue)!,
            layout: try Self.sourceLayout(config, codec, settled: layout), sampleRate: config.sampleRate)
        func filtering(_ stages: [FilterGraph.Stage]) -> EncodePlan.Filtering {
            .init(
                input: .audio(source), description: config.filterDesc, stages: stages, limits: limits,
                calls: calls.filters)
        }
        let filtered = config.filterDesc == nil ? source : try Self.output(of: filtering([]))
        let choice = try AudioChoice(config, filtered, codec)
        let target = choice.shape

        var settings = EncoderSettings(codec: codec, input: .audio(target))
        try config.codecConfig.validate(for: codec)
        settings.apply(config.codecConfig, config.encoderOption, format, limits)
        settings.codecTag = try format.tag(config.codecTag, for: codec)
        let remixes = target.layout != source.layout || target.sampleRate != source.sampleRate
        let order = try choice.channelOrder(of: codec, config.encoderOption)
        let needsGraph = config.filterDesc != nil || remixes || order != nil
        let given = needsGraph ? Self.given(filtered, target) : source
        input = source
        filteredFormat = filtered.format
        choosesFormat = config.encoderFormat == nil
        keeper = Self.keeper(of: filtered.format, for: format)
        encode = EncodePlan(
            settings: settings,
            filtering: needsGraph ? filtering([.audio(given)] + (order.map { [.order($0, of: given.layout), .audio(given)] } ?? [])) : nil,
            conversion: given.format != target.format ? (given, target.format) : nil,
            input: .audio(source), inputTimeBase: Fraction(1, Int32(config.sampleRate)),
            warnings: choice.warnings + Warning.ignored(config.codecConfig, config.encoderOption, by: codec)
                + Self.warnings(config, source.layout, filtered.layout, target.layout, StorageCheck(format: format, codec: codec)))
    }

    /// What filters are to give: what the encoder takes, or floats where they would overflow on the way to it.
    private static func given(_ filtered: AudioShape, _ target: AudioShape) -> AudioShape {
        let floats = AudioFormat(name: "dbl")!
        let isMadeOfFloats = filtered.format.isFloat || filtered.layout != target.layout || filtered.sampleRate != target.sampleRate
        guard isMadeOfFloats, SampleConverter.overflows(from: floats, to: target.format) else { return target }
        return AudioShape(format: floats, layout: target.layout, sampleRate: target.sampleRate)
    }

    /// What has no place in the file of the channels that the client has named, or its filters have made.
    private static func warnings(
        _ config: AudioStreamConfig, _ source: ChannelLayout, _ filtered: ChannelLayout, _ target: ChannelLayout, _ storage: StorageCheck
    ) -> [Warning] {
        let isNamed = config.channelLayout != nil || filtered != source
        return isNamed && target == filtered ? storage.warnings(target) : []
    }

    private static func keeper(of samples: AudioFormat, for format: OutputFormat) -> String? {
        let bits = samples.bytesPerSample * 8
        let names = ["le", "be"].map { samples.isFloat ? "pcm_f\(bits)\($0)" : "pcm_s\(bits)\($0)" }
        return names.first { Codec(named: $0).map { format.carries($0) } ?? false }
    }

    /// Samples in a block that goes through in one piece, where the encoder does not say:
    /// about 20 ms, so that a live sender's samples do not wait for long, or a quarter of the time that they may.
    static func blockSamples(sampleRate: Int, latency milliseconds: Double) -> Int {
        let most = Double(sampleRate) * max(25, milliseconds / 4) / 1_000
        var samples = 256
        while samples < 4096 && Double(samples * 2) <= most { samples *= 2 }
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

    /// The channels that are named, or else the encoder's layout with that many, so that nothing is remixed for
    /// its name.
    private static func sourceLayout(
        _ config: AudioStreamConfig, _ codec: Codec, settled: ChannelLayout?
    ) throws(StreamWriterError) -> ChannelLayout {
        if let settled { return settled }
        guard let name = config.channelLayout else { return AudioChoice.layout(channels: config.numChannels, codec, config.encoderOption) }
        guard let layout = ChannelLayout(name: name) else {
            throw StreamWriterError(
                .invalidParameter, "channel_layout \(name.shortened()) is not a layout that libav knows",
                parameter: "channel_layout", supported: ChannelLayout.names(channels: config.numChannels))
        }
        guard layout.channels == config.numChannels else {
            throw StreamWriterError(
                .invalidParameter,
                "channel_layout \(name.shortened()) has \(layout.channels) channels, and num_channels is \(config.numChannels)",
                parameter: "channel_layout", supported: ChannelLayout.names(channels: config.numChannels))
        }
        return layout
    }
}

func require(_ value: Int, in range: ClosedRange<Int>, _ parameter: String) throws(StreamWriterError) {
    guard !range.contains(value) else { return }
    throw StreamWriterError(
        .invalidParameter, "\(parameter) must be from \(range.lowerBound) to \(range.upperBound)",
        parameter: parameter)
}
