import Libav

/// What an open stream's packets are: all that an output needs to know of it which comes later.
struct EncodedStream: Sendable {
    let codec: Codec
    let countsSamples: Bool
    /// Segments begin where its encoder makes key frames.
    let makesSegments: Bool
    private let config: StreamConfig?
    private let parameters: StreamParameters

    init(_ parts: PreparedStream) throws(StreamWriterError) {
        codec = parts.encoder.settings.codec
        countsSamples = parts.encoder.countsSamples
        makesSegments = parts.makesSegments
        config = parts.config
        parameters = try translating(.outOfMemory) { () throws(LibavError) in try parts.parameters }
    }

    var timeBase: Fraction { parameters.timeBase }

    func parameters(in format: OutputFormat) throws(StreamWriterError) -> StreamParameters {
        switch config {
        case .audio(let audio): parameters.presented(as: try StreamPresentation(audio, for: format))
        case .video(let video): parameters.presented(as: try StreamPresentation(video, for: format))
        case nil: parameters
        }
    }
}
