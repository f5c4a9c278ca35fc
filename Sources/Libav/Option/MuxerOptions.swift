internal import CLibav

/// A muxer's options as some pairs would set them: the others at their defaults.
package struct MuxerOptions: ~Copyable {
    private let context: UnsafeMutablePointer<AVFormatContext>

    /// Pairs that the muxer does not know, or whose value it does not take, are passed over.
    package init?(_ format: OutputFormat, _ pairs: [String: String]) {
        var context: UnsafeMutablePointer<AVFormatContext>?
        guard avformat_alloc_output_context2(&context, format.pointer, nil, nil) >= 0, let context else { return nil }
        self.context = context
        for (key, value) in pairs { _ = av_opt_set(context, key, value, AV_OPT_SEARCH_CHILDREN) }
    }

    deinit { avformat_free_context(context) }

    /// The number an option stands for; 0 when the muxer has no such option.
    package func integer(_ name: String) -> Int64 {
        var value: Int64 = 0
        return av_opt_get_int(context, name, AV_OPT_SEARCH_CHILDREN, &value) >= 0 ? value : 0
    }

    /// Whether a flag is among those an option has set.
    package func has(_ flag: String, in option: String) -> Bool { hasFlag(context, flag, in: option) }
}

/// An encoder's options as some pairs would set them: the others at their defaults.
package struct EncoderOptions: ~Copyable {
    private let context: UnsafeMutablePointer<AVCodecContext>

    /// Pairs that the encoder does not know, or whose value it does not take, are passed over.
    package init?(_ codec: Codec, _ pairs: [String: String]) {
        guard let context = avcodec_alloc_context3(codec.pointer) else { return nil }
        self.context = context
        for (key, value) in pairs { _ = av_opt_set(context, key, value, AV_OPT_SEARCH_CHILDREN) }
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
    }

    /// Whether a flag is among those an option has set.
    package func has(_ flag: String, in option: String) -> Bool { hasFlag(context, flag, in: option) }
}

private func hasFlag(_ object: UnsafeMutableRawPointer, _ flag: String, in option: String) -> Bool {
    var value: Int64 = 0
    guard av_opt_get_int(object, option, AV_OPT_SEARCH_CHILDREN, &value) >= 0,
        let unit = av_opt_find(object, option, nil, 0, AV_OPT_SEARCH_CHILDREN)?.pointee.unit,
        let constant = av_opt_find(object, flag, unit, 0, AV_OPT_SEARCH_CHILDREN)
    else { return false }
    return value & constant.pointee.default_val.i64 != 0
}
