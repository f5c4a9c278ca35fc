import Bytewise
import Libav

/// The form in which an encoder gets its samples, and what that changes of what is sent.
struct AudioChoice {
    private(set) var shape: AudioShape
    private(set) var warnings: [Warning] = []

    /// `filtered` is what the client's filters give.
    init(_ config: AudioStreamConfig, _ filtered: AudioShape, _ codec: Codec) throws(StreamWriterError) {
        let layout = try Self.layout(config, filtered.layout, codec)
        let rate = try Self.sampleRate(config, codec)
        shape = AudioShape(format: try Self.format(config, filtered, codec), layout: layout, sampleRate: rate)
        if layout != filtered.layout, config.encoderNumChannels == nil, !isRenamed(config, filtered.layout, layout) {
            warnings.append(
                Warning(
                    .channelsMixed, parameter: "encoder_num_channels",
                    "\(codec.name) does not take \(filtered.layout.name): it is mixed to \(layout.name)"))
        }
        if rate != config.sampleRate, config.encoderSampleRate == nil {
            warnings.append(
                Warning(
                    .sampleRateChanged, parameter: "encoder_sample_rate",
                    "\(codec.name) does not take \(config.sampleRate) samples a second: they become \(rate)"))
        }
    }

    /// Without a layout from the client, one of as many channels is as good as another.
    private func isRenamed(_ config: AudioStreamConfig, _ source: ChannelLayout, _ target: ChannelLayout) -> Bool {
        config.channelLayout == nil && config.filterDesc == nil && source.channels == target.channels
    }

    private static func format(
        _ config: AudioStreamConfig, _ source: AudioShape, _ codec: Codec
    ) throws(StreamWriterError) -> AudioFormat {
        let supported = codec.audioFormats
        guard let name = config.encoderFormat else {
            return AudioFormat.best(of: supported, for: source.format) ?? source.format
        }
        guard let format = AudioFormat(name: name), supported.isEmpty || supported.contains(format) else {
            throw unsupported("encoder_format", name, by: codec, supported.map(\.name))
        }
        return format
    }

    // MARK: Rate

    /// Not the filters' rate, which may only be one that they work in.
    private static func sampleRate(_ config: AudioStreamConfig, _ codec: Codec) throws(StreamWriterError) -> Int {
        // G.726 takes other rates where it is told to be lax.
        let isLax = codec.codecName.begins(with: "adpcm_g726") && config.encoderOption["strict"] != nil
        let supported = isLax ? [] : codec.sampleRates
        let wanted = config.encoderSampleRate ?? config.sampleRate
        if let highest = codec.highestSampleRate, wanted > highest {
            let usual = Self.usualRates.filter { $0 <= highest }
            guard config.encoderSampleRate == nil else {
                throw unsupported("encoder_sample_rate", "\(wanted)", by: codec, usual.reversed().map(String.init), "it takes up to \(highest)")
            }
            return usual[0]
        }
        if supported.isEmpty || supported.contains(wanted) { return wanted }
        guard config.encoderSampleRate == nil else {
            throw unsupported("encoder_sample_rate", "\(wanted)", by: codec, supported.sorted().map(String.init))
        }
        // As torchaudio has it.
        for usual in [44_100, 48_000] where supported.contains(usual) { return usual }
        return supported.filter { $0 > wanted }.min() ?? supported.max()!
    }

    private static let usualRates = [192_000, 96_000, 48_000, 44_100]

    // MARK: Channels

    /// The encoder's layout with that many channels, or else libav's default.
    static func layout(channels: Int, _ codec: Codec, _ option: [String: String]) -> ChannelLayout {
        let standard = ChannelLayout(channels: channels)
        let supported = layouts(codec, option)
        if supported.isEmpty || supported.contains(standard) { return standard }
        return supported.first { $0.channels == channels } ?? standard
    }

    /// The order in which the encoder is to be given the channels; nil: as they are.
    func channelOrder(of codec: Codec, _ option: [String: String]) throws(StreamWriterError) -> [Int]? {
        guard codec.name == "libopus", ["-1", nil].contains(option["mapping_family"]) else { return nil }
        let channels = shape.layout.channels
        guard let order = OpusChannels.order(channels: channels) else {
            let others = codec.channelLayouts.map(\.channels).filter { ![5, 7].contains($0) }.map(String.init)
            throw unsupported(
                "encoder_num_channels", "\(channels)", by: codec, others, "it may take them for each other's, and with encoder_option.mapping_family=1 does not")
        }
        return order == Array(0..<channels) ? nil : order
    }

    /// What it takes; empty where it takes `source` as well as any other.
    private static func layouts(
        for source: ChannelLayout, _ config: AudioStreamConfig, _ codec: Codec
    ) -> [ChannelLayout] {
        guard let most = codec.mostChannels, config.encoderNumChannels ?? source.channels > most
        else { return layouts(codec, config.encoderOption) }
        return (1...most).map { ChannelLayout(channels: $0) }
    }

    /// libopus has others for each of its mappings of channels.
    private static func layouts(_ codec: Codec, _ option: [String: String]) -> [ChannelLayout] {
        codec.name == "libopus" && option["mapping_family"] != nil ? [] : codec.channelLayouts
    }

    private static func layout(
        _ config: AudioStreamConfig, _ source: ChannelLayout, _ codec: Codec
    ) throws(StreamWriterError) -> ChannelLayout {
        let supported = layouts(for: source, config, codec)
        if let wanted = config.encoderNumChannels, wanted != source.channels {
            let chosen = supported.isEmpty ? ChannelLayout(channels: wanted) : layout(channels: wanted, codec, config.encoderOption)
            guard supported.isEmpty || supported.contains(chosen) else { throw unsupportedChannels(wanted, codec) }
            try requireMixing(source, to: [chosen], config)
            return chosen
        }
        if supported.isEmpty || supported.contains(source) { return source }
        try requireMixing(source, to: supported, config)
        let possible = supported.filter { source.mixes(to: $0) }
        if let same = possible.first(where: { $0.channels == source.channels }) {
            if codec.isLossless { try requireMixingAsked(source, supported, config, codec) }
            return same
        }
        guard config.encoderNumChannels == nil else { throw unsupportedChannels(source.channels, codec) }
        return try substitute(for: source, possible, codec)
    }

    /// The largest that is not larger, or else the smallest: as FFmpeg's command line chooses.
    private static func substitute(
        for source: ChannelLayout, _ possible: [ChannelLayout], _ codec: Codec
    ) throws(StreamWriterError) -> ChannelLayout {
        let smaller = possible.filter { $0.channels < source.channels }
        if let most = smaller.map(\.channels).max(), let layout = smaller.first(where: { $0.channels == most }) {
            guard !codec.isLossless else { throw unsupportedChannels(source.channels, codec) }
            return layout
        }
        guard let layout = possible.min(by: { $0.channels < $1.channels }) else {
            throw unsupportedChannels(source.channels, codec)
        }
        return layout
    }

    /// To one of these at least.
    private static func requireMixing(_ source: ChannelLayout, to layouts: [ChannelLayout], _ config: AudioStreamConfig) throws(StreamWriterError) {
        guard let pan = source.panning(to: layouts) else { return }
        let description = (config.filterDesc.map { "\($0)," } ?? "") + pan
        throw StreamWriterError(
            .unsupportedValue,
            "nothing says what the \(source.channels) channels are (\(source.name)), so libav can't mix them to others: channel_layout does, where there is one, or filter_desc with pan mixes them by their numbers, such as \"\(pan)\"",
            parameter: "filter_desc", supported: [description])
    }

    /// Of a lossless encoder that holds as many channels, but not those that are named or that filters give.
    private static func requireMixingAsked(
        _ source: ChannelLayout, _ supported: [ChannelLayout], _ config: AudioStreamConfig, _ codec: Codec
    ) throws(StreamWriterError) {
        guard config.encoderNumChannels == nil, config.channelLayout != nil || config.filterDesc != nil else { return }
        let names = supported.filter { $0.channels == source.channels }.map(\.name)
        let isFiltered = config.filterDesc != nil
        let way = isFiltered
            ? "filter_desc with aformat=channel_layouts=\(names[0]) at its end"
            : "Without channel_layout the samples are stored as they are, as those of \(names[0]); encoder_num_channels \(source.channels)"
        throw StreamWriterError(
            .unsupportedValue,
            "the lossless encoder \(codec.name) does not have the channels of \(source.name), and mixing would change them; of \(source.channels) channels it takes \(names.joined(separator: ", ")). \(way) mixes them",
            parameter: isFiltered ? "filter_desc" : "channel_layout", supported: isFiltered ? nil : names)
    }

    private static func unsupportedChannels(_ wanted: Int, _ codec: Codec) -> StreamWriterError {
        let counts = codec.mostChannels.map { Array(1...$0) } ?? Set(codec.channelLayouts.map(\.channels)).sorted()
        return unsupported("encoder_num_channels", "\(wanted)", by: codec, counts.map(String.init))
    }
}

extension AudioPlan {
    /// What `encoder` does not keep of each sample. A lossy one has no bits to tell of.
    func warnings(of encoder: Encoder) -> [Warning] {
        guard choosesFormat, encoder.settings.codec.isLossless, case .audio(let shape) = encoder.settings.input else { return [] }
        let stored = shape.format.isFloat ? shape.format.bits : min(shape.format.bits, encoder.storedSampleBits ?? shape.format.bits)
        return Warning.samples(filteredFormat, storedAs: stored, isFloat: shape.format.isFloat, by: encoder.settings.codec.name, keeper)
    }
}
