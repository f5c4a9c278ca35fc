/// What was chosen for a stream.
public struct StreamDescription: Sendable, Equatable {
    public enum Kind: String, Sendable { case audio, video }

    public let index: Int
    public let kind: Kind
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
    /// Bytes of one raw frame, or of one sample of every channel.
    public let inputFrameBytes: Int
    /// Frames or samples a second of the input.
    public let inputRate: Rational
    public let bitRate: Int?
    /// The encoder makes something of it.
    public let usesBitRate: Bool
    /// What the encoding changes of what is sent.
    public internal(set) var warnings: [Warning]
    /// Key frames that the writer asks for since it was opened; nil: none.
    public internal(set) var keyFrames: KeyFrameSpacing?
}
