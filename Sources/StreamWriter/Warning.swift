/// What an encoding changes of what was sent although it succeeds: bits, colors, channels, rate, time.
public struct Warning: Sendable, Equatable {
    /// Stable, for programs.
    public enum Code: String, Sendable, CaseIterable {
        /// Fewer bits for a component or a sample.
        case depthReduced = "depth-reduced"
        /// No transparency.
        case alphaDropped = "alpha-dropped"
        /// Fewer samples of color than of brightness.
        case chromaSubsampled = "chroma-subsampled"
        /// No color.
        case colorDropped = "color-dropped"
        /// RGB to YUV or back, or another range: numbers that are rounded.
        case colorConverted = "color-converted"
        /// Other channels, or the same in other places.
        case channelsMixed = "channels-mixed"
        case sampleRateChanged = "sample-rate-changed"
        case frameRateChanged = "frame-rate-changed"
        case framesDropped = "frames-dropped"
        case framesRepeated = "frames-repeated"
        case gapFilled = "gap-filled"
        /// Frames that came too late, or faster than they could be encoded, where that is what such a stream wants.
        case lateDropped = "late-dropped"
        case streamsApart = "streams-apart"
        case metadataDropped = "metadata-dropped"
        /// What was said of the stream is not in the file, or the file says something else.
        case notStored = "not-stored"
        /// The encoder does not look at a parameter.
        case optionIgnored = "option-ignored"
        /// The encoder does not make key frames where the muxer would begin segments.
        case segmentsUneven = "segments-uneven"
        /// An output that the writer went on without.
        case outputFailed = "output-failed"
        /// Packets that an output was too slow for, or that came while it was being opened again.
        case packetsDropped = "packets-dropped"
        /// Few players and browsers show it.
        case fewPlayers = "few-players"
    }

    public let code: Code
    /// The stream's parameter that decides otherwise: `encoder_format`; nil when none does.
    public let parameter: String?
    /// One sentence for a person to read.
    public let message: String

    public init(_ code: Code, parameter: String? = nil, _ message: String) {
        self.code = code
        self.parameter = parameter
        self.message = message
    }
}
