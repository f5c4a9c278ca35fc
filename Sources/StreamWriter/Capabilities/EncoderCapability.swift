import Libav

/// An encoder and what it takes. A nil list is "anything".
public struct EncoderCapability: Sendable, Equatable {
    public let name: String
    public let longName: String
    /// What it makes: "h264" for libx264.
    public let codec: String
    public let kind: StreamDescription.Kind
    public let isExperimental: Bool
    /// Backed by hardware, or maybe so.
    public let isHardware: Bool
    /// How it spreads over threads: "frame", "slice", "other".
    public let threading: [String]
    /// FFmpeg's words: "dr1", "delay", "small", …
    public let capabilities: [String]
    /// Pixel or sample formats.
    public let formats: [String]?
    /// "24000/1001" or "25", as a stream's `encoder_frame_rate` takes it.
    public let frameRates: [String]?
    public let sampleRates: [Int]?
    public let channelLayouts: [String]?
    /// Nil where it needs none.
    public let hardwareDevices: [String]?
    public let options: [OptionCapability]

    /// Rates and layouts are those a stream is checked against: also those that libav's tables
    /// leave out, but the encoder insists on.
    init(_ codec: Codec, kind: StreamDescription.Kind, options: [OptionCapability]) {
        name = codec.name
        longName = codec.longName
        self.codec = codec.codecName
        self.kind = kind
        isExperimental = codec.isExperimental
        isHardware = codec.isHardware
        threading = codec.threading
        capabilities = codec.capabilityNames
        formats = (kind == .audio ? codec.audioFormats.map(\.name) : codec.pixelFormats.map(\.name)).orAny
        frameRates = codec.frameRates.map { "\(Rational($0))" }.orAny
        sampleRates = codec.sampleRates.orAny
        channelLayouts = codec.channelLayouts.map(\.name).orAny
        hardwareDevices = codec.hardwareDevices.orAny
        self.options = options
    }
}

extension Array {
    fileprivate var orAny: Self? { isEmpty ? nil : self }
}
