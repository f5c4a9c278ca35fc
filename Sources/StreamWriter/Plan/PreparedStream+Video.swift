import Bytewise
import Libav

extension PreparedStream {
    /// Sets a video stream up: plans first, then filters, then encoders, which want to know what comes out of those.
    static func parts(
        _ config: VideoStreamConfig, _ encodings: [Encoding], _ limits: WriterLimits, _ calls: StreamCalls
    ) throws(StreamWriterError) -> Parts {
        let (plans, front) = try plan(config, encodings, limits, calls)
        let encodePlans = plans.map { plan in front.map { plan.encode.behind($0, frameSize: 0) } ?? plan.encode }
        var branches: [PreparedBranch] = []
        for places in grouped(encodePlans, areAlike: { encodePlans[$0].converts(like: encodePlans[$1]) }) {
            let plan = encodePlans[places[0]]
            var branch = PreparedBranch(plan: plan, graph: try plan.filtering?.build(), renditions: places)
            // Of what comes out of other filters nothing is known.
            if front == nil { branch.pictures = plan.filtering?.pictures() }
            branches.append(branch)
        }
        let renditions = try forEach(encodings) { (place, encoding) throws(StreamWriterError) in
            guard case .video(let config) = encoding.config else { preconditionFailure() }
            let plan = encodePlans[place]
            let presentation = try StreamPresentation(config, for: encoding.format)
            let graph = branches.first { $0.renditions.contains(place) }?.graph ?? front
            let encoder = try Encoder.opening(plan, calls.encoders[place], sampleAspectRatio: graph?.sampleAspectRatio)
            return PreparedRendition(
                encoding, encoder, calls.encoders[place], presentation, leastSamples: 0,
                warnings: plan.warnings + warnings(config, encoder.settings, encoding.format, presentation))
        }
        let keepsBytes = front == nil && zip(encodePlans, renditions).allSatisfy { $0.filtering == nil && $1.encoder.settings.codec.isRawVideo }
        let timing = try VideoTiming(config, for: encodings[0].format)
        let assembler = try translating(.unsupportedValue, parameter: "format") { () throws(LibavError) in
            try PictureAssembler(
                input: plans[0].input, width: config.width, height: config.height,
                packing: keepsBytes ? .tight : .aligned, timing: timing,
                boundsSamples: config.filterDesc != nil)
        }
        return Parts(renditions: renditions, front: front, branches: branches, assembler: assembler, rate: config.frameRate)
    }

    /// As each would be alone, but for what they share: whole numbers that floats become, and the client's filters.
    private static func plan(
        _ config: VideoStreamConfig, _ encodings: [Encoding], _ limits: WriterLimits, _ calls: StreamCalls
    ) throws(StreamWriterError) -> ([VideoPlan], front: FilterGraph?) {
        func plans(_ wholeNumbers: PixelFormat? = nil, sharesFilters: Bool = false) throws(StreamWriterError) -> [VideoPlan] {
            try forEach(encodings) { (_, encoding) throws(StreamWriterError) in
                guard case .video(let config) = encoding.config else { preconditionFailure() }
                return try VideoPlan(config, for: encoding.format, limits, calls, wholeNumbers: wholeNumbers, sharesFilters: sharesFilters)
            }
        }
        let alone = try plans()
        let formats = alone.map(\.input.frameFormat)
        if formats.contains(where: { $0 != formats[0] }) {
            // The finest.
            let finest = formats.first(where: \.isFloat) ?? formats.max { $0.depths.upperBound < $1.depths.upperBound }
            return (try plans(finest), nil)
        }
        guard config.filterDesc != nil, alone.count > 1, alone.contains(where: { !$0.encode.converts(like: alone[0].encode) }) else { return (alone, nil) }
        let shared = try plans(sharesFilters: true)
        return (shared, try shared[0].encode.filtering?.shared.build())
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
}
