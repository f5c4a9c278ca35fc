import Bytewise
import Libav

/// What the libav that is loaded can do, asked of it at run time: what `ffmpeg -encoders`,
/// `-h encoder=`, `-muxers`, … print, as values. Any thread.
public enum Capabilities {
    /// Sorted by name, without options and without output devices.
    public static func muxers() -> [FormatCapability] {
        OutputFormat.all.filter { !$0.isDevice }.map { FormatCapability($0, options: []) }.sorted(by: \.name)
    }

    /// Sorted by name, without options.
    public static func outputDevices() -> [FormatCapability] {
        OutputFormat.all.filter(\.isDevice).map { FormatCapability($0, options: []) }.sorted(by: \.name)
    }

    /// A muxer or output device with its options, by any of its names.
    public static func muxer(named name: String) -> FormatCapability? {
        // libav finds each of the names in "sdl,sdl2", but not all of it.
        guard let format = OutputFormat(named: name) ?? OutputFormat.all.first(where: { $0.name == name })
        else { return nil }
        let options = OptionCapability.list(format.privateOptions, generic: OutputFormat.genericOptions)
        return FormatCapability(format, options: options)
    }

    /// Sorted by name, without options.
    public static func encoders(_ kind: StreamDescription.Kind) -> [EncoderCapability] {
        let media: Codec.Media = kind == .audio ? .audio : .video
        return Codec.all(media).map { EncoderCapability($0, kind: kind, options: []) }.sorted(by: \.name)
    }

    /// An audio or video encoder with its options, by its name or that of a codec ("h264").
    public static func encoder(named name: String) -> EncoderCapability? {
        guard let codec = Codec(named: name) else { return nil }
        let kind: StreamDescription.Kind
        switch codec.media {
        case .audio: kind = .audio
        case .video: kind = .video
        case .other: return nil
        }
        let options = OptionCapability.list(codec.privateOptions, generic: codec.genericOptions) { HiddenChoices.names(of: $0, ofEncoder: codec.name) }
        return EncoderCapability(codec, kind: kind, options: options)
    }

    /// What was probably meant by a name that there is no encoder, no muxer, or no filter of.
    public static func encoder(like name: String) -> String? { NameSuggestions.encoder(like: name) }

    public static func muxer(like name: String) -> String? {
        NameSuggestions.muxer(like: name) ?? NameSuggestions.of(name, in: OutputFormat.names).first
    }

    public static func filter(like name: String) -> String? {
        let names = Filter.all.map(\.name)
        return name.nearest(among: names) ?? NameSuggestions.of(name, in: names).first
    }

    /// Sorted by name, with their options.
    public static func filters() -> [FilterCapability] {
        let generic = Filter.genericOptions
        return Filter.all.map { FilterCapability($0, generic: generic) }.sorted(by: \.name)
    }

    /// A filter with its options.
    public static func filter(named name: String) -> FilterCapability? {
        Filter.all.first { $0.name.isSame(as: name) }.map { FilterCapability($0, generic: Filter.genericOptions) }
    }

    /// Protocols that can be written to, sorted.
    public static func outputProtocols() -> [String] { Build.outputProtocols.sorted() }

    /// "5.1.9-0+deb12u1"
    public static var ffmpegVersion: String { Build.ffmpegVersion }

    /// "59.37.100" by "libavcodec"
    public static var libraryVersions: [String: String] { Build.libraryVersions }

    public static var features: ReleaseFeatures { ReleaseFeatures() }
}

extension Array {
    fileprivate func sorted(by name: KeyPath<Element, String>) -> [Element] {
        sorted { $0[keyPath: name] < $1[keyPath: name] }
    }
}
