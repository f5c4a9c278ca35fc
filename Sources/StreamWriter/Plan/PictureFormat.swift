import Bytewise
import Libav

/// The pixel format in which an encoder gets its pictures, and what that changes of them.
struct PictureFormat {
    let format: PixelFormat
    private(set) var warnings: [Warning] = []

    /// `source` is what the client sends, or its filters give; `isNamed` says that they name it. `raw`: the container's
    /// pictures, where they are raw and it tells their format by a tag.
    init(
        _ config: VideoStreamConfig, _ source: PixelFormat, isNamed: Bool, _ codec: Codec, in container: OutputFormat, raw: RawPictures?
    ) throws(StreamWriterError) {
        // Frames in a GPU's memory are for `hw_accel`.
        var supported = codec.pixelFormats.filter { !$0.isHardware }
        if supported.isEmpty && !codec.pixelFormats.isEmpty {
            throw StreamWriterError(
                .unsupportedHardware, "the encoder \(codec.name) needs hw_accel", parameter: "hw_accel",
                supported: HardwareDevice.Kind.allCases.map(\.rawValue))
        }
        if let name = config.encoderFormat {
            guard let named = PixelFormat(name: name), supported.isEmpty || supported.contains(named) else {
                throw unsupported("encoder_format", name, by: codec, supported.map(\.name))
            }
            format = named
            warnings = Self.warnings(of: source, as: named, codec, config)
            return
        }
        if let raw, !raw.keep(source) {
            format = try raw.substitute(for: source, in: container)
            return
        }
        if let taken = container.pictureFormats {
            supported = supported.isEmpty ? taken : supported.filter(taken.contains)
        }
        if isNamed && supported.contains(source) {
            format = source
            return
        }
        let best = Self.best(of: Self.usual(supported, codec), for: source)
        format = Self.playable(source, supported, codec) ?? Self.playable(source, best, supported, codec, config, container) ?? best
        warnings = Warning.pictures(source, as: format, best: best, by: codec.name) + Self.warnings(of: source, as: format, codec, config)
        if Self.isForPlayers(codec) && format.colorModel != .yuv {
            let said = source.colorModel == .gray ? "gray" : "RGB"
            warnings.append(
                Warning(
                    .fewPlayers, parameter: "encoder_format",
                    "\(said) is kept as \(format.name), which few players and browsers show; they want encoder_format yuv420p"))
        }
    }

    /// libav's ranking knows nothing of what its scaler does not do exactly.
    private static func best(of supported: [PixelFormat], for source: PixelFormat) -> PixelFormat {
        guard let best = PixelFormat.best(of: supported, for: source) else { return source }
        if Warning.losesNothing(source, as: best) { return best }
        let exact = supported.filter { !$0.hasPalette && Warning.losesNothing(source, as: $0) }
        return PixelFormat.best(of: exact, for: source) ?? best
    }

    /// Motion JPEG is of the full range, unless it is told to be lax.
    private static func usual(_ supported: [PixelFormat], _ codec: Codec) -> [PixelFormat] {
        guard ["mjpeg", "ljpeg"].contains(codec.codecName) else { return supported }
        let standard = supported.filter { $0.isFullRangeYUV || $0.colorModel == .rgb }
        return standard.isEmpty ? supported : standard
    }

    /// Those that browsers and phones know, in other formats than RGB and gray. H.264 never gets these.
    private static func isForPlayers(_ codec: Codec) -> Bool { ["av1", "hevc", "vp9"].contains(codec.codecName) }

    /// In the containers of players RGB and gray become what players take: mp4 and webm are chosen to be played, and
    /// hardly any of them shows RGB in HEVC, VP9 or AV1. Elsewhere, and where no loss at all is asked for, they stay.
    private static func playable(
        _ source: PixelFormat, _ best: PixelFormat, _ supported: [PixelFormat], _ codec: Codec, _ config: VideoStreamConfig,
        _ container: OutputFormat
    ) -> PixelFormat? {
        guard isForPlayers(codec), best.colorModel != .yuv, container.isForPlayers, !isLossless(config) else { return nil }
        return (source.depths.upperBound > 8 ? ["yuv420p10le", "yuv420p"] : ["yuv420p"])
            .compactMap { PixelFormat(name: $0) }.first(where: supported.contains)
    }

    private static func isLossless(_ config: VideoStreamConfig) -> Bool {
        config.encoderOption.contains { name, value in
            name.isSame(as: "lossless") && !value.isSame(as: "0") || value.holds("lossless=1")
        }
    }

    /// What an encoder does by itself to the pictures that it gets: WebP is RGB only without loss.
    private static func warnings(of source: PixelFormat, as format: PixelFormat, _ codec: Codec, _ config: VideoStreamConfig) -> [Warning] {
        guard codec.codecName == "webp", source.colorModel == .rgb, format.colorModel == .rgb, !isLossless(config) else { return [] }
        return [
            Warning(
                .chromaSubsampled, parameter: "encoder_option.lossless",
                "\(codec.name) makes yuv420p of \(format.name), with one sample of color for each 4 pixels; encoder_option {\"lossless\": \"1\"} keeps it")
        ]
    }

    /// What players take: few take H.264 in other formats than this, but for 10 bits.
    private static func playable(_ source: PixelFormat, _ supported: [PixelFormat], _ codec: Codec) -> PixelFormat? {
        guard codec.codecName == "h264", source.depths.upperBound <= 8 || source.colorModel != .yuv else { return nil }
        let playable = PixelFormat(name: source.isFullRangeYUV ? "yuvj420p" : "yuv420p")!
        return supported.contains(playable) ? playable : nil
    }
}
