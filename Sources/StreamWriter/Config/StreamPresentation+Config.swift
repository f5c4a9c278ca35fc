import Bytewise
import Libav

extension StreamPresentation {
    init(_ config: AudioStreamConfig, for format: OutputFormat) throws(StreamWriterError) {
        try self.init(config.metadata, config.language, config.disposition, for: format)
    }

    init(_ config: VideoStreamConfig, for format: OutputFormat) throws(StreamWriterError) {
        try self.init(config.metadata, config.language, config.disposition, for: format)
        guard Self.rotations.contains(config.rotation) else {
            throw StreamWriterError(
                .invalidParameter, "rotation must be 0, 90, 180 or 270", parameter: "rotation",
                supported: Self.rotations.map { "\($0)" })
        }
        guard config.rotation == 0 || format.storesRotation else {
            throw StreamWriterError(
                .unsupportedValue,
                "the format \(format.name) has no place for a rotation; filter_desc \"\(Self.turns[config.rotation]!)\" instead turns the pictures themselves",
                parameter: "rotation", supported: ["0"])
        }
        rotation = config.rotation
        mastering = try MasteringMetadata(config)
    }

    private static let rotations = [0, 90, 180, 270]
    private static let turns = [90: "transpose=cclock", 180: "hflip,vflip", 270: "transpose=clock"]

    private init(
        _ metadata: [String: String], _ language: String?, _ disposition: [String], for format: OutputFormat
    ) throws(StreamWriterError) {
        self.init(metadata: metadata)
        try setLanguage(language, for: format)
        if let unknown = disposition.first(where: { !Self.dispositionNames.contains($0) }) {
            throw StreamWriterError(
                .invalidParameter, "\(unknown.shortened()) is not a disposition", parameter: "disposition",
                supported: Self.dispositionNames)
        }
        self.disposition = disposition
    }

    /// By either name, one is what containers have a field for.
    private mutating func setLanguage(_ text: String?, for format: OutputFormat) throws(StreamWriterError) {
        let parameter = text == nil ? "metadata.language" : "language"
        // Empty as metadata: there is none.
        guard let text = text ?? metadata["language"], !(text.isEmpty && parameter != "language") else { return }
        guard let language = Language(text) else {
            throw StreamWriterError(
                .invalidParameter,
                "\(parameter) must be a code of ISO 639, two letters or three such as en or eng, or one with a country such as en-US, and is \(text)",
                parameter: parameter)
        }
        if let other = metadata["language"], Language(other) != language {
            throw StreamWriterError(
                .invalidParameter, "language and metadata.language are not the same", parameter: "language")
        }
        guard let written = language.text(in: format) else {
            throw StreamWriterError(
                .unsupportedValue, "the format \(format.name) keeps a language without its country (Matroska and WebM keep both)",
                parameter: parameter, supported: [language.code])
        }
        metadata["language"] = written
    }
}

extension ColorDescription {
    init(_ config: ColorConfig) throws(StreamWriterError) {
        self.init()
        try set(.range, config.range, "color_range")
        try set(.primaries, config.primaries, "color_primaries")
        try set(.transfer, config.transfer, "color_trc")
        try set(.matrix, config.space, "colorspace")
    }

    private mutating func set(
        _ property: Property, _ name: String?, _ parameter: String
    ) throws(StreamWriterError) {
        guard let name, !set(property, to: name) else { return }
        throw StreamWriterError(
            .invalidParameter, "\(parameter) \(name.shortened()) is not known", parameter: parameter,
            supported: Self.names(of: property))
    }
}
