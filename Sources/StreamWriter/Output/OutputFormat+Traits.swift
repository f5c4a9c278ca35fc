import Libav

// What libav does not say about its muxers.
extension OutputFormat {
    private static let movFamily: Set<String> = [
        "3g2", "3gp", "f4v", "ipod", "ismv", "mov", "mp4", "psp",
    ]

    /// Keeps a display matrix.
    var storesRotation: Bool { Self.movFamily.contains(name) }

    /// Goes back in a file to change bytes that are there already: a length in a header, an index
    /// at the front. `SeekBackTests` watches every muxer's writes.
    func seeksBack(option: [String: String]) -> Bool {
        guard Self.seekingBack.contains(name), let options = MuxerOptions(self, option) else { return false }
        switch name {
        case "ismv": return options.has("hybrid_fragmented", in: "movflags")
        case _ where Self.movFamily.contains(name): return !Self.fragments(options)
        case "matroska", "webm": return options.integer("live") == 0
        case "mp3": return options.integer("write_xing") != 0
        case "flac": return options.integer("write_header") != 0
        case "flv": return !options.has("no_duration_filesize", in: "flvflags")
            || options.has("add_keyframe_index", in: "flvflags")
        default: return true
        }
    }

    private static let seekingBack: Set<String> = [
        "3g2", "3gp", "adx", "aea", "aiff", "amv", "apm", "apng", "argo_asf", "argo_cvg", "asf", "ast", "au", "avi", "avif", "avm2", "caf", "f4v", "film_cpk", "flac", "flv", "gxf", "iamf", "ico",
        "ipod", "ismv", "ivf", "kvag", "matroska", "mmf", "mov", "mp3", "mp4", "mxf", "mxf_d10",
        "mxf_opatom", "psp", "rm", "rso", "smjpeg", "sox", "swf", "vc1test", "w64", "wav", "webm",
        "webp", "wsaud", "wtv", "wv",
    ]

    /// Writes self-contained fragments one after the other.
    private static func fragments(_ options: borrowing MuxerOptions) -> Bool {
        for flag in ["hybrid_fragmented", "global_sidx"] where options.has(flag, in: "movflags") { return false }
        for flag in ["frag_keyframe", "empty_moov", "frag_custom", "frag_every_frame", "dash", "cmaf"]
        where options.has(flag, in: "movflags") { return true }
        return options.integer("frag_duration") > 0 || options.integer("frag_size") > 0
    }
}

/// Which gaps in a stream's time are filled, since the container can't tell of them.
public enum GapFilling: Sendable {
    case none, all
    /// Those before the first frame.
    case start
}

extension OutputFormat {
    /// With times of their own for each packet, though libav does not say that their rate may vary.
    private static let keepingTimes: Set<String> = movFamily.union([
        "asf", "asf_stream", "avif", "dash", "dvd", "fifo", "hds", "hls", "ivf", "matroska", "mpeg", "oga", "ogg", "ogv", "opus",
        "rm", "rtp", "rtp_mpegts", "rtsp", "sap", "segment", "smoothstreaming", "spx", "ssegment", "stream_segment",
        "stream_segment,ssegment", "svcd", "tee", "vcd", "vob", "webm_chunk", "wtv",
    ])

    /// `VARIABLE_FPS` says that a packet has a time of its own, `NOTIMESTAMPS` that none has.
    func gapFilling(of kind: StreamDescription.Kind) -> GapFilling {
        // What is played at once has the time of its arrival.
        if isDevice || name == "null" { return .none }
        // Frames that are missing are empty ones, though only behind the first; sound is bytes one after the other.
        if name == "avi" && kind == .video { return .start }
        if ignoresTimes { return .all }
        return allowsVariableRate || Self.keepingTimes.contains(name) ? .none : .all
    }
}

extension MuxerInfo {
    /// Which gaps in a stream's time are filled before they come to it.
    public func gapFilling(of kind: StreamDescription.Kind) -> GapFilling {
        OutputFormat(named: name)?.gapFilling(of: kind) ?? .none
    }
}
