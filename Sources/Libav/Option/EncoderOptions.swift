internal import CLibav

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
