import Bytewise
import Libav

/// A muxer or output device, as far as choosing it goes.
public struct MuxerInfo: Sendable, Equatable {
    public let name: String
    public let extensions: [String]
    public let mimeType: String?
    public let defaultAudioEncoder: String?
    public let defaultVideoEncoder: String?
    /// Writes to one byte stream; otherwise it opens what it needs itself, or is a device.
    public let needsFile: Bool
    /// A screen, a speaker: nothing is kept.
    public let isDevice: Bool
    /// Goes back in a file to complete it, without options that keep it from that.
    public let seeksBack: Bool
    /// Has a place for what is said of the file: a title.
    public let storesMetadata: Bool

    init(_ format: OutputFormat) {
        name = format.name
        extensions = format.extensions
        mimeType = format.mimeType
        defaultAudioEncoder = format.defaultAudioEncoder?.name
        defaultVideoEncoder = format.defaultVideoEncoder?.name
        needsFile = !format.opensItself
        isDevice = format.isDevice
        seeksBack = format.seeksBack(option: [:])
        storesMetadata = format.storesFileMetadata || format.storesUnknown
    }

    /// Whether it goes back to change bytes it has written, opened with these options. Where it
    /// does not, a file can be followed while it grows.
    public func willSeekBack(option: [String: String]) -> Bool {
        OutputFormat(named: name)?.seeksBack(option: option) ?? true
    }
}

extension OutputFormat {
    /// The muxer of an override, a URL's scheme or a file name's extension.
    static func resolve(format: String?, name: String) throws(StreamWriterError) -> OutputFormat {
        if let format {
            if let found = OutputFormat(named: format) { return found }
            throw StreamWriterError(
                .unknownFormat, "there is no muxer \(format.shortened())", parameter: "format",
                supported: all.map(\.name).sorted(), suggestion: NameSuggestions.muxer(like: format))
        }
        if let muxer = muxer(forURL: name), let found = OutputFormat(named: muxer) { return found }
        if let found = OutputFormat(forFile: name) { return found }
        throw StreamWriterError(
            .unknownFormat, "the format does not follow from the name; give one", parameter: "format",
            supported: all.filter { !$0.isDevice }.map(\.name).sorted())
    }

    private static func muxer(forURL url: String) -> String? {
        guard let (scheme, rest) = url.cut(at: ":"), rest.begins(with: "//") else { return nil }
        switch scheme.lowercasedASCII {
        case "rtmp", "rtmps", "rtmpt", "rtmpe", "rtmpte", "rtmpts": return "flv"
        case "srt", "udp", "tcp", "rist": return "mpegts"
        case "rtsp", "rtsps": return "rtsp"
        case "rtp", "srtp": return "rtp"
        default: return nil
        }
    }
}
