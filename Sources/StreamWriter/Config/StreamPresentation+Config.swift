import Bytewise
import Libav

extension StreamPresentation {
    init(_ config: AudioStreamConfig) throws(StreamWriterError) {
        try self.init(config.metadata, config.language, config.disposition)
    }

    init(_ config: VideoStreamConfig, for format: OutputFormat) throws(StreamWriterError) {
        try self.init(config.metadata, config.language, config.disposition)
        guard Self.rotations.contains(config.rotation) else {
            throw StreamWriterError(
                .invalidParameter, "rotation must be 0, 90, 180 or 270", parameter: "rotation",
                supported: Self.rotations.map { "\($0)" })
        }
        guard config.rotation == 0 || format.storesRotation else {
            throw StreamWriterError(
                .unsupportedValue,
                "the format \(format.name) has no place for a rotation; turn the picture with a filter",
                parameter: "rotation", supported: ["0"])
        }
        rotation = config.rotation
        mastering = try MasteringMetadata(config)
    }

    private static let rotations = [0, 90, 180, 270]

    private init(
        _ metadata: [String: String], _ language: String?, _ disposition: [String]
    ) throws(StreamWriterError) {
        self.init(metadata: metadata)
        if let language { try setLanguage(language) }
        if let unknown = disposition.first(where: { !Self.dispositionNames.contains($0) }) {
            throw StreamWriterError(
                .invalidParameter, "\(unknown.shortened()) is not a disposition", parameter: "disposition",
                supported: Self.dispositionNames)
        }
        self.disposition = disposition
    }

    private mutating func setLanguage(_ language: String) throws(StreamWriterError) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard language.utf8.count == 3, language.utf8.allSatisfy(letters.contains) else {
            throw StreamWriterError(
                .invalidParameter, "language must be a code of ISO 639-2, three small letters such as eng",
                parameter: "language")
        }
        guard metadata["language"] == nil || metadata["language"] == language else {
            throw StreamWriterError(
                .invalidParameter, "language and metadata.language are not the same", parameter: "language")
        }
        metadata["language"] = language
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
