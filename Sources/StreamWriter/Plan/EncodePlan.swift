import Bytewise
import Libav

/// How a stream's frames become packets: decided once, before anything is encoded.
struct EncodePlan {
    /// A filter graph to put frames through.
    struct Filtering {
        let input: MediaFormat
        let description: String?
        let stages: [FilterGraph.Stage]

        let limits: WriterLimits
        let calls: CallTracker
        /// Arguments of the scalers that libav puts between the client's filters.
        var scaling: String?
        /// Of the pixels that come in, where it is known.
        var sampleAspectRatio: Fraction?

        /// The graph, which costs no more than it may.
        func build() throws(StreamWriterError) -> FilterGraph {
            let graph = try configured()
            for link in graph.links { try limits.check(link) }
            for (filter, threads) in graph.threads {
                try limits.check(threads: threads, "filter_desc", in: filter)
            }
            return graph
        }

        private func configured() throws(StreamWriterError) -> FilterGraph {
            do {
                return try calls.tracking { () throws(LibavError) in
                    try FilterGraph(
                        input, description: description, stages: stages, scaling: scaling, sampleAspectRatio: sampleAspectRatio)
                }
            } catch {
                guard description != nil else { throw StreamWriterError(error, .unsupportedValue) }
                let isUnknownOption = error.kind == .optionNotFound
                var refusal = StreamWriterError(
                    error, isUnknownOption ? .unknownOption : .invalidFilter, parameter: "filter_desc")
                if let name = description.flatMap(NameSuggestions.filterName), refusal.message.holds(name.written) { refusal.suggestion = name.meant }
                throw refusal
            }
        }

        /// What does the graph's work in less time; nil where nothing does.
        func pictures() -> PictureConverter? {
            guard description == nil, sampleAspectRatio == nil else { return nil }
            return calls.tracking { PictureConverter(insteadOf: stages, for: input) }
        }

        /// What the filters say about their pictures, found with a black one.
        func trial() throws(StreamWriterError) -> FilterGraph.PictureTraits? {
            let graph = try build()
            return try translating(.invalidFilter, parameter: "filter_desc") { () throws(LibavError) in
                try calls.tracking { () throws(LibavError) in try graph.trial(of: input) }
            }
        }
    }

    let settings: EncoderSettings
    /// Nil where frames go to the encoder as they are, or nearly.
    var filtering: Filtering?
    /// The sample format changes, and nothing else: from and to. Behind the filters, where there are any.
    var conversion: (from: AudioShape, to: AudioFormat)?
    /// Of the frames that come in.
    let input: MediaFormat
    let inputTimeBase: Fraction
    let warnings: [Warning]
}

extension WriterLimits {
    /// Nothing between two filters may be larger than what comes in or goes out.
    fileprivate func check(_ link: FilterGraph.Link) throws(StreamWriterError) {
        switch link.form {
        case .audio(let shape):
            try check(channels: shape.layout.channels, "filter_desc", in: link.filter)
            let rates = Limits.sampleRate
            try requireOutput(
                rates.contains(shape.sampleRate), of: link.filter,
                "\(shape.sampleRate) samples a second; from \(rates.lowerBound) to \(rates.upperBound) are taken")
        case .video(let shape):
            try check(width: shape.width, height: shape.height, "filter_desc", in: link.filter)
            let rate = shape.frameRate.isPositive ? Rational(shape.frameRate).doubleValue : 0
            try requireOutput(
                rate <= Limits.frameRate, of: link.filter,
                "\(rate) pictures a second; at most \(Int(Limits.frameRate)) are taken")
        }
    }

    private func requireOutput(_ isTaken: Bool, of filter: String, _ given: String) throws(StreamWriterError) {
        if isTaken { return }
        throw StreamWriterError(
            .invalidParameter, "filter_desc: \(filter) gives \(given)", parameter: "filter_desc")
    }
}

extension Codec {
    /// The encoder a client named, by its name or its codec's, or the muxer's own choice. Names of encoders of
    /// FFmpeg's that are experimental stand for their codecs, of which there may be better ones ("opus",
    /// "vorbis"), unless the options say how strict to be.
    static func choose(
        _ name: String?, _ option: [String: String], _ media: Media, for format: OutputFormat
    ) throws(StreamWriterError) -> Codec {
        let kind = media == .audio ? "audio" : "video"
        guard let name else {
            let fallback = media == .audio ? format.defaultAudioEncoder : format.defaultVideoEncoder
            if let fallback { return fallback }
            throw format.withoutDefault(media)
        }
        guard let codec = Codec(named: name) else {
            throw StreamWriterError(
                .unknownEncoder, "there is no encoder \(name.shortened())", parameter: "encoder",
                supported: NameSuggestions.encoders(like: name, media), suggestion: NameSuggestions.encoder(like: name, media))
        }
        guard codec.media == media else {
            throw StreamWriterError(
                .wrongEncoderType, "\(name) is not \(kind == "audio" ? "an audio" : "a video") encoder",
                parameter: "encoder", supported: NameSuggestions.encoders(like: name, media))
        }
        return option["strict"] == nil ? codec.settled : codec
    }
}

/// An explicit value the encoder must take.
func unsupported(
    _ parameter: String, _ value: String, by codec: Codec, _ supported: [String], _ way: String? = nil
) -> StreamWriterError {
    StreamWriterError(
        .unsupportedValue,
        "the encoder \(codec.name) does not take \(parameter) \(value.shortened())\(way.map { "; \($0)" } ?? "")",
        parameter: parameter, supported: supported)
}
