import Bytewise
import Libav

/// What is decided for a video stream: the defaults and substitutions of torchaudio's StreamWriter.
struct VideoPlan {
    let input: ImageInput
    let width: Int
    let height: Int
    let encode: EncodePlan

    /// `wholeNumbers`: what floats are handed on as, where several renditions have settled it. `sharesFilters`: what comes
    /// out of the client's filters goes to other renditions, too, so that they can't make one's format.
    init(
        _ config: VideoStreamConfig, for format: OutputFormat, _ limits: WriterLimits, _ calls: StreamCalls,
        wholeNumbers: PixelFormat? = nil, sharesFilters: Bool = false
    ) throws(StreamWriterError) {
        try Self.validate(config, limits)
        let codec = try Codec.choose(config.encoder, config.encoderOption, .video, for: format)
        // A cover lies beside the streams, and may be of other codecs.
        if !config.disposition.contains(where: { $0.isSame(as: "attached_pic") }) { try format.require(codec) }
        var input = try ImageInput(format: config.format, layout: config.layout)
        width = config.width
        height = config.height
        var source = VideoShape(
            format: input.frameFormat, width: width, height: height, frameRate: config.frameRate.fraction,
            timeBase: config.timeBase?.fraction)
        let asked = try ColorDescription(config.color)
        func filtering(_ stages: [FilterGraph.Stage], _ scaling: String?) -> EncodePlan.Filtering {
            .init(
                input: .video(source), description: config.filterDesc, stages: stages, limits: limits, calls: calls.filters,
                scaling: scaling)
        }
        var filtered = try FilteredPicture(source, config, asked, filtering)
        let (hardware, chosen) = try Self.format(config, filtered, input, codec, format)
        if input.isQuantizable, config.filterDesc == nil, let chosen {
            input.quantize(for: wholeNumbers ?? chosen.format)
            source.format = input.frameFormat
            filtered = try FilteredPicture(source, config, asked, filtering)
        }
        self.input = input
        let rate = try Self.frameRate(config, filtered.shape.frameRate, codec)
        let target = VideoShape(
            format: hardware?.format ?? chosen!.format, width: config.encoderWidth ?? filtered.shape.width,
            height: config.encoderHeight ?? filtered.shape.height, frameRate: rate,
            timeBase: config.timeBase?.fraction)
        try limits.check(
            width: target.width, height: target.height,
            config.encoderWidth == nil && config.encoderHeight != nil ? "encoder_height" : "encoder_width")
        let (stages, color) = try Self.conversion(of: &filtered, to: target, codec, asked, filtering, sharesFilters: sharesFilters)

        var settings = EncoderSettings(codec: codec, input: .video(target))
        try config.codecConfig.validate(for: codec)
        settings.apply(config.codecConfig, config.encoderOption, format, limits)
        settings.sampleAspectRatio = config.sampleAspectRatio?.fraction
        settings.color = color
        settings.fieldOrder = try Self.fieldOrder(config, filtered, codec)
        settings.codecTag = try format.tag(config.codecTag, for: codec)
        settings.apply(try MasteringMetadata(config))
        try hardware?.apply(to: &settings)
        let needsGraph = config.filterDesc != nil || !stages.isEmpty
        encode = EncodePlan(
            settings: settings, filtering: needsGraph ? filtering(stages, filtered.scaling) : nil, conversion: nil,
            input: .video(source), inputTimeBase: source.timeBase ?? config.frameRate.fraction.inverse,
            warnings: (chosen?.warnings ?? []) + Warning.ignored(config.codecConfig, config.encoderOption, by: codec)
                + Self.warnings(filtered.shape.frameRate, becoming: rate, config, codec)
                + StorageCheck(format: format, codec: codec).warnings(
                    asked: asked, filtered: filtered.convertsColor ? filtered.color : .init(), stored: color, from: filtered.shape.format,
                    as: settings.hardwareFrames?.softwareFormat ?? target.format))
    }

    /// What comes after the client's filters, and what the colors are then.
    private static func conversion(
        of filtered: inout FilteredPicture, to target: VideoShape, _ codec: Codec, _ asked: ColorDescription, _ filtering: FilteredPicture.Build,
        sharesFilters: Bool
    ) throws(StreamWriterError) -> ([FilterGraph.Stage], ColorDescription) {
        let resizes = target.width != filtered.shape.width || target.height != filtered.shape.height
        var stages: [FilterGraph.Stage] = []
        if target.frameRate != filtered.shape.frameRate { stages.append(.frameRate(target.frameRate)) }
        if filtered.convertsColor && !resizes && !sharesFilters {
            // Their own scaler then makes the format: one after it would know nothing of their colors.
            stages.append(.pixelFormat(target.format))
            try filtered.learn(from: filtering(stages, filtered.scaling), as: target.format)
            let color = try ColorPlan(
                from: target.format, filtered.color, to: target.format, asked: asked, converts: false)
            return (stages, color.tags)
        }
        if filtered.isFiltered { try filtered.learn(from: filtering([], filtered.scaling), as: filtered.shape.format) }
        let converts = resizes || target.format != filtered.shape.format
        let color = try ColorPlan(
            from: filtered.shape.format, filtered.color, to: target.format, asked: asked, converts: converts, usual: codec.usualMatrix)
        if converts {
            stages.append(.size(width: target.width, height: target.height, colors: color.scaling))
            stages.append(.pixelFormat(target.format))
        }
        return (stages, color.tags)
    }

    private static func warnings(
        _ source: Fraction, becoming rate: Fraction, _ config: VideoStreamConfig, _ codec: Codec
    ) -> [Warning] {
        guard rate != source, config.encoderFrameRate == nil else { return [] }
        return [
            Warning(
                .frameRateChanged, parameter: "encoder_frame_rate",
                "\(codec.name) does not take \(Rational(source)) frames a second: they become \(Rational(rate))")
        ]
    }

    private static func fieldOrder(
        _ config: VideoStreamConfig, _ filtered: FilteredPicture, _ codec: Codec
    ) throws(StreamWriterError) -> FieldOrder {
        var order = filtered.fieldOrder ?? .progressive
        if let name = config.fieldOrder {
            guard let named = FieldOrder(rawValue: name) else {
                throw StreamWriterError(
                    .invalidParameter, "field_order \(name.shortened()) is not known", parameter: "field_order",
                    supported: FieldOrder.allCases.map(\.rawValue))
            }
            order = named
        }
        // libav's own decoder does not take what its encoder makes of fields.
        if order.isInterlaced, codec.name.isSame(as: "vc2") {
            throw unsupported(
                "field_order", order.rawValue, by: codec, [FieldOrder.progressive.rawValue],
                "yadif in filter_desc makes whole pictures of fields")
        }
        return order
    }

    private static func validate(
        _ config: VideoStreamConfig, _ limits: WriterLimits
    ) throws(StreamWriterError) {
        try require(config.width, in: Limits.dimension, "width")
        try require(config.height, in: Limits.dimension, "height")
        try limits.check(width: config.width, height: config.height, "width")
        if let width = config.encoderWidth { try require(width, in: Limits.dimension, "encoder_width") }
        if let height = config.encoderHeight { try require(height, in: Limits.dimension, "encoder_height") }
        try requireRate(config.frameRate, "frame_rate")
        if let rate = config.encoderFrameRate { try requireRate(rate, "encoder_frame_rate") }
    }

    private static func requireRate(_ rate: Rational, _ parameter: String) throws(StreamWriterError) {
        guard rate.doubleValue > Limits.frameRate else { return }
        throw StreamWriterError(
            .invalidParameter, "\(parameter) must be at most \(Int(Limits.frameRate))", parameter: parameter)
    }

    private static func format(
        _ config: VideoStreamConfig, _ filtered: FilteredPicture, _ input: ImageInput, _ codec: Codec, _ container: OutputFormat
    ) throws(StreamWriterError) -> (HardwarePlan?, PictureFormat?) {
        let source = filtered.isFiltered ? filtered.shape.format : input.format
        if let name = config.hwAccel {
            return (try HardwarePlan(name, codec, format: config.encoderFormat, source), nil)
        }
        let raw = codec.isRawVideo
            ? RawPictures(
                in: container, width: config.encoderWidth ?? filtered.shape.width, height: config.encoderHeight ?? filtered.shape.height,
                tag: try container.tag(config.codecTag, for: codec))
            : nil
        return (nil, try PictureFormat(config, source, isNamed: filtered.namesFormat, codec, in: container, raw: raw))
    }

    private static func frameRate(
        _ config: VideoStreamConfig, _ source: Fraction, _ codec: Codec
    ) throws(StreamWriterError) -> Fraction {
        let supported = codec.frameRates
        let wanted = config.encoderFrameRate?.fraction ?? source
        if supported.isEmpty || supported.contains(wanted) { return wanted }
        guard config.encoderFrameRate == nil else {
            throw unsupported(
                "encoder_frame_rate", "\(Rational(wanted))", by: codec,
                supported.map { "\(Rational($0))" })
        }
        return supported[wanted.nearest(in: supported)!]
    }
}
