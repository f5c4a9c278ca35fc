import Bytewise
import Libav

extension PreparedStream {
    /// Sets an audio stream up: plans first, then encoders, which say in which blocks they take samples, then filters.
    static func parts(
        _ config: AudioStreamConfig, _ encodings: [Encoding], _ limits: WriterLimits, _ calls: StreamCalls
    ) throws(StreamWriterError) -> Parts {
        var layout: ChannelLayout?
        let plans = try forEach(encodings) { (_, encoding) throws(StreamWriterError) in
            guard case .audio(let config) = encoding.config else { preconditionFailure() }
            let plan = try AudioPlan(config, for: encoding.format, limits, calls, layout: layout)
            layout = plan.input.layout
            return plan
        }
        let encoders = try forEach(encodings) { (place, _) throws(StreamWriterError) in
            try Encoder.opening(plans[place].encode, calls.encoders[place])
        }
        let sizes = encoders.map(\.frameSize)
        let anySize = AudioPlan.blockSamples(sampleRate: config.sampleRate, latency: LiveTraits.latency(of: .audio(config)))
        // Of those that get samples as they come the first decides.
        let direct = plans.indices.first { plans[$0].encode.filtering == nil && sizes[$0] > 0 }
        let block = direct.map { sizes[$0] } ?? anySize
        let alone = plans.indices.map { place in
            let plan = plans[place].encode
            let isOtherBlock = plan.filtering == nil && sizes[place] > 0 && sizes[place] != block
            return isOtherBlock ? plan.reblocked(limits, calls.filters) : plan
        }
        let (encodePlans, front) = try divide(alone, sizes, hasFilters: config.filterDesc != nil)
        let branches = try makeBranches(encodePlans, sizes, block: block)
        let renditions = try forEach(encodings) { (place, encoding) throws(StreamWriterError) in
            guard case .audio(let config) = encoding.config else { preconditionFailure() }
            let storage = StorageCheck(format: encoding.format, codec: encoders[place].settings.codec)
            let presentation = try StreamPresentation(config, for: encoding.format)
            return PreparedRendition(
                encoding, encoders[place], calls.encoders[place], presentation,
                leastSamples: front == nil && encodePlans[place].filtering == nil ? encoders[place].leastSamples : 1,
                warnings: plans[place].encode.warnings + plans[place].warnings(of: encoders[place])
                    + storage.warnings(codecTag: config.codecTag)
                    + storage.warnings(presentation, language: config.language, .audio))
        }
        // Filters may be there to bring samples within bounds, but one that is no number spoils all that follow.
        let bound = encoders.compactMap(\.sampleBound).min().map { config.filterDesc == nil ? $0 : .greatestFiniteMagnitude }
        let held = zip(encoders, encodePlans).map { encoder, plan in
            samplesHeld(encoder, hasFilters: front != nil || plan.filtering != nil, inputRate: config.sampleRate)
        }
        let assembler = try translating(.outOfMemory) { () throws(LibavError) in
            try SampleAssembler(shape: plans[0].input, blockSamples: block, bound: bound, leadIn: held.max() ?? 0)
        }
        return Parts(
            renditions: renditions, front: front, branches: branches, assembler: assembler, rate: Rational(config.sampleRate, 1)!,
            ownBlock: direct == nil ? Double(block) / Double(config.sampleRate) * 1_000 : 0)
    }

    /// The client's filters by themselves where what comes out of them is to become several things.
    private static func divide(
        _ plans: [EncodePlan], _ sizes: [Int], hasFilters: Bool
    ) throws(StreamWriterError) -> ([EncodePlan], front: FilterGraph?) {
        let areAlike = plans.indices.allSatisfy { plans[$0].converts(like: plans[0]) && sizes[$0] == sizes[0] }
        guard hasFilters, !areAlike, let front = try plans[0].filtering?.shared.build() else { return (plans, nil) }
        return (zip(plans, sizes).map { $0.behind(front, frameSize: $1) }, front)
    }

    /// `block`: samples in each frame that comes.
    private static func makeBranches(_ plans: [EncodePlan], _ sizes: [Int], block: Int) throws(StreamWriterError) -> [PreparedBranch] {
        let groups = grouped(plans) { plans[$0].converts(like: plans[$1]) && (plans[$0].filtering == nil || sizes[$0] == sizes[$1]) }
        var branches: [PreparedBranch] = []
        for places in groups {
            let plan = plans[places[0]]
            let graph = try plan.filtering?.build()
            if sizes[places[0]] > 0 { graph?.setFrameSize(sizes[places[0]]) }
            var branch = PreparedBranch(plan: plan, graph: graph, renditions: places)
            if let (from, to) = plan.conversion {
                branch.converter = try translating(.encodingFailed) { () throws(LibavError) in
                    try SampleConverter(from: from, to: to, blockSamples: block)
                }
            }
            branches.append(branch)
        }
        return branches
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
}
