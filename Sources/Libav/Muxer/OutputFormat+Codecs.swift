internal import CLibav

// What a muxer can carry: libav's own word, where it has one, and a table where it writes down whatever it gets.
extension OutputFormat {
    /// Whether what the encoder makes is found again in what the muxer writes, as what it is.
    package func carries(_ codec: Codec) -> Bool {
        let id = codec.codecName
        if isDevice || Self.anything.contains(name) { return true }
        if Self.unreadable[name]?.contains(id) == true { return false }
        if let own = Self.ofOwnFilesAlone[id], own != name { return false }
        if Build.refusesRelatedCodecs && Self.relatedCodecs[name] == id { return false }
        if Self.named[name]?.contains(id) == true { return true }
        // QuickTime has its own names for some, and those of AVI for others.
        if name == "mov", let avi = OutputFormat(named: "avi"), avi.knows(codec) { return true }
        if let inner = segments.map({ [$0] }) ?? Self.wrapped[name] { return inner.contains { OutputFormat(named: $0)?.carries(codec) ?? false } }
        if let more = Self.carried[name] { return more.contains(id) }
        // Where libav does not know, it is a file of one codec, without a name for another.
        return knows(codec)
    }

    private func knows(_ codec: Codec) -> Bool {
        // Of the two of that name the one that "a.mka" finds knows fewer than it writes.
        let muxer = name.isSame(as: "matroska") ? OutputFormat(named: name) ?? self : self
        return avformat_query_codec(muxer.pointer, codec.pointer.pointee.id, FF_COMPLIANCE_EXPERIMENTAL) > 0
    }

    /// Encoders name these themselves, as the demuxers know them.
    private static let named: [String: Set<String>] = ["avi": ["hap", "prores"], "nut": ["hap", "prores"]]

    /// Checksums and dumps of packets, and those whose files' names decide.
    private static let anything: Set<String> = [
        "crc", "data", "ffmetadata", "framecrc", "framehash", "framemd5", "hash", "image2", "image2pipe", "md5", "mkvtimestamp_v2", "null",
        "segment", "stream_segment,ssegment", "streamhash", "uncodedframecrc", "webm_dash_manifest", "fifo", "fifo_test", "tee",
    ]

    /// They write files of these.
    private static let wrapped: [String: [String]] = [
        "hls": ["mpegts", "mp4"], "dash": ["mp4", "webm"], "hds": ["flv"], "smoothstreaming": ["ismv"], "webm_chunk": ["webm"],
        "rtp_mpegts": ["mpegts"], "rtsp": ["rtp"], "sap": ["rtp"],
    ]

    /// By muxers' sources; others would be written as what they are not, or as data of no kind.
    private static let carried: [String: Set<String>] = {
        let program: Set = ["mpeg1video", "mpeg2video", "mpeg4", "mp2", "mp3", "ac3", "dts", "pcm_s16be", "pcm_dvd"]
        let ogg: Set = ["vorbis", "theora", "speex", "flac", "opus", "vp8"]
        let material: Set = ["mpeg1video", "mpeg2video", "dnxhd", "dvvideo", "h264", "jpeg2000", "prores", "ffv1", "pcm_s16le", "pcm_s24le"]
        let flash: Set = ["flv1", "mjpeg", "mp3"]
        return [
            "a64": ["a64_multi", "a64_multi5"], "h263": ["h263", "h263p"], "mpeg1video": ["mpeg1video", "mpeg2video"],
            "mp3": ["mp3", "bmp", "gif", "mjpeg", "png", "tiff"],
            "mpegts": [
                "mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc", "vvc", "cavs", "dirac", "vc1", "mp2", "mp3", "aac", "ac3", "eac3", "dts",
                "opus", "s302m",
            ],
            "mpeg": program.union(["h264"]), "vob": program.union(["h264"]), "dvd": program, "svcd": program, "vcd": program,
            "ogg": ogg, "oga": ogg.subtracting(["theora", "vp8"]), "ogv": ogg, "spx": ogg, "opus": ogg,
            "mxf": material, "mxf_d10": material, "mxf_opatom": material,
            "gxf": ["mpeg1video", "mpeg2video", "mjpeg", "dvvideo", "pcm_s16le"],
            "swf": flash, "avm2": flash, "film_cpk": ["cinepak", "rawvideo", "pcm_s16be_planar", "pcm_s8_planar", "adpcm_adx"],
            "spdif": ["ac3", "eac3", "mp2", "mp3", "dts", "truehd"], "ico": ["bmp", "png"],
            "rtp": [
                "h261", "h263", "h263p", "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "aac", "mp2", "mp3", "pcm_alaw", "pcm_mulaw",
                "pcm_s8", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_u16be", "pcm_u16le", "pcm_u8", "vorbis", "theora", "vp8", "vp9", "av1",
                "adpcm_g722", "adpcm_g726", "adpcm_g726le", "ilbc", "mjpeg", "speex", "opus", "rawvideo", "bitpacked", "dirac",
            ],
        ]
    }()

    /// Files of one codec that took its successor as well, until libav held them to the one.
    private static let relatedCodecs = ["h263": "h263p", "mpeg1video": "mpeg2video"]

    /// Written, and not to be read again: libav's caf has not FLAC's head, avi fails at its first packet and has no
    /// name for HEVC, and mov takes some for others. What mov knows and has in mp4 alone its muxer refuses.
    private static let unreadable: [String: Set<String>] = [
        "caf": ["flac"], "avi": ["flac", "hevc"], "mov": [
            "dfpwm", "pcm_s64le", "sonic", "sonicls", "wmav1", "wmav2",
            "av1", "flac", "opus", "truehd", "vp8", "vp9",
        ],
    ]

    /// By codec: the one container that keeps what its decoder needs. Of TTA that is how many samples there are: in others
    /// its end can't be decoded, or nothing of it.
    private static let ofOwnFilesAlone = ["tta": "tta"]

    /// The pictures that it takes of any encoder; nil: all. Without being told to be lax.
    package var pictureFormats: [PixelFormat]? {
        let names: [String]
        switch name {
        case "yuv4mpegpipe": names = ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "gray"]
        case "filmstrip": names = ["rgba"]
        default: return nil
        }
        return names.compactMap { PixelFormat(name: $0) }
    }
}
