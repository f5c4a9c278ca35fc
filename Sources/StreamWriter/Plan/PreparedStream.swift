import Libav

/// A stream that is set up: everything it needs but the muxer. Made by `addStream`.
struct PreparedStream {
    let config: StreamConfig
    let description: StreamDescription
    /// In the order in which they were asked for; at least one.
    let renditions: [PreparedRendition]
    /// The client's filters, where what comes out of them goes more than one way.
    let front: FilterGraph?
    let branches: [PreparedBranch]
    let assembler: any FrameAssembler
    let calls: StreamCalls
    let liveTraits: LiveTraits

    init(
        _ config: StreamConfig, index: Int, as encodings: [Encoding], limits: WriterLimits, calls: StreamCalls
    ) throws(StreamWriterError) {
        liveTraits = try LiveTraits(config)
        let parts: Parts
        switch config {
        case .audio(let audio):
            parts = try Self.parts(audio, encodings, limits, calls)
        case .video(let video):
            parts = try Self.parts(video, encodings, limits, calls)
            for other in encodings.flatMap(\.others) { _ = try VideoTiming(video, for: other) }
        }
        self.config = config
        self.calls = calls
        (renditions, front, branches, assembler) = (parts.renditions, parts.front, parts.branches, parts.assembler)
        let isAudio = if case .audio = config { true } else { false }
        description = StreamDescription(
            index: index, kind: isAudio ? .audio : .video, inputFrameBytes: parts.assembler.frameBytes, inputRate: parts.rate,
            latency: liveTraits.latency, readLatency: liveTraits.readLatency(ownBlock: parts.ownBlock),
            renditions: parts.renditions.map(\.description))
        for other in encodings.flatMap(\.others) { _ = try Self.presentation(of: config, in: other) }
    }

    /// Of either kind.
    struct Parts {
        let renditions: [PreparedRendition]
        let front: FilterGraph?
        let branches: [PreparedBranch]
        let assembler: any FrameAssembler
        /// Frames or samples a second of what comes in.
        let rate: Rational
        /// Milliseconds that samples wait for a block to be full whose length is no encoder's.
        var ownBlock = 0.0
    }

    /// What one of its containers says of it.
    static func presentation(of config: StreamConfig, in format: OutputFormat) throws(StreamWriterError) -> StreamPresentation {
        switch config {
        case .audio(let audio): try StreamPresentation(audio, for: format)
        case .video(let video): try StreamPresentation(video, for: format)
        }
    }

    func parameters(of rendition: Int, in output: Output) throws(StreamWriterError) -> StreamParameters {
        let presentation = try Self.presentation(of: config, in: output.format)
        return try translating(.outOfMemory) { () throws(LibavError) in
            try StreamParameters(renditions[rendition].encoder, presentation)
        }
    }

    /// Runs `body` for each, and says which one its error is about.
    static func forEach<R>(
        _ encodings: [Encoding], _ body: (Int, Encoding) throws(StreamWriterError) -> R
    ) throws(StreamWriterError) -> [R] {
        var results: [R] = []
        for (place, encoding) in encodings.enumerated() {
            do throws(StreamWriterError) {
                results.append(try body(place, encoding))
            } catch {
                throw error.of(rendition: encoding.name, at: place)
            }
        }
        return results
    }

    /// Which encodings can share a conversion, by their places.
    static func grouped(_ plans: [EncodePlan], areAlike: (Int, Int) -> Bool) -> [[Int]] {
        var groups: [[Int]] = []
        for place in plans.indices {
            if let group = groups.firstIndex(where: { areAlike($0[0], place) }) {
                groups[group].append(place)
            } else {
                groups.append([place])
            }
        }
        return groups
    }
}
