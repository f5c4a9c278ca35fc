/// What was chosen for a stream. What is a rendition's is, of the stream, its first rendition's.
public struct StreamDescription: Sendable, Equatable {
    public enum Kind: String, Sendable { case audio, video }

    public let index: Int
    public let kind: Kind
    /// Bytes of one raw frame, or of one sample of every channel.
    public let inputFrameBytes: Int
    /// Frames or samples a second of the input.
    public let inputRate: Rational
    /// How long bytes of a live body may wait for more, in milliseconds.
    public let latency: Double
    /// What of it is left for reading them, in milliseconds.
    public let readLatency: Double
    /// At least one.
    public internal(set) var renditions: [RenditionDescription]

    public var encoder: String { renditions[0].encoder }
    public var encoderFormat: String { renditions[0].encoderFormat }
    public var encoderSampleRate: Int? { renditions[0].encoderSampleRate }
    public var encoderNumChannels: Int? { renditions[0].encoderNumChannels }
    public var frameSize: Int? { renditions[0].frameSize }
    public var encoderFrameRate: Rational? { renditions[0].encoderFrameRate }
    public var encoderWidth: Int? { renditions[0].encoderWidth }
    public var encoderHeight: Int? { renditions[0].encoderHeight }
    public var timeBase: Rational { renditions[0].timeBase }
    public var bitRate: Int? { renditions[0].bitRate }
    public var usesBitRate: Bool { renditions[0].usesBitRate }
    public var warnings: [Warning] { renditions[0].warnings }
    public var keyFrames: KeyFrameSpacing? { renditions[0].keyFrames }
}

/// What was chosen for one of a stream's renditions.
public struct RenditionDescription: Sendable, Equatable {
    /// nil: the stream has no others.
    public let name: String?
    public let encoder: String
    public let encoderFormat: String
    public let encoderSampleRate: Int?
    public let encoderNumChannels: Int?
    /// Samples per channel in one encoded frame; nil when the encoder takes any number.
    public let frameSize: Int?
    public let encoderFrameRate: Rational?
    public let encoderWidth: Int?
    public let encoderHeight: Int?
    /// Of the encoder: 1/sample rate or 1/frame rate.
    public let timeBase: Rational
    public let bitRate: Int?
    /// The encoder makes something of it.
    public let usesBitRate: Bool
    /// What the encoding changes of what is sent.
    public internal(set) var warnings: [Warning]
    /// Key frames that the writer asks for since it was opened; nil: none.
    public internal(set) var keyFrames: KeyFrameSpacing?
}
