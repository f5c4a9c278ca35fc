import Libav

extension CodecConfig {
    /// What encoders have a scale for, where they take any value beyond it for its nearest end: what was asked for would
    /// not be what is done.
    private static let qscales: [String: ClosedRange<Double>] = [
        "libjxl": 0...100, "libmp3lame": 0...9.999, "libspeex": 0...10, "libtheora": 0...10, "libvorbis": -1...10, "libwebp": 0...100,
        "libwebp_anim": 0...100, "libxvid": 0...31,
    ]
    private static let compressionLevels: [String: ClosedRange<Int>] = [
        "alac": 0...2, "apng": 0...9, "flac": 0...12, "libmp3lame": 0...9, "libopus": 0...10, "libwebp": 0...6, "libwebp_anim": 0...6,
        "png": 0...9, "wavpack": 0...8, "zlib": 0...9, "zmbv": 0...9,
    ]

    /// Throws what the encoder has no place for, with the range it has.
    func validate(for encoder: Codec) throws(StreamWriterError) {
        if let bitRate { try require(bitRate, in: 0...Int(Int32.max), "codec_config.bit_rate") }
        if let compressionLevel {
            let range = Self.compressionLevels[encoder.name] ?? 0...Int(Int32.max)
            try require(compressionLevel, in: range, "codec_config.compression_level")
        }
        if let gopSize { try require(gopSize, in: 0...Int(Int32.max), "codec_config.gop_size") }
        if let maxBFrames { try require(maxBFrames, in: 0...Limits.bFrames, "codec_config.max_b_frames") }
        guard let qscale else { return }
        let range = Self.qscales[encoder.name] ?? 0...Limits.qscale
        if range.contains(qscale) { return }
        let bounds = [range.lowerBound, range.upperBound].map { $0.rounded() == $0 ? "\(Int($0))" : "\($0)" }
        throw StreamWriterError(
            .invalidParameter, "codec_config.qscale must be from \(bounds[0]) to \(bounds[1]) for \(encoder.name)",
            parameter: "codec_config.qscale")
    }
}
