import Bytewise
import Libav

/// A stream that is set up: everything it needs but the muxer. Made by `addStream`.
struct PreparedStream {
    private(set) var config: StreamConfig?
    let description: StreamDescription
    let presentation: StreamPresentation
    let plan: EncodePlan
    let encoder: Encoder
    let graph: FilterGraph?
    let converter: SampleConverter?
    let assembler: any FrameAssembler
    let calls: StreamCalls
    /// Samples that the last frame must have, where it is known how many it will have.
    let leastSamples: Int
    let liveTraits: LiveTraits

    /// What a muxer is to know of it.
    var parameters: StreamParameters {
        get throws(LibavError) { try StreamParameters(encoder, presentation) }
    }

    init(
        _ config: StreamConfig, index: Int, for format: OutputFormat, beside others: [OutputFormat] = [], limits: WriterLimits,
        calls: StreamCalls
    ) throws(StreamWriterError) {
        switch config {
        case .audio(let audio):
            try self.init(audio, index, format, limits, calls)
        case .video(let video):
            try self.init(video, index, format, limits, calls)
            for other in others { _ = try VideoTiming(video, for: other) }
        }
        self.config = config
        for other in others { _ = try presentation(in: other) }
    }

    /// What another of its containers says of it.
    func presentation(in format: OutputFormat) throws(StreamWriterError) -> StreamPresentation {
        switch config {
        case .audio(let audio): try StreamPresentation(audio, for: format)
        case .video(let video): try StreamPresentation(video, for: format)
        case nil: presentation
        }
    }

    func parameters(in output: Output) throws(StreamWriterError) -> StreamParameters {
        let presentation = try presentation(in: output.format)
        return try translating(.outOfMemory) { () throws(LibavError) in try StreamParameters(encoder, presentation) }
    }

    private init(
        _ config: AudioStreamConfig, _ index: Int, _ format: OutputFormat, _ limits: WriterLimits,
        _ calls: StreamCalls
    ) throws(StreamWriterError) {
        liveTraits = try LiveTraits(fill: config.fill, whenLate: config.whenLate, isVideo: false)
        let audio = try AudioPlan(config, for: format, limits, calls)
        self.calls = calls
        plan = audio.encode
        presentation = try .init(config, for: format)
        (encoder, graph) = try Self.open(audio.encode, calls)
        let anySize = AudioPlan.blockSamples(sampleRate: config.sampleRate)
        let block = graph == nil && encoder.frameSize > 0 ? encoder.frameSize : anySize
        if let (from, to) = audio.encode.conversion {
            converter = try translating(.encodingFailed) { () throws(LibavError) in
                try SampleConverter(from: from, to: to, blockSamples: block)
            }
        } else {
            converter = nil
        }
        // Filters may be there to bring samples within bounds, but one that is no number spoils all that follow.
        let bound = encoder.sampleBound.map { config.filterDesc == nil ? $0 : .greatestFiniteMagnitude }
        let held = Self.samplesHeld(encoder, hasFilters: graph != nil, inputRate: config.sampleRate)
        assembler = try translating(.outOfMemory) { () throws(LibavError) in
            try SampleAssembler(shape: audio.input, blockSamples: block, bound: bound, leadIn: held)
        }
        leastSamples = graph == nil ? encoder.leastSamples : 1
        let storage = StorageCheck(format: format, codec: encoder.settings.codec)
        description = StreamDescription(
            audio: encoder, index: index, input: audio.input,
            warnings: audio.encode.warnings + audio.warnings(of: encoder) + storage.warnings(codecTag: config.codecTag)
                + storage.warnings(presentation, language: config.language, .audio))
    }

    private init(
        _ config: VideoStreamConfig, _ index: Int, _ format: OutputFormat, _ limits: WriterLimits,
        _ calls: StreamCalls
    ) throws(StreamWriterError) {
        liveTraits = try LiveTraits(fill: config.fill, whenLate: config.whenLate, isVideo: true)
        let video = try VideoPlan(config, for: format, limits, calls)
        self.calls = calls
        plan = video.encode
        presentation = try .init(config, for: format)
        (encoder, graph) = try Self.open(video.encode, calls)
        converter = nil
        leastSamples = 0
        let keepsBytes = plan.filtering == nil && encoder.settings.codec.isRawVideo
        let timing = try VideoTiming(config, for: format)
        let pictures = try translating(.unsupportedValue, parameter: "format") { () throws(LibavError) in
            try PictureAssembler(
                input: video.input, width: config.width, height: config.height,
                packing: keepsBytes ? .tight : .aligned, timing: timing,
                boundsSamples: config.filterDesc != nil)
        }
        assembler = pictures
        description = StreamDescription(
            video: encoder, index: index, frameBytes: pictures.frameBytes, rate: config.frameRate,
            warnings: plan.warnings + Self.warnings(config, encoder.settings, format, presentation))
    }

    /// What has no place in the file.
    private static func warnings(
        _ config: VideoStreamConfig, _ settings: EncoderSettings, _ format: OutputFormat, _ presentation: StreamPresentation
    ) -> [Warning] {
        guard case .video(let shape) = settings.input else { return [] }
        let storage = StorageCheck(format: format, codec: settings.codec)
        return storage.warnings(
            sampleAspectRatio: settings.sampleAspectRatio, isFilters: config.sampleAspectRatio == nil, shape)
            + storage.warnings(fieldOrder: settings.fieldOrder, parameter: config.fieldOrder == nil ? "filter_desc" : "field_order")
            + storage.warnings(masteringDisplay: config.masteringDisplay, contentLightLevel: config.contentLightLevel)
            + storage.warnings(codecTag: config.codecTag)
            + storage.warnings(presentation, language: config.language, .video)
    }

    /// Taps of libav's resampler at the lower of its rates, half of which it waits for.
    private static let resamplerTaps = 32.0

    /// How many samples of the input may be in the filters and the encoder when a gap begins.
    private static func samplesHeld(_ encoder: Encoder, hasFilters: Bool, inputRate: Int) -> Int {
        guard case .audio(let shape) = encoder.settings.input else { return 0 }
        let ratio = Double(inputRate) / Double(shape.sampleRate)
        var samples = Double(encoder.lead) * ratio
        if hasFilters { samples += Double(encoder.frameSize) * ratio + Self.resamplerTaps * max(1, ratio) }
        return Int(samples.rounded(.up))
    }

    private static func open(
        _ plan: EncodePlan, _ calls: StreamCalls
    ) throws(StreamWriterError) -> (Encoder, FilterGraph?) {
        let graph = try plan.filtering?.build()
        var settings = plan.settings
        settings.sampleAspectRatio = settings.sampleAspectRatio ?? graph?.sampleAspectRatio
        let encoder: Encoder
        _ = Log.take()
        do {
            encoder = try calls.encoder.tracking { () throws(LibavError) in try Encoder(settings) }
        } catch {
            throw StreamWriterError(opening: error, settings)
        }
        try refuseIgnored(settings.options)
        if encoder.frameSize > 0 { graph?.setFrameSize(encoder.frameSize) }
        return (encoder, graph)
    }
}

/// Encoders that hand on a list of options to a library (x264-params) only log which of them the
/// library does not take.
private func refuseIgnored(_ options: [String: String]) throws(StreamWriterError) {
    guard let list = options.keys.sorted().first(where: { $0.ends(with: "-params") || $0.isSame(as: "x264opts") }) else { return }
    let complaints = ["Error parsing option", "Unknown option", "Invalid value for", "bad option", "bad value"]
    let lines = Log.take().filter { line in complaints.contains { line.holds($0) } }
    guard let line = lines.first else { return }
    throw StreamWriterError(
        .unknownOption, "the encoder does not take all of \(list): \(line)", parameter: "encoder_option.\(list)",
        log: lines)
}

extension StreamDescription {
    fileprivate init(audio encoder: Encoder, index: Int, input: AudioShape, warnings: [Warning]) {
        guard case .audio(let shape) = encoder.settings.input else { preconditionFailure() }
        self.init(
            index: index, kind: .audio, encoder: encoder.settings.codec.name,
            encoderFormat: shape.format.name, encoderSampleRate: shape.sampleRate,
            encoderNumChannels: shape.layout.channels,
            frameSize: encoder.frameSize > 0 ? encoder.frameSize : nil, encoderFrameRate: nil,
            encoderWidth: nil, encoderHeight: nil, timeBase: Rational(encoder.timeBase),
            inputFrameBytes: input.bytesPerFrame, inputRate: Rational(input.sampleRate, 1)!,
            bitRate: encoder.bitRate > 0 ? encoder.bitRate : nil,
            usesBitRate: encoder.settings.codec.uses(.bitRate, encoder.settings.options), warnings: warnings)
    }

    fileprivate init(
        video encoder: Encoder, index: Int, frameBytes: Int, rate: Rational, warnings: [Warning]
    ) {
        guard case .video(let shape) = encoder.settings.input else { preconditionFailure() }
        self.init(
            index: index, kind: .video, encoder: encoder.settings.codec.name,
            encoderFormat: (encoder.settings.hardwareFrames?.softwareFormat ?? shape.format).name,
            encoderSampleRate: nil, encoderNumChannels: nil,
            frameSize: nil, encoderFrameRate: Rational(shape.frameRate), encoderWidth: shape.width,
            encoderHeight: shape.height, timeBase: Rational(encoder.timeBase), inputFrameBytes: frameBytes,
            inputRate: rate, bitRate: encoder.bitRate > 0 ? encoder.bitRate : nil,
            usesBitRate: encoder.settings.codec.uses(.bitRate, encoder.settings.options), warnings: warnings)
    }
}
