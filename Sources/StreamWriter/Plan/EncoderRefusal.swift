import Bytewise
import Libav

/// What of a stream it was that an encoder would not open for: the parameter to change, and what would be right.
/// Known by the rules that Penstock has of the encoder, or else by the words of libav's reason.
struct EncoderRefusal {
    private(set) var code = StreamWriterError.Code.unsupportedValue
    let parameter: String
    private(set) var supported: [String] = []
    /// Whole sentences, the last without its period.
    private(set) var advice: String?

    init?(_ error: LibavError, _ settings: EncoderSettings) {
        let cause = (error.cause ?? error.warning ?? "").lowercasedASCII
        // What is listed behind a colon has words of its own.
        let head = cause.until(":")
        if case .video(let shape) = settings.input, let size = Self.size(shape, settings, cause) {
            self = size
        } else if let option = EncoderRefusal(ofOption: cause, settings) {
            self = option
        } else if let bitRate = Self.bitRate(settings) {
            self = bitRate
        } else if let other = Self.byWords(head, settings) ?? Self.byWords(cause, settings) {
            self = other
        } else if settings.codec.isHardware {
            self = Self.hardware(settings.codec)
        } else {
            return nil
        }
    }

    init(_ parameter: String, _ supported: [String] = [], advice: String? = nil) {
        self.parameter = parameter
        self.supported = supported
        self.advice = advice
    }

    // MARK: By rules

    private static func hardware(_ codec: Codec) -> EncoderRefusal {
        let others = Codec.all(codec.media).filter { $0.codecName.isSame(as: codec.codecName) && !$0.isHardware }.map(\.name)
        var refusal = EncoderRefusal("encoder", others)
        refusal.code = .unsupportedHardware
        refusal.advice = "\(codec.name) needs hardware that the server does not have, or does not let writers use"
        if let other = others.first { refusal.advice! += "; \(other) needs none" }
        return refusal
    }

    private static func size(_ shape: VideoShape, _ settings: EncoderSettings, _ cause: String) -> EncoderRefusal? {
        let codec = settings.codec
        let size = PictureRule.Size(shape.width, shape.height)
        guard let rule = codec.pictureRule(for: shape, isInterlaced: settings.fieldOrder.isInterlaced) else { return nil }
        let nearest = rule.nearest(to: size)
        let formats = rule.formats(of: nearest)
        let other = formats.contains(shape.format.name) ? nil : formats.first
        if nearest == size {
            return other.map { EncoderRefusal("encoder_format", formats, advice: "\(codec.name) takes \(size.name) as \($0): encoder_format \($0) converts to it") }
        }
        let (fitsWidth, fitsHeight) = (nearest.width == size.width, nearest.height == size.height)
        var advice = "\(codec.name) takes \(nearest.name)"
        let parameters = (fitsWidth ? [] : ["encoder_width \(nearest.width)"]) + (fitsHeight ? [] : ["encoder_height \(nearest.height)"])
        advice += ": \((parameters + (other.map { ["encoder_format \($0)"] } ?? [])).joined(separator: " with ")) scales to it"
        if other == nil, nearest.width >= size.width && nearest.height >= size.height {
            advice += ", filter_desc \"pad=\(nearest.width):\(nearest.height)\" adds a border"
        }
        if rule.isOfFormat, let whole = wholeFormat(codec) { advice += ", encoder_format \(whole) takes any size" }
        // Of both, the one that libav's reason is about.
        let isOfHeight = fitsWidth || !fitsHeight && cause.holds("height") && !cause.holds("width")
        let sizes = rule.sizes.isEmpty ? [nearest] : rule.sizes
        let supported = isOfHeight
            ? sizes.filter { !fitsWidth || $0.width == size.width }.map(\.height) : sizes.filter { !fitsHeight || $0.height == size.height }.map(\.width)
        return EncoderRefusal(isOfHeight ? "encoder_height" : "encoder_width", Set(supported).sorted().map(String.init), advice: advice)
    }

    /// With a sample of color for each pixel.
    private static func wholeFormat(_ codec: Codec) -> String? {
        codec.pixelFormats.first { !$0.isHardware && $0.colorModel == .yuv && $0.pixelsOfChroma == 1 && $0.depths.upperBound == 8 }?.name
    }

    private static func bitRate(_ settings: EncoderSettings) -> EncoderRefusal? {
        guard case .audio(let shape) = settings.input else { return pictureBitRate(settings) }
        let taken = settings.codec.bitRates(at: shape.sampleRate)
        guard !taken.isEmpty, !taken.contains(settings.bitRate ?? 0) else { return nil }
        let range = taken.count == 1 ? "\(taken[0])" : "\(taken[0]) to \(taken.last!)"
        return EncoderRefusal(
            bitRateParameter, taken.map(String.init),
            advice: "At \(shape.sampleRate) samples a second \(settings.codec.name) takes \(range) bits a second")
    }

    private static func pictureBitRate(_ settings: EncoderSettings) -> EncoderRefusal? {
        guard case .video(let shape) = settings.input, settings.options["profile"] == nil else { return nil }
        let taken = settings.codec.bitRates(of: shape, isInterlaced: settings.fieldOrder.isInterlaced)
        guard !taken.isEmpty, !taken.contains(settings.bitRate ?? 0) else { return nil }
        let megabits = taken.map { "\($0 / 1_000_000)" }.joined(separator: ", ")
        return EncoderRefusal(
            bitRateParameter, taken.map(String.init),
            advice: "For \(shape.width)x\(shape.height) in \(shape.format.name) \(settings.codec.name) takes \(megabits) million bits a second; \(anySize(shape))")
    }

    /// DNxHR's profiles have rates of their own.
    private static func anySize(_ shape: VideoShape) -> String {
        let profile = shape.format.depths.upperBound > 8 ? "dnxhr_hqx" : "dnxhr_sq"
        return "encoder_option {\"profile\": \"\(profile)\"} takes any size and bit rate from 256x120 on"
    }

    private static let bitRateParameter = "codec_config.bit_rate"

    // MARK: By words

    private static func byWords(_ cause: String, _ settings: EncoderSettings) -> EncoderRefusal? {
        func says(_ words: String...) -> Bool { words.contains { cause.holds($0) } }
        if says("b-frame", "b frame", "bframe") {
            return EncoderRefusal("codec_config.max_b_frames", says("not supported by codec") ? ["0"] : [])
        }
        // libopus, which asks for a bit rate that may have been given.
        if settings.qscale != nil, says("quality-based encoding not supported") {
            return EncoderRefusal("codec_config.qscale", advice: "Leave codec_config.qscale out; codec_config.bit_rate sets the quality of \(settings.codec.name)")
        }
        if says("compression level") { return EncoderRefusal("codec_config.compression_level") }
        if says("bit rate", "bitrate", "bps", "byte_offset_bits") {
            return EncoderRefusal(bitRateParameter, advice: settings.bitRate.map { "It counts bits a second, and is \($0)" })
        }
        switch settings.input {
        case .video(let shape): return pictures(cause, shape, settings.codec)
        case .audio(let shape):
            if says("channel") {
                if let pan = shape.layout.panning(to: ["stereo"].compactMap { ChannelLayout(name: $0) }) {
                    return EncoderRefusal("filter_desc", [pan], advice: "Nothing says what the channels are, so only pan mixes them, by their numbers: filter_desc \"\(pan)\"")
                }
                let layouts = ChannelLayout.names(channels: shape.layout.channels).filter { !$0.isSame(as: shape.layout.name) }
                let others = layouts.isEmpty ? "" : "; the channels are taken for \(shape.layout.name), and channel_layout may say otherwise: \(layouts.joined(separator: ", "))"
                return EncoderRefusal("encoder_num_channels", advice: "encoder_num_channels mixes to others\(others)")
            }
            if says("sample rate", "samplerate", " hz", "khz", "hz not") {
                return EncoderRefusal("encoder_sample_rate", settings.codec.sampleRates.sorted().map(String.init))
            }
            return nil
        }
    }

    private static func pictures(_ cause: String, _ shape: VideoShape, _ codec: Codec) -> EncoderRefusal? {
        func says(_ words: String...) -> Bool { words.contains { cause.holds($0) } }
        if says("fps", "timebase", "time base", "frame rate", "framerate") {
            let rate = Rational(shape.frameRate)
            guard shape.timeBase != nil else {
                return EncoderRefusal("encoder_frame_rate", codec.frameRates.map { "\(Rational($0))" })
            }
            return EncoderRefusal(
                "time_base",
                advice: codec.frameRates.isEmpty
                    ? "time_base is finer than \(codec.name) can say"
                    : "\(codec.name) has times of whole frames only: without time_base it takes \(rate) frames a second")
        }
        if says("pixel format", "pix_fmt", "pixel_format") {
            return EncoderRefusal("encoder_format", codec.pixelFormats.filter { !$0.isHardware && $0 != shape.format }.map(\.name))
        }
        if says("height") && !says("width") { return EncoderRefusal("encoder_height") }
        if says("width", "height", "dimension", "resolution", "picture size", "image size", "frame size", "video size", "g_w ", "g_h ", "video parameters") {
            if codec.name == "dnxhd" {
                return EncoderRefusal("encoder_width", advice: anySize(shape))
            }
            return EncoderRefusal("encoder_width", advice: "encoder_width and encoder_height scale the pictures, from \(shape.width)x\(shape.height)")
        }
        return nil
    }
}
