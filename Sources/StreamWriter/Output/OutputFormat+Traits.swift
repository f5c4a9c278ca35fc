import Libav

// What libav does not say about its muxers.
extension OutputFormat {
    /// Keeps a display matrix.
    var storesRotation: Bool { Self.movFamily.contains(name) && name != "avif" }

    /// Made for players and browsers: for what is watched at once.
    var isForPlayers: Bool { Self.movFamily.contains(name) && name != "avif" || Self.streaming.contains(name) }

    private static let streaming: Set<String> = [
        "dash", "flv", "hds", "hls", "mpegts", "rtp", "rtp_mpegts", "rtsp", "sap", "smoothstreaming", "webm", "webm_chunk",
    ]

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

    /// The options that a file is written with where the client gives these.
    func completed(_ option: [String: String], hasPictures: Bool, named file: String) -> [String: String] {
        var option = option
        // Room for a size of 64 bits, which a header of RIFF's has not: above 4 GiB it becomes RF64.
        if name == "wav" && option["rf64"] == nil { option["rf64"] = "auto" }
        // By the name, which the muxer does not see.
        if name == "mpegts" && option["mpegts_m2ts_mode"] == nil && file.lowercasedASCII.ends(with: ".m2ts") { option["mpegts_m2ts_mode"] = "1" }
        // Without it the muxer leaves covers out.
        if name == "aiff" && hasPictures && option["write_id3v2"] == nil { option["write_id3v2"] = "1" }
        guard Self.movFamily.contains(name), let options = MuxerOptions(self, option), Self.fragments(options) else { return option }
        // A head that comes with the first fragment says where each stream begins if it holds none of it.
        let isSettled = ["empty_moov", "delay_moov", "cmaf", "dash"].contains { options.has($0, in: "movflags") }
        if !isSettled { option["movflags", default: ""] += "+delay_moov" }
        return option
    }

    /// The most bytes that a file of it may have, written with these options.
    func mostBytes(option: [String: String]) -> Int64? {
        if name == "wav", let options = MuxerOptions(self, option), options.integer("rf64") != 0 { return nil }
        return KnownFaults.mostBytes(of: name)
    }

    /// Writes self-contained fragments one after the other.
    private static func fragments(_ options: borrowing MuxerOptions) -> Bool {
        for flag in ["hybrid_fragmented", "global_sidx"] where options.has(flag, in: "movflags") { return false }
        for flag in ["frag_keyframe", "empty_moov", "frag_custom", "frag_every_frame", "dash", "cmaf"]
        where options.has(flag, in: "movflags") { return true }
        return options.integer("frag_duration") > 0 || options.integer("frag_size") > 0
    }
}
