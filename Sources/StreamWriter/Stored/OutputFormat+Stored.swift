import Bytewise
import Libav

// What muxers keep of what is said about a stream: their sources tell, and `StoredTests` asks ffprobe, muxer by muxer.
extension OutputFormat {
    static let movFamily: Set<String> = ["3g2", "3gp", "avif", "f4v", "ipod", "ismv", "mov", "mp4", "psp"]
    private static let matroskaFamily: Set<String> = ["matroska", "webm", "webm_chunk"]
    private static let oggFamily: Set<String> = ["oga", "ogg", "ogv", "opus", "spx"]
    private static let mxfFamily: Set<String> = ["mxf", "mxf_d10", "mxf_opatom"]
    private static let riffFamily: Set<String> = ["asf", "asf_stream", "avi", "w64", "wav", "wtv"]

    /// What is in a playlist's segments, unless an option says otherwise.
    private static let usualSegments = ["dash": "mp4", "hls": "mpegts", "rtp_mpegts": "mpegts"]

    private var container: String { segments ?? Self.usualSegments[name] ?? name }

    /// Checksums and the like, which hold no media, and containers that an option chooses: nothing is said of them.
    var storesUnknown: Bool { isDevice || Self.unknown.contains(name) }

    private static let unknown: Set<String> = [
        "chromaprint", "crc", "data", "fifo", "fifo_test", "framecrc", "framehash", "framemd5", "hash", "md5", "mkvtimestamp_v2", "null", "segment",
        "stream_segment,ssegment", "streamhash", "tee", "uncodedframecrc",
    ]

    // MARK: Pictures

    /// Apart from each other, or only where primaries, transfer and matrix are all there.
    func storedColors(needsAll: inout Bool) -> Set<ColorDescription.Property> {
        if Self.matroskaFamily.contains(container) || Self.mxfFamily.contains(container) { return Set(ColorDescription.Property.allCases) }
        if container == "yuv4mpegpipe" { return [.range] }
        needsAll = true
        // QuickTime's form of it has no range.
        return switch container {
        case "mp4": Set(ColorDescription.Property.allCases)
        case "mov": [.primaries, .transfer, .matrix]
        default: []
        }
    }

    func storesSampleAspectRatio(of codec: Codec) -> Bool {
        // What these say in their packets is what is written.
        if Self.mxfFamily.contains(container) { return !["dnxhd", "dvvideo", "mpeg2video"].contains(codec.codecName) }
        return Self.movFamily.contains(container) || Self.matroskaFamily.contains(container) || Self.oggFamily.contains(container)
            || ["asf", "asf_stream", "avi", "nut", "yuv4mpegpipe"].contains(container)
    }

    func storesFieldOrder(of codec: Codec) -> Bool {
        // Of these it is left to their packets.
        if Self.movFamily.contains(container) { return !["dnxhd", "h264", "mpeg4"].contains(codec.codecName) }
        return ["matroska", "yuv4mpegpipe"].contains(container)
    }

    func storesMasteringDisplay(of codec: Codec) -> Bool { storesLightLevel(of: codec) || Self.mxfFamily.contains(container) }
    func storesLightLevel(of codec: Codec) -> Bool {
        Self.matroskaFamily.contains(container) || ["mov", "mp4"].contains(container) && !codec.isRawVideo
    }

    /// Matroska has names of its own for codecs, and FourCCs only of those that it has none for.
    func storesCodecTag(of codec: Codec) -> Bool {
        !Self.matroskaFamily.contains(container) || !Self.namedInMatroska.contains(codec.codecName)
    }

    private static let namedInMatroska: Set<String> = ["av1", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v3", "theora", "vp8", "vp9"]

    // MARK: Sound

    enum LayoutStorage { case none, all, withoutBacks }

    /// Which channels there are, of codecs that do not say it themselves.
    var storedLayouts: LayoutStorage {
        if Self.riffFamily.contains(container) || container == "mov" { return .all }
        // Core Audio's names for five and six channels do not tell back from side.
        return ["aiff", "caf"].contains(container) ? .withoutBacks : .none
    }

    /// Mono and stereo need no word, and any other pair of channels has one here alone.
    var storesPairs: Bool { container == "mov" }

    /// FLAC's own word on its channels is kept.
    var storesFLACsHead: Bool { Self.matroskaFamily.contains(container) || ["flac", "mp4", "wav"].contains(container) }

    // MARK: Words

    func storesLanguage(of kind: StreamDescription.Kind) -> Bool {
        if container == "mpegts" { return kind == .audio }
        return storesAllMetadata || Self.movFamily.contains(container) || ["asf", "asf_stream"].contains(container)
    }

    /// Of a stream, whatever its keys are.
    var storesAllMetadata: Bool {
        Self.matroskaFamily.contains(container) || Self.oggFamily.contains(container) || container == "nut"
    }

    /// Of a stream, keys of its own choice: what they are shows when the file is read back.
    var storesSomeMetadata: Bool { storesAllMetadata || Self.movFamily.contains(container) && container != "avif" || container == "avi" }

    /// Of the file, keys of its own choice.
    var storesFileMetadata: Bool {
        // Of MPEG-TS it is the service's name, which is that of none of the segments.
        name != "hls" && (storesSomeMetadata || Self.withFileMetadata.contains(container))
    }

    private static let withFileMetadata: Set<String> = [
        "aiff", "argo_asf", "asf", "asf_stream", "au", "caf", "ffmetadata", "flac", "flv", "mp3", "mpegts", "mxf", "mxf_opatom", "rm", "rtp", "rtsp", "sap",
        "smjpeg", "sox", "swf", "tta", "wav", "webp", "wtv", "wv",
    ]

    /// By libav's name.
    func stores(_ disposition: String, of kind: StreamDescription.Kind) -> Bool {
        if container == "mpegts" && kind == .video { return false }
        if Self.movFamily.contains(container) && disposition.isSame(as: "default") { return true }
        return Self.dispositions[container]?.contains(disposition) ?? false
    }

    private static let dispositions: [String: Set<String>] = [
        "matroska": ["comment", "default", "dub", "forced", "hearing_impaired", "original", "visual_impaired"],
        "mp4": ["captions", "comment", "descriptions", "dub", "forced", "hearing_impaired", "visual_impaired"],
        "mpegts": ["clean_effects", "hearing_impaired", "visual_impaired"],
        "nut": ["comment", "default", "dub", "karaoke", "lyrics", "original"],
        "webm": ["default", "forced"], "webm_chunk": ["default", "forced"],
    ]
}
