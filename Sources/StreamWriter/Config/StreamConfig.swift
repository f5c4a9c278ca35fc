/// How the samples of a chunk are stored; always interleaved.
public enum SampleFormat: String, Sendable, CaseIterable {
    case u8, s16, s32, s64, flt, dbl

    public var bytesPerSample: Int {
        switch self {
        case .u8: 1
        case .s16: 2
        case .s32, .flt: 4
        case .s64, .dbl: 8
        }
    }
}

/// How the pixels of a chunk are ordered.
public enum PixelLayout: String, Sendable, CaseIterable {
    /// FFmpeg's own memory layout of the format, without gaps.
    case packed
    /// torchaudio's tensor order: frame, channel, height, width.
    case nchw
}

/// The `CodecConfig` of torchaudio's StreamWriter; its -1 is nil here.
public struct CodecConfig: Sendable, Equatable {
    /// Bits per second.
    public var bitRate: Int?
    public var compressionLevel: Int?
    /// Global quality; turns variable bit rate on.
    public var qscale: Double?
    /// Frames in a group of pictures, 0 for only intra frames.
    public var gopSize: Int?
    public var maxBFrames: Int?

    public init(
        bitRate: Int? = nil, compressionLevel: Int? = nil, qscale: Double? = nil,
        gopSize: Int? = nil, maxBFrames: Int? = nil
    ) {
        self.bitRate = bitRate
        self.compressionLevel = compressionLevel
        self.qscale = qscale
        self.gopSize = gopSize
        self.maxBFrames = maxBFrames
    }
}

/// How the encoded numbers of a video are to be read, by libav's names. What is YUV when it is sent is in these
/// terms already; RGB is converted to them. Nil: RGB becomes `smpte170m` in the range `tv`.
public struct ColorConfig: Sendable, Equatable {
    /// "tv" or "pc".
    public var range: String?
    public var primaries: String?
    public var transfer: String?
    /// The matrix between RGB and YUV.
    public var space: String?

    public init(
        range: String? = nil, primaries: String? = nil, transfer: String? = nil, space: String? = nil
    ) {
        self.range = range
        self.primaries = primaries
        self.transfer = transfer
        self.space = space
    }
}

/// What an audio stream is fed with, and how it is encoded. Nil is the default of torchaudio's StreamWriter.
public struct AudioStreamConfig: Sendable, Equatable {
    public var sampleRate: Int
    public var numChannels: Int
    /// Which channels they are, by libav's name: "5.1(side)", "ambisonic 3". libav's default for their number when nil.
    public var channelLayout: String?
    public var format: SampleFormat
    public var encoder: String?
    public var encoderOption: [String: String]
    public var encoderSampleRate: Int?
    public var encoderNumChannels: Int?
    public var encoderFormat: String?
    public var codecConfig: CodecConfig
    public var filterDesc: String?
    public var metadata: [String: String]
    /// A code of ISO 639, two letters or three, or one with a country: "en", "eng", "en-US".
    public var language: String?
    /// libav's names: "default", "forced", "hearing_impaired", …
    public var disposition: [String]
    /// The container's four characters for the codec: "hvc1".
    public var codecTag: String?
    /// What the stream is made of where it sends nothing.
    public var fill: StreamFill?
    public var whenLate: WhenLate
    /// How long bytes of a body that comes as it is made may wait for more, in milliseconds; its kind's default when nil.
    public var latency: Double?
    /// What it is encoded to, where that is more than one thing; the fields above that say so are left out then.
    public var renditions: [RenditionConfig] = []

    public init(
        sampleRate: Int, numChannels: Int, channelLayout: String? = nil, format: SampleFormat = .flt, encoder: String? = nil,
        encoderOption: [String: String] = [:], encoderSampleRate: Int? = nil,
        encoderNumChannels: Int? = nil, encoderFormat: String? = nil,
        codecConfig: CodecConfig = .init(), filterDesc: String? = nil,
        metadata: [String: String] = [:], language: String? = nil, disposition: [String] = [],
        codecTag: String? = nil, fill: StreamFill? = nil, whenLate: WhenLate = .wait, latency: Double? = nil
    ) {
        self.sampleRate = sampleRate
        self.numChannels = numChannels
        self.channelLayout = channelLayout
        self.format = format
        self.encoder = encoder
        self.encoderOption = encoderOption
        self.encoderSampleRate = encoderSampleRate
        self.encoderNumChannels = encoderNumChannels
        self.encoderFormat = encoderFormat
        self.codecConfig = codecConfig
        self.filterDesc = filterDesc
        self.metadata = metadata
        self.language = language
        self.disposition = disposition
        self.codecTag = codecTag
        self.fill = fill
        self.whenLate = whenLate
        self.latency = latency
    }
}

/// What a video stream is fed with, and how it is encoded. Nil is the default of torchaudio's StreamWriter.
public struct VideoStreamConfig: Sendable, Equatable {
    public var frameRate: Rational
    /// What times are counted in; one frame when nil.
    public var timeBase: Rational?
    public var width: Int
    public var height: Int
    /// A libav pixel format, or torchaudio's `gray8`.
    public var format: String
    public var layout: PixelLayout
    public var encoder: String?
    public var encoderOption: [String: String]
    public var encoderFrameRate: Rational?
    public var encoderWidth: Int?
    public var encoderHeight: Int?
    public var encoderFormat: String?
    public var codecConfig: CodecConfig
    public var filterDesc: String?
    /// "cuda:0" or "vaapi:/dev/dri/renderD128".
    public var hwAccel: String?
    public var metadata: [String: String]
    /// A code of ISO 639, two letters or three, or one with a country: "en", "eng", "en-US".
    public var language: String?
    /// libav's names: "default", "forced", "attached_pic", …
    public var disposition: [String]
    /// Width to height of a pixel of the encoded picture; what the filters make of it when nil.
    public var sampleAspectRatio: Rational?
    /// Degrees to turn the picture counterclockwise before it is shown: 0, 90, 180 or 270.
    public var rotation: Int
    /// What the encoded numbers stand for.
    public var color: ColorConfig
    /// "progressive", "tt", "bb", "tb" or "bt"; what the filters say when nil.
    public var fieldOrder: String?
    /// The screen it was mastered on, in x265's notation: "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)".
    public var masteringDisplay: String?
    /// The brightest pixel and the brightest frame in cd/m²: "1000,400".
    public var contentLightLevel: String?
    /// The container's four characters for the codec: "hvc1".
    public var codecTag: String?
    /// What the stream is made of where it sends nothing.
    public var fill: StreamFill?
    public var whenLate: WhenLate
    /// How long bytes of a body that comes as it is made may wait for more, in milliseconds; its kind's default when nil.
    public var latency: Double?
    /// What it is encoded to, where that is more than one thing; the fields above that say so are left out then.
    public var renditions: [RenditionConfig] = []

    public init(
        frameRate: Rational, timeBase: Rational? = nil, width: Int, height: Int, format: String = "rgb24",
        layout: PixelLayout = .packed, encoder: String? = nil,
        encoderOption: [String: String] = [:], encoderFrameRate: Rational? = nil,
        encoderWidth: Int? = nil, encoderHeight: Int? = nil, encoderFormat: String? = nil,
        codecConfig: CodecConfig = .init(), filterDesc: String? = nil, hwAccel: String? = nil,
        metadata: [String: String] = [:], language: String? = nil, disposition: [String] = [],
        sampleAspectRatio: Rational? = nil, rotation: Int = 0, color: ColorConfig = .init(),
        fieldOrder: String? = nil, masteringDisplay: String? = nil, contentLightLevel: String? = nil,
        codecTag: String? = nil, fill: StreamFill? = nil, whenLate: WhenLate = .wait, latency: Double? = nil
    ) {
        self.frameRate = frameRate
        self.timeBase = timeBase
        self.width = width
        self.height = height
        self.format = format
        self.layout = layout
        self.encoder = encoder
        self.encoderOption = encoderOption
        self.encoderFrameRate = encoderFrameRate
        self.encoderWidth = encoderWidth
        self.encoderHeight = encoderHeight
        self.encoderFormat = encoderFormat
        self.codecConfig = codecConfig
        self.filterDesc = filterDesc
        self.hwAccel = hwAccel
        self.metadata = metadata
        self.language = language
        self.disposition = disposition
        self.sampleAspectRatio = sampleAspectRatio
        self.rotation = rotation
        self.color = color
        self.fieldOrder = fieldOrder
        self.masteringDisplay = masteringDisplay
        self.contentLightLevel = contentLightLevel
        self.codecTag = codecTag
        self.fill = fill
        self.whenLate = whenLate
        self.latency = latency
    }
}

public enum StreamConfig: Sendable, Equatable {
    case audio(AudioStreamConfig)
    case video(VideoStreamConfig)
}
