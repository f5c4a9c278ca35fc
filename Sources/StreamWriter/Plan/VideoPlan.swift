import Libav

/// What is decided for a video stream: the defaults and substitutions of torchaudio's StreamWriter.
struct VideoPlan {
    let input: ImageInput
    let width: Int
    let height: Int
    let encode: EncodePlan

    init(
        _ config: VideoStreamConfig, for format: OutputFormat, _ limits: WriterLimits, _ calls: StreamCalls
    ) throws(StreamWriterError) {
        try Self.validate(config, limits)
        let codec = try Codec.choose(config.encoder, .video, for: format)
        input = try ImageInput(format: config.format, layout: config.layout)
        width = config.width
        height = config.height
        let source = VideoShape(
            format: input.frameFormat, width: width, height: height, frameRate: config.frameRate.fraction,
            timeBase: config.timeBase?.fraction)
        func filtering(_ stages: [FilterGraph.Stage]) -> EncodePlan.Filtering {
            .init(
                input: .video(source), description: config.filterDesc, stages: stages, limits: limits, calls: calls.filters)
        }
        let filtered = try Self.filtered(source, config, filtering([]))
        var hardware: HardwarePlan?
        if let name = config.hwAccel {
            hardware = try HardwarePlan(name, codec, format: config.encoderFormat)
        }
        let target = VideoShape(
            format: try Self.format(config, input.format, codec, hardware),
            width: config.encoderWidth ?? filtered.width,
            height: config.encoderHeight ?? filtered.height,
            frameRate: try Self.frameRate(config, filtered.frameRate, codec), timeBase: config.timeBase?.fraction)
        try limits.check(
            width: target.width, height: target.height,
            config.encoderWidth == nil && config.encoderHeight != nil ? "encoder_height" : "encoder_width")

        var settings = EncoderSettings(codec: codec, input: .video(target))
        settings.apply(config.codecConfig, config.encoderOption, format, limits)
        settings.sampleAspectRatio = config.sampleAspectRatio?.fraction
        settings.color = try ColorDescription(config.color)
        try hardware?.apply(to: &settings)
        let stages = Self.stages(from: filtered, to: target)
        let needsGraph = config.filterDesc != nil || !stages.isEmpty
        encode = EncodePlan(
            settings: settings,
            filtering: needsGraph ? filtering(stages) : nil,
            conversion: nil, inputTimeBase: source.timeBase ?? config.frameRate.fraction.inverse)
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

    /// The picture after the client's own filters.
    private static func filtered(
        _ source: VideoShape, _ config: VideoStreamConfig, _ filtering: EncodePlan.Filtering
    ) throws(StreamWriterError) -> VideoShape {
        guard config.filterDesc != nil else { return source }
        guard case .video(var shape) = try filtering.build().output else {
            throw StreamWriterError(
                .invalidFilter, "the filters of a video stream must give video", parameter: "filter_desc")
        }
        if !shape.frameRate.isPositive { shape.frameRate = config.frameRate.fraction }
        return shape
    }

    private static func stages(from source: VideoShape, to target: VideoShape) -> [FilterGraph.Stage] {
        var stages: [FilterGraph.Stage] = []
        if target.frameRate != source.frameRate { stages.append(.frameRate(target.frameRate)) }
        let resizes = target.width != source.width || target.height != source.height
        if resizes || target.format != source.format {
            stages.append(.size(width: target.width, height: target.height))
            stages.append(.pixelFormat(target.format))
        }
        return stages
    }

    private static func format(
        _ config: VideoStreamConfig, _ source: PixelFormat, _ codec: Codec, _ hardware: HardwarePlan?
    ) throws(StreamWriterError) -> PixelFormat {
        if let hardware { return hardware.format }
        // Frames in a GPU's memory are for `hw_accel`.
        let supported = codec.pixelFormats.filter { !$0.isHardware }
        if supported.isEmpty && !codec.pixelFormats.isEmpty {
            throw StreamWriterError(
                .unsupportedHardware, "the encoder \(codec.name) needs hw_accel", parameter: "hw_accel",
                supported: HardwareDevice.Kind.allCases.map(\.rawValue))
        }
        guard let name = config.encoderFormat else { return supported.first ?? source }
        guard let format = PixelFormat(name: name), supported.isEmpty || supported.contains(format) else {
            throw unsupported("encoder_format", name, by: codec, supported.map(\.name))
        }
        return format
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
