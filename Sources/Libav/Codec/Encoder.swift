import Bytewise
internal import CLibav

/// An open encoder. One thread at a time.
package final class Encoder {
    /// What `receive` has to say; neither of the last two is a failure.
    package enum Output {
        case packet(Packet)
        case needsInput
        case drained
    }

    package let settings: EncoderSettings
    let context: UnsafeMutablePointer<AVCodecContext>
    private let sendsFramesThrough: Bool
    private let sampleRules: SampleRules?
    private let pictureBound: UInt16?
    private var hasFrames = false
    /// It was told that no more frames come.
    private var isEnded = false
    /// An assertion failed in it: nothing of it may be used again.
    private var isBroken = false

    package init(_ settings: EncoderSettings) throws(LibavError) {
        self.settings = settings
        sampleRules = KnownFaults.sampleRules(of: settings)
        pictureBound = KnownFaults.pictureBound(of: settings)
        let codec = settings.codec
        if codec.name.begins(with: "libx264") { Self.memoryStartsZeroed }
        context = try allocated(
            avcodec_alloc_context3(codec.pointer), "allocating the encoder \(codec.name)")
        do throws(LibavError) {
            Self.apply(settings, to: context)
            // A key frame that is asked for (`Frame.isKeyFrameWanted`) is one that decoding can begin at; x265's
            // would not be, without. Encoders that do not have it need it not.
            if codec.pointer.pointee.priv_class != nil { av_opt_set_int(context.pointee.priv_data, "forced-idr", 1, 0) }
            try Self.applyOptions(settings, to: context)
            try Self.boundThreads(settings, of: context)
            try KnownFaults.check(context)
            try KnownFaults.checkSize(context, of: codec)
            try KnownFaults.checkChannels(context, of: codec)
            try KnownFaults.checkDepth(context, of: codec)
            try check(avcodec_open2(context, codec.pointer, nil), "opening the encoder \(codec.name)")
        } catch {
            Self.free(context)
            throw error
        }
        sendsFramesThrough = Self.canSendFramesThrough(settings, context)
    }

    deinit { if mayBeFreed() { Self.free(context) } }

    /// SVT-AV1 crashes, or waits for ever, when it is freed before it was told that no more comes; and
    /// where nothing came, even then: that one is left to the end of the process.
    private func mayBeFreed() -> Bool {
        if isBroken { return false }
        guard settings.codec.name == "libsvtav1" else { return true }
        guard hasFrames else { return false }
        if !isEnded, (try? send(nil)) != nil { while case .packet? = try? receive() {} }
        return true
    }

    /// x264's lookahead (B-frames with mbtree) reads memory it has not written, so that its
    /// output would depend on what the allocator had there before: on timing, not on the input.
    /// With this glibc hands out zeroed memory, for the whole process (an encoder process has it anyway).
    /// Without a measurable cost, as what is large comes from pools.
    private static let memoryStartsZeroed: Void = clibav_zero_new_memory()

    private static func free(_ context: UnsafeMutablePointer<AVCodecContext>) {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
    }

    /// What its pictures are shown at, reduced; nil of sound.
    package var displayAspect: Fraction? {
        guard context.pointee.width > 0, context.pointee.height > 0 else { return nil }
        let pixels = context.pointee.sample_aspect_ratio
        let square = pixels.num <= 0 || pixels.den <= 0
        var (width, height): (Int32, Int32) = (0, 0)
        av_reduce(
            &width, &height, Int64(context.pointee.width) * (square ? 1 : Int64(pixels.num)),
            Int64(context.pointee.height) * (square ? 1 : Int64(pixels.den)), 1_024 * 1_024)
        return Fraction(width, height)
    }

    package var timeBase: Fraction { Fraction(context.pointee.time_base) }
    /// Pictures from one key frame to the next, at most.
    package var groupSize: Int { Int(context.pointee.gop_size) }
    package var bitRate: Int { Int(context.pointee.bit_rate) }

    /// Of a sample as it is stored; nil where the codec stores none.
    package var storedSampleBits: Int? {
        // Of discs, which have 24 bits at most; libav does not say so.
        if [AV_CODEC_ID_PCM_DVD, AV_CODEC_ID_PCM_BLURAY].contains(context.pointee.codec_id), context.pointee.sample_fmt == AV_SAMPLE_FMT_S32 { return 24 }
        // Until it is said otherwise, the first is the sample format's.
        let bits = [Int(context.pointee.bits_per_raw_sample), Int(av_get_exact_bits_per_sample(context.pointee.codec_id))]
        return bits.filter { $0 > 0 }.min()
    }

    /// Samples per channel every audio frame but the last must have; 0 when it takes any.
    package var frameSize: Int {
        settings.codec.takesAnyFrameSize ? 0 : Int(context.pointee.frame_size)
    }

    /// Its bytes tell how many samples they are, which is all that some containers keep of their time: PCM, and the
    /// ADPCM that mov has blocks of.
    package var countsSamples: Bool {
        let codec = context.pointee.codec_id
        if [AV_CODEC_ID_ADPCM_MS, AV_CODEC_ID_ADPCM_IMA_WAV].contains(codec) { return true }
        return context.pointee.frame_size <= 1 && av_get_bits_per_sample(codec) > 0
    }

    /// The largest sample it takes, up and down; nil where it keeps any, infinite ones and NaN too. One of integers
    /// takes all that are numbers: what a conversion makes of others is a click.
    package var sampleBound: Float? {
        guard case .audio(let shape) = settings.input, !KnownFaults.keepsFloats(settings.codec, shape.format) else { return nil }
        return sampleRules?.bound ?? .greatestFiniteMagnitude
    }

    /// Samples per channel the last frame must have as well.
    package var leastSamples: Int { sampleRules?.least ?? 1 }

    /// Gives the encoder a frame; nil says there are no more. Take all packets before the next.
    package func send(_ frame: Frame?) throws(LibavError) {
        var frame = frame
        if let sampleRules, let given = frame { frame = try sampleRules.checked(given) }
        if let pictureBound, let frame, frame.hasWords(above: pictureBound) {
            throw .invalid(
                "encoding with \(settings.codec.name): a picture has samples above \(pictureBound), the largest of its format; send samples in its range")
        }
        if let frame {
            settings.color.apply(to: frame.pointer)
            settings.fieldOrder.apply(to: frame.pointer)
            // Where encoders of the MPEG kind look for `qscale`.
            frame.pointer.pointee.quality = context.pointee.global_quality
        }
        if frame == nil { isEnded = true } else { hasFrames = true }
        let code = try unbroken(GuardedCall.sendFrame(frame?.pointer, to: context))
        if frame == nil && code == clibav_error_eof { return }
        try check(code, doing)
    }

    package func receive() throws(LibavError) -> Output {
        let packet = try Packet()
        let code = try unbroken(GuardedCall.receivePacket(packet.pointer, from: context))
        if code == clibav_error_again { return .needsInput }
        if code == clibav_error_eof { return .drained }
        try check(code, doing)
        return .packet(packet)
    }

    private var doing: String { "encoding with \(settings.codec.name)" }

    private func unbroken(_ call: @autoclosure () -> Int32) throws(LibavError) -> Int32 {
        if isBroken { throw .asserted(doing) }
        let code = call()
        guard code == clibav_error_asserted else { return code }
        isBroken = true
        throw .asserted(doing)
    }

    /// What the encoder would only copy: a packet that refers to the frame's own buffer. Nil when the frame has to go
    /// through the encoder.
    package func sendThrough(_ frame: Frame) throws(LibavError) -> Packet? {
        guard sendsFramesThrough, let content = content(of: frame), let buffer = frame.pointer.pointee.buf.0 else { return nil }
        let packet = try Packet()
        packet.pointer.pointee.buf = try allocated(av_buffer_ref(buffer), "sharing a frame's buffer")
        packet.pointer.pointee.data = content.start
        packet.pointer.pointee.size = Int32(content.count)
        packet.pointer.pointee.flags = AV_PKT_FLAG_KEY
        packet.pts = frame.pts
        packet.dts = frame.pts
        if frame.sampleCount > 0 { packet.duration = Int64(frame.sampleCount) }
        return packet
    }

    /// The frame's bytes as they are written, where they lie one behind the other.
    private func content(of frame: Frame) -> (start: UnsafeMutablePointer<UInt8>, count: Int)? {
        switch settings.input {
        case .video(let shape):
            let bytes = Int(av_image_get_buffer_size(shape.format.id, Int32(shape.width), Int32(shape.height), 1))
            guard bytes > 0, let start = frame.contiguousImage(bytes: bytes) else { return nil }
            return (start, bytes)
        case .audio(let shape):
            guard frame.sampleCount > 0, let start = frame.pointer.pointee.data.0 else { return nil }
            return (start, frame.sampleCount * shape.bytesPerFrame)
        }
    }

    /// Whether its packets are the frames as they are: raw video, but for two codec tags whose samples libav's encoder
    /// changes, and PCM in the order of this machine's bytes.
    private static func canSendFramesThrough(
        _ settings: EncoderSettings, _ context: UnsafeMutablePointer<AVCodecContext>
    ) -> Bool {
        if case .audio(let shape) = settings.input {
            return av_sample_fmt_is_planar(shape.format.id) == 0 && av_get_pcm_codec(shape.format.id, -1) == context.pointee.codec_id
        }
        let tagsWithOtherBytes: [UInt32] = ["yuv2", "b64a"].map { tag in
            tag.utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        return settings.codec.isRawVideo && !tagsWithOtherBytes.contains(context.pointee.codec_tag)
    }

    private static func apply(
        _ settings: EncoderSettings, to context: UnsafeMutablePointer<AVCodecContext>
    ) {
        context.pointee.thread_count = settings.codec.media == .video ? Int32(clamping: settings.defaultThreads) : 1
        context.pointee.time_base = settings.timeBase.rational
        switch settings.input {
        case .audio(let shape):
            context.pointee.sample_fmt = shape.format.id
            context.pointee.sample_rate = Int32(shape.sampleRate)
            context.pointee.ch_layout = shape.layout.layout
        case .video(let shape):
            context.pointee.pix_fmt = shape.format.id
            context.pointee.width = Int32(shape.width)
            context.pointee.height = Int32(shape.height)
            context.pointee.framerate = shape.frameRate.rational
            settings.fieldOrder.apply(to: context, of: settings.codec)
            if let ratio = settings.sampleAspectRatio { context.pointee.sample_aspect_ratio = ratio.rational }
            settings.color.apply(to: context)
        }
        if let tag = settings.codecTag { context.pointee.codec_tag = tag.value }
        if let frames = settings.hardwareFrames { context.pointee.hw_frames_ctx = frames.reference() }
        if let value = settings.bitRate { context.pointee.bit_rate = Int64(value) }
        if let value = settings.compressionLevel { context.pointee.compression_level = Int32(clamping: value) }
        if let value = settings.qscale {
            context.pointee.flags |= AV_CODEC_FLAG_QSCALE
            context.pointee.global_quality = Int32((value * Double(FF_QP2LAMBDA)).rounded())
        }
        if let value = settings.gopSize { context.pointee.gop_size = Int32(clamping: value) }
        if let value = settings.maxBFrames { context.pointee.max_b_frames = Int32(clamping: value) }
        context.pointee.flags |= clibav_flag_frame_duration
        if settings.usesGlobalHeader { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
        if settings.codec.isExperimental {
            context.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
        }
    }

    /// One by one rather than as a dictionary: the error then names the option, and says
    /// whether its name or its value is wrong.
    private static func applyOptions(
        _ settings: EncoderSettings, to context: UnsafeMutablePointer<AVCodecContext>
    ) throws(LibavError) {
        let media = settings.codec.media == .audio ? AV_OPT_FLAG_AUDIO_PARAM : AV_OPT_FLAG_VIDEO_PARAM
        let allMedia = AV_OPT_FLAG_AUDIO_PARAM | AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_SUBTITLE_PARAM
        for (key, value) in settings.options.sorted(by: { $0.key < $1.key }) {
            let doing = "setting the option \(key) of the encoder \(settings.codec.name)"
            let option = av_opt_find(
                context, key, nil, AV_OPT_FLAG_ENCODING_PARAM, AV_OPT_SEARCH_CHILDREN)
            guard let option,
                option.pointee.flags & allMedia == 0 || option.pointee.flags & media != 0
            else {
                throw LibavError(code: clibav_error_option_not_found, doing: doing, option: key)
            }
            let code = av_opt_set(context, key, value, AV_OPT_SEARCH_CHILDREN)
            if code < 0 { throw LibavError(code: code, doing: doing, option: key) }
            try requireShape(settings.input, of: context, after: key)
        }
        // Other flags in place of all ("flags": "cgop") are not meant to take the headers from the muxer.
        if settings.usesGlobalHeader, settings.options["flags"]?.holds("global_header") == false {
            context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        }
    }

    /// Some generic options say what frames are. An encoder that believed them would read past the ends
    /// of those it is given.
    private static func requireShape(
        _ input: MediaFormat, of context: UnsafeMutablePointer<AVCodecContext>, after option: String
    ) throws(LibavError) {
        let isKept: Bool
        switch input {
        case .audio(let shape):
            isKept = context.pointee.sample_fmt == shape.format.id && Int(context.pointee.sample_rate) == shape.sampleRate
                && ChannelLayout(context.pointee.ch_layout) == shape.layout && clibav_has_old_channels(context) == 0
        case .video(let shape):
            isKept = context.pointee.pix_fmt == shape.format.id && Int(context.pointee.width) == shape.width
                && Int(context.pointee.height) == shape.height && Fraction(context.pointee.framerate) == shape.frameRate
        }
        let timeBase = Fraction(context.pointee.time_base)
        guard isKept, timeBase == input.timeBase else {
            throw LibavError(
                code: clibav_error_invalid,
                doing: "setting \(option): what frames are is said by the stream's own parameters (encoder_sample_rate, encoder_width, …)",
                option: option)
        }
    }
}
