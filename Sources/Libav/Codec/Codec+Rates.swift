import Bytewise

/// What an encoder makes of the numbers that torchaudio's CodecConfig has for its quality, its size and its effort:
/// libav hands them to every encoder, and says of none whether it looks at them. `IgnoredConfigTests` asks each by its
/// packets. `gop_size` and `max_b_frames` are not among them: they are bounds, which an encoder keeps that has no
/// groups of pictures.
package enum RateParameter: String, CaseIterable, Sendable {
    case bitRate = "bit_rate"
    case qscale
    case compressionLevel = "compression_level"
}

extension Codec {
    package func uses(_ parameter: RateParameter, _ option: [String: String]) -> Bool {
        // What hardware does with them is its driver's.
        if isHardware { return true }
        switch parameter {
        // DNxHR's profiles have rates of their own.
        case .bitRate where name == "dnxhd" && option["profile"]?.begins(with: "dnxhr") == true: return false
        case .bitRate: return Self.usingBitRate.contains(name) || [6_300, 13_000].contains(bitRates(at: 8_000).first)
        case .qscale: return Self.usingQscale.contains(name)
        case .compressionLevel:
            return Self.usingCompressionLevel.contains(name) || name == "tiff" && option["compression_algo"] == "deflate"
        }
    }

    /// The encoder's own option that does what the parameter does for others.
    package func option(insteadOf parameter: RateParameter) -> String? {
        switch parameter {
        case .bitRate: nil
        case .qscale: Self.qualityOptions[name]
        case .compressionLevel: Self.effortOptions[name]
        }
    }

    /// Whether it looks at no bit rate where it is given a `qscale`. aac does: its bandwidth follows from the two; and wmv1,
    /// which predicts small pictures in another way below 128 kbit/s.
    package var prefersQscale: Bool { Self.preferringQscale.contains(name) }

    private static let qualityOptions = [
        "libaom-av1": "crf", "librav1e": "qp", "libsvtav1": "crf", "libvpx": "crf", "libvpx-vp9": "crf", "libx264": "crf", "libx264rgb": "crf",
        "libx265": "crf",
    ]

    private static let effortOptions = [
        "libaom-av1": "cpu-used", "libjxl": "effort", "librav1e": "speed", "libsvtav1": "preset", "libvpx": "cpu-used", "libvpx-vp9": "cpu-used",
        "libx264": "preset", "libx264rgb": "preset", "libx265": "preset",
    ]

    private static let usingBitRate: Set<String> = [
        "dnxhd", "flv", "h261", "h263", "h263p", "libaom-av1", "librav1e", "libsvtav1", "libtheora", "libvpx", "libvpx-vp9", "libx264",
        "libx264rgb", "libx265", "libxvid", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v2", "rv10", "rv20", "speedhq", "vc2",
        "wmv1", "wmv2",
        "aac", "ac3", "ac3_fixed", "dca", "eac3", "g726", "g726le", "libmp3lame", "libopus", "libshine", "libspeex", "libtwolame", "libvorbis",
        "mp2", "mp2fixed", "opus", "sbc", "wmav1", "wmav2",
    ]

    private static let usingQscale: Set<String> = [
        "a64multi", "a64multi5", "asv1", "asv2", "cinepak", "flashsv2", "flv", "h261", "h263", "h263p", "jpeg2000", "libjxl", "libtheora",
        "libwebp", "libwebp_anim", "libxvid", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v2", "prores_ks", "roqvideo", "rv10",
        "rv20", "snow", "speedhq", "svq1", "wmv1", "wmv2",
        "aac", "libmp3lame", "libspeex", "libtwolame", "libvorbis", "sbc", "vorbis",
    ]

    private static let preferringQscale: Set<String> = [
        "flv", "h261", "h263", "h263p", "libtheora", "libxvid", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v2", "rv10", "rv20",
        "speedhq", "wmv2",
        "libmp3lame", "libspeex", "libtwolame", "libvorbis", "sbc",
    ]

    private static let usingCompressionLevel: Set<String> = [
        "alac", "apng", "flac", "flashsv2", "libmp3lame", "libopenjpeg", "libopus", "libspeex", "libwebp", "libwebp_anim", "png", "wavpack", "zlib",
        "zmbv",
    ]
}
