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

    /// Throws for the first, by name, whose value the muxer does not take.
    package static func check(_ pairs: [String: String], for format: OutputFormat) throws(LibavError) {
        guard let trial = MuxerOptions(format, [:]) else { return }
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            _ = Log.take()
            let code = av_opt_set(trial.context, key, value, AV_OPT_SEARCH_CHILDREN)
            guard code < 0, code != clibav_error_option_not_found else { continue }
            throw LibavError(code: code, doing: "setting the option \(key) of the muxer \(format.name)", option: key)
        }
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
