import Bytewise
import Libav

/// How a stream is to be encoded once, and for which containers.
struct Encoding {
    /// nil: the stream has no others.
    let name: String?
    /// The stream as if this were all.
    let config: StreamConfig
    /// What decides about the encoder.
    let format: OutputFormat
    /// Further ones that are to take the same packets.
    var others: [OutputFormat] = []
}

/// A rendition of a stream that is set up: its encoder, and what a muxer is to know of it.
struct PreparedRendition {
    let name: String?
    let encoder: Encoder
    let calls: CallTracker
    let presentation: StreamPresentation
    /// Samples that the last frame must have, where it is known how many it will have.
    let leastSamples: Int
    let description: RenditionDescription

    /// What a muxer is to know of it.
    var parameters: StreamParameters {
        get throws(LibavError) { try StreamParameters(encoder, presentation) }
    }

    init(
        _ encoding: Encoding, _ encoder: Encoder, _ calls: CallTracker, _ presentation: StreamPresentation, leastSamples: Int,
        warnings: [Warning]
    ) {
        name = encoding.name
        self.encoder = encoder
        self.calls = calls
        self.presentation = presentation
        self.leastSamples = leastSamples
        description = RenditionDescription(encoder, name: encoding.name, warnings: warnings)
    }
}

/// What frames of a stream become on their way to those of its renditions that want them so.
struct PreparedBranch {
    let plan: EncodePlan
    let graph: FilterGraph?
    var converter: SampleConverter?
    /// Instead of the graph.
    var pictures: PictureConverter?
    /// By their places.
    let renditions: [Int]
}

extension Encoder {
    /// Opens an encoder, whose options must all be taken. `sampleAspectRatio`: of the pixels that come, unless the client has
    /// said it.
    static func opening(
        _ plan: EncodePlan, _ calls: CallTracker, sampleAspectRatio: Fraction? = nil
    ) throws(StreamWriterError) -> Encoder {
        var settings = plan.settings
        settings.sampleAspectRatio = settings.sampleAspectRatio ?? sampleAspectRatio
        let encoder: Encoder
        _ = Log.take()
        do {
            encoder = try calls.tracking { () throws(LibavError) in try Encoder(settings) }
        } catch {
            throw StreamWriterError(opening: error, settings)
        }
        try refuseIgnored(settings.options)
        return encoder
    }

    /// Encoders that hand on a list of options to a library (x264-params) only log which of them the
    /// library does not take.
    private static func refuseIgnored(_ options: [String: String]) throws(StreamWriterError) {
        guard let list = options.keys.sorted().first(where: { $0.ends(with: "-params") || $0.isSame(as: "x264opts") }) else { return }
        let complaints = ["Error parsing option", "Unknown option", "Invalid value for", "bad option", "bad value"]
        let lines = Log.take().filter { line in complaints.contains { line.holds($0) } }
        guard let line = lines.first else { return }
        throw StreamWriterError(
            .unknownOption, "the encoder does not take all of \(list): \(line)", parameter: "encoder_option.\(list)",
            log: lines)
    }
}

extension RenditionDescription {
    fileprivate init(_ encoder: Encoder, name: String?, warnings: [Warning]) {
        let settings = encoder.settings
        let bitRate = encoder.bitRate > 0 ? encoder.bitRate : nil
        let usesBitRate = settings.codec.uses(.bitRate, settings.options)
        switch settings.input {
        case .audio(let shape):
            self.init(
                name: name, encoder: settings.codec.name, encoderFormat: shape.format.name, encoderSampleRate: shape.sampleRate,
                encoderNumChannels: shape.layout.channels, frameSize: encoder.frameSize > 0 ? encoder.frameSize : nil,
                encoderFrameRate: nil, encoderWidth: nil, encoderHeight: nil, timeBase: Rational(encoder.timeBase),
                bitRate: bitRate, usesBitRate: usesBitRate, warnings: warnings)
        case .video(let shape):
            self.init(
                name: name, encoder: settings.codec.name, encoderFormat: (settings.hardwareFrames?.softwareFormat ?? shape.format).name,
                encoderSampleRate: nil, encoderNumChannels: nil, frameSize: nil, encoderFrameRate: Rational(shape.frameRate),
                encoderWidth: shape.width, encoderHeight: shape.height, timeBase: Rational(encoder.timeBase),
                bitRate: bitRate, usesBitRate: usesBitRate, warnings: warnings)
        }
    }
}
