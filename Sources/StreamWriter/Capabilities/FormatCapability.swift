import Bytewise
import Libav

/// A muxer or output device.
public struct FormatCapability: Sendable, Equatable {
    /// As FFmpeg prints it: where there are several names, "sdl,sdl2".
    public let name: String
    public let longName: String
    public let extensions: [String]
    public let mimeType: String?
    public let defaultAudioEncoder: String?
    public let defaultVideoEncoder: String?
    /// Goes back in the file to complete it, as far as is known.
    public let seeksBack: Bool
    /// Opens what it writes to itself, or is a device.
    public let opensItself: Bool
    public let options: [OptionCapability]

    init(_ format: OutputFormat, options: [OptionCapability]) {
        let info = MuxerInfo(format)
        name = info.name
        longName = format.longName
        // libav writes one of its lists with a space: "a64, A64".
        extensions = info.extensions.map { $0.without(prefix: " ") ?? $0 }
        mimeType = info.mimeType
        defaultAudioEncoder = info.defaultAudioEncoder
        defaultVideoEncoder = info.defaultVideoEncoder
        seeksBack = info.seeksBack
        opensItself = !info.needsFile
        self.options = options
    }
}
