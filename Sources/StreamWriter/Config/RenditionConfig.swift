import Bytewise

/// One of several encodings of a stream. Nil is the default, as for a stream that has only one.
public struct RenditionConfig: Sendable, Equatable {
    /// Among the stream's renditions: 1 to 64 of A-Z a-z 0-9 _ -.
    public var name: String
    public var encoder: String?
    public var encoderOption: [String: String] = [:]
    public var encoderFormat: String?
    public var codecConfig = CodecConfig()
    /// The container's four characters for the codec: "hvc1".
    public var codecTag: String?
    /// Of audio.
    public var encoderSampleRate: Int?
    public var encoderNumChannels: Int?
    /// Of video.
    public var encoderFrameRate: Rational?
    public var encoderWidth: Int?
    public var encoderHeight: Int?
    /// "cuda:0" or "vaapi:/dev/dri/renderD128".
    public var hwAccel: String?

    public init(name: String) { self.name = name }

    static let mostNameBytes = 64

    var isNamedRight: Bool {
        (1...Self.mostNameBytes).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}

extension StreamConfig {
    public var renditions: [RenditionConfig] {
        switch self {
        case .audio(let audio): audio.renditions
        case .video(let video): video.renditions
        }
    }

    /// The stream as it would be with each of its renditions alone; itself, without a name, where it has none.
    public var encodings: [(name: String?, config: StreamConfig)] {
        renditions.isEmpty ? [(nil, self)] : renditions.map { ($0.name, encoded(as: $0)) }
    }

    private func encoded(as rendition: RenditionConfig) -> StreamConfig {
        switch self {
        case .audio(var audio):
            audio.renditions = []
            audio.encoder = rendition.encoder
            audio.encoderOption = rendition.encoderOption
            audio.encoderFormat = rendition.encoderFormat
            audio.codecConfig = rendition.codecConfig
            audio.codecTag = rendition.codecTag
            audio.encoderSampleRate = rendition.encoderSampleRate
            audio.encoderNumChannels = rendition.encoderNumChannels
            return .audio(audio)
        case .video(var video):
            video.renditions = []
            video.encoder = rendition.encoder
            video.encoderOption = rendition.encoderOption
            video.encoderFormat = rendition.encoderFormat
            video.codecConfig = rendition.codecConfig
            video.codecTag = rendition.codecTag
            video.encoderFrameRate = rendition.encoderFrameRate
            video.encoderWidth = rendition.encoderWidth
            video.encoderHeight = rendition.encoderHeight
            video.hwAccel = rendition.hwAccel
            return .video(video)
        }
    }

    /// Throws where the renditions can't be told apart, or the stream says beside them how it is encoded.
    func checkRenditions(_ limits: WriterLimits) throws(StreamWriterError) {
        if renditions.isEmpty { return }
        try limits.check(renditions: renditions.count)
        for (index, rendition) in renditions.enumerated() {
            guard rendition.isNamedRight else {
                throw StreamWriterError(
                    .invalidParameter, "name must be 1 to \(RenditionConfig.mostNameBytes) of A-Z a-z 0-9 _ -",
                    parameter: "renditions.\(index).name")
            }
            guard !renditions[..<index].contains(where: { $0.name.isSame(as: rendition.name) }) else {
                throw StreamWriterError(
                    .invalidParameter, "two renditions have the name \(rendition.name)", parameter: "renditions.\(index).name")
            }
        }
        guard let parameter = encodingParameter else { return }
        throw StreamWriterError(
            .invalidParameter, "\(parameter) can't stand beside renditions, each of which has its own", parameter: parameter)
    }

    /// The first that is set of those that are a rendition's.
    private var encodingParameter: String? {
        let given: [(String, Bool)]
        switch self {
        case .audio(let audio):
            given = Self.common(audio.encoder, audio.encoderOption, audio.encoderFormat, audio.codecConfig, audio.codecTag) + [
                ("encoder_sample_rate", audio.encoderSampleRate != nil), ("encoder_num_channels", audio.encoderNumChannels != nil),
            ]
        case .video(let video):
            given = Self.common(video.encoder, video.encoderOption, video.encoderFormat, video.codecConfig, video.codecTag) + [
                ("encoder_frame_rate", video.encoderFrameRate != nil), ("encoder_width", video.encoderWidth != nil),
                ("encoder_height", video.encoderHeight != nil), ("hw_accel", video.hwAccel != nil),
            ]
        }
        return given.first(where: \.1)?.0
    }

    private static func common(
        _ encoder: String?, _ option: [String: String], _ format: String?, _ codecConfig: CodecConfig, _ tag: String?
    ) -> [(String, Bool)] {
        [
            ("encoder", encoder != nil), ("encoder_option", !option.isEmpty), ("encoder_format", format != nil),
            ("codec_config", codecConfig != CodecConfig()), ("codec_tag", tag != nil),
        ]
    }
}

extension StreamWriterError {
    private static let ofRenditions = ["encoder", "codec_", "hw_accel"]

    /// Says which of a stream's renditions it is about; nil: it has only one.
    func of(rendition name: String?, at index: Int) -> StreamWriterError {
        guard let name else { return self }
        var named = self
        named.message = "rendition \(name): \(message)"
        if let parameter, Self.ofRenditions.contains(where: { parameter.begins(with: $0) }) {
            named.parameter = "renditions.\(index).\(parameter)"
        }
        return named
    }
}
