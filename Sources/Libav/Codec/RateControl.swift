import Bytewise
internal import CLibav

/// Bits a second that an encoder is to make, and what it holds them to.
package struct EncoderRate: Sendable, Equatable {
    package var bitRate: Int
    /// Of the buffer that a player has (VBV): bits a second that fill it at most, and its size in bits. 0: none.
    package var maxRate: Int
    package var bufferSize: Int

    package init(bitRate: Int, maxRate: Int = 0, bufferSize: Int = 0) {
        self.bitRate = bitRate
        self.maxRate = maxRate
        self.bufferSize = bufferSize
    }

    /// A value of the options `maxrate` and `bufsize` as libav reads it: "4M" is four millions. Nil: it is none.
    package static func bits(_ text: String, option: String) -> Int? {
        var context: UnsafeMutablePointer<AVCodecContext>? = avcodec_alloc_context3(nil)
        defer { avcodec_free_context(&context) }
        var value: Int64 = 0
        guard let context, av_opt_set(context, option, text, 0) >= 0, av_opt_get_int(context, option, 0, &value) >= 0 else { return nil }
        return Int(value)
    }
}

extension Codec {
    /// How an encoder takes another bit rate while it runs.
    package enum RateChange: Sendable {
        /// It looks at the bit rate for each frame.
        case always
        /// Of x264 only a constant rate, which is that of its buffer: its average it settles when it is opened.
        case constant
        /// By its source; where the hardware can.
        case byHardware
    }

    /// Nil: it looks at its bit rate when it is opened, and never again. `BitRateChangeTests` asks every encoder.
    package var rateChange: RateChange? { Self.rateChanges[name] }

    /// The encoders of this libav that take another bit rate while they run.
    package static func changingRates(_ media: Media) -> [String] {
        rateChanges.keys.sorted().filter { Codec(named: $0)?.media == media }
    }

    private static let rateChanges: [String: RateChange] = [
        "libx264": .constant, "libx264rgb": .constant, "vc2": .always, "aac": .always, "opus": .always,
        "h264_nvenc": .byHardware, "hevc_nvenc": .byHardware, "av1_nvenc": .byHardware,
    ]
}

/// What may be done to the bit rate of an encoder that is open.
package struct RateControl: Sendable {
    /// Why it can't be changed, to follow "the encoder NAME"; nil: it can.
    package let obstacle: String?
    /// Whether it can't for its kind, whatever it is opened with.
    package let isFixed: Bool
    /// `maxrate` and `bufsize` change with it.
    package let hasBuffer: Bool
    /// `maxrate` is the bit rate.
    package let isConstant: Bool
    package let bitRates: ClosedRange<Int>
    /// As it was last asked for.
    package var rate: EncoderRate

    init(_ encoder: Encoder) {
        let context = encoder.context.pointee
        let change = encoder.settings.codec.rateChange
        rate = encoder.rate
        isFixed = change == nil
        isConstant = change == .constant
        hasBuffer = isConstant || change == .byHardware && context.rc_max_rate > 0
        bitRates = Self.bitRates(of: encoder)
        obstacle = switch change {
        case nil: "looks at its bit rate when it is opened, and never again"
        case .constant: Self.obstacle(ofX264: encoder)
        case .always, .byHardware:
            encoder.settings.qscale != nil ? "goes by codec_config.qscale"
                : context.bit_rate <= 0 ? "was opened without codec_config.bit_rate" : nil
        }
    }

    private static func obstacle(ofX264 encoder: Encoder) -> String? {
        let context = encoder.context.pointee
        func number(_ option: String) -> Double {
            var value = -1.0
            return av_opt_get_double(context.priv_data, option, 0, &value) >= 0 ? value : -1
        }
        if encoder.settings.options.keys.contains(where: { $0.isSame(as: "x264-params") || $0.isSame(as: "x264opts") }) {
            return "was opened with x264-params, which may have rates of their own"
        }
        if number("crf") >= 0 || number("qp") >= 0 { return "goes by crf or qp" }
        if number("nal-hrd") > 0 { return "was opened with nal-hrd, which fixes its rates" }
        // It counts in thousands.
        let isConstant = context.rc_max_rate > 0 && context.rc_max_rate / 1_000 <= context.bit_rate / 1_000 && context.rc_buffer_size > 0
        return isConstant
            ? nil
            : "changes a constant rate only: where it was opened with codec_config.bit_rate, encoder_option.maxrate of the same number and encoder_option.bufsize"
    }

    private static func bitRates(of encoder: Encoder) -> ClosedRange<Int> {
        let most = Int(Int32.max)
        switch (encoder.settings.codec.name, encoder.settings.input) {
        // As they hold it to when they are opened.
        case ("aac", .audio(let shape)): return 1_000...6_144 * shape.layout.channels * shape.sampleRate / 1_024
        case ("opus", .audio(let shape)): return 6_000...255_000 * shape.layout.channels
        // Below a bit for a pixel its slices have no room for their heads.
        case ("vc2", .video(let shape)):
            let pixels = Double(shape.width * shape.height) * Double(shape.frameRate.numerator) / Double(shape.frameRate.denominator)
            return min(most, Int(pixels))...most
        // Both count in thousands.
        default: return 1_000...most
        }
    }
}

extension Encoder {
    package var rateControl: RateControl { RateControl(self) }

    package var rate: EncoderRate {
        EncoderRate(
            bitRate: Int(context.pointee.bit_rate), maxRate: Int(context.pointee.rc_max_rate), bufferSize: Int(context.pointee.rc_buffer_size))
    }

    /// Takes effect with the next frame, on the thread that gives it. Only what its `rateControl` allows.
    package func change(to rate: EncoderRate) {
        context.pointee.bit_rate = Int64(rate.bitRate)
        context.pointee.rc_max_rate = Int64(rate.maxRate)
        context.pointee.rc_buffer_size = Int32(clamping: rate.bufferSize)
    }
}
