import Libav

/// What an open stream's packets are: all that an output needs to know of it which comes later.
struct EncodedStream: Sendable {
    let renditions: [Rendition]
    private let config: StreamConfig

    struct Rendition: Sendable {
        let codec: Codec
        let countsSamples: Bool
        /// Segments begin where its encoder makes key frames.
        let makesSegments: Bool
        fileprivate let parameters: StreamParameters

        var timeBase: Fraction { parameters.timeBase }
        var isVideo: Bool { parameters.media == .video }
    }

    init(_ parts: PreparedStream) throws(StreamWriterError) {
        config = parts.config
        renditions = try parts.renditions.map { (rendition) throws(StreamWriterError) in
            let parameters = try translating(.outOfMemory) { () throws(LibavError) in try rendition.parameters }
            return Rendition(
                codec: rendition.encoder.settings.codec, countsSamples: rendition.encoder.countsSamples,
                makesSegments: rendition.makesSegments(isAligned: false), parameters: parameters)
        }
    }

    func parameters(of rendition: Int, in format: OutputFormat) throws(StreamWriterError) -> StreamParameters {
        renditions[rendition].parameters.presented(as: try PreparedStream.presentation(of: config, in: format))
    }
}
