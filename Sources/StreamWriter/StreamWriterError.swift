/// What went wrong, said so that a client can act on it.
public struct StreamWriterError: Error, Sendable, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case unknownEncoder, wrongEncoderType, unsupportedValue, unknownOption, unknownFormat
        case invalidParameter, invalidFilter, unsupportedHardware, beyondLimit
        case wrongState, noSuchStream, chunkInProgress, ptsTooEarly, invalidSamples
        case encodingFailed, outputDamaged, destinationFailed, destinationTimedOut, destinationRefused, destinationExists, noSpace, outputTooLarge, outOfMemory, noProcess
    }

    public internal(set) var code: Code
    public var message: String
    /// The API's name of the parameter at fault: "encoder", "encoder_option.crf".
    public var parameter: String?
    /// The values that would have been right.
    public var supported: [String]?
    /// The one of them, or of libav's names, that was probably meant.
    public var suggestion: String?
    /// libav's text for its error.
    public var libavError: String?
    /// The lines libav logged, oldest first.
    public var log: [String]
    /// Seconds; with `ptsTooEarly`.
    public var expectedPTS: Double?
    /// What was passed, and where it lies; with `beyondLimit`.
    public var limit: WriterLimits.Bound?

    /// Where the sample is that was not taken; with `invalidSamples`.
    public var sample: Sample?

    public struct Sample: Sendable, Equatable {
        /// Counted from the chunk's first.
        public let frame: Int64
        public let channel: Int
    }

    public init(
        _ code: Code, _ message: String, parameter: String? = nil, supported: [String]? = nil,
        libavError: String? = nil, log: [String] = [], expectedPTS: Double? = nil,
        limit: WriterLimits.Bound? = nil, sample: Sample? = nil, suggestion: String? = nil
    ) {
        self.code = code
        self.message = message
        self.parameter = parameter
        self.supported = supported
        self.suggestion = suggestion
        self.libavError = libavError
        self.log = log
        self.expectedPTS = expectedPTS
        self.limit = limit
        self.sample = sample
    }
}

extension StreamWriterError {
    package static func timedOut(after seconds: Double, _ log: [String] = []) -> StreamWriterError {
        StreamWriterError(.destinationTimedOut, "the destination has not responded within \(text(seconds)) seconds", log: log)
    }

    static func text(_ seconds: Double) -> String { Int(exactly: seconds).map(String.init) ?? String(seconds) }
}
