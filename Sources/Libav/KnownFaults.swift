internal import CLibav

/// Values that make libav itself crash or hang where it should refuse them, each found by asking for it.
/// They are refused here, with a reason.
enum KnownFaults {
    // MARK: Encoders

    /// Lower bounds that assertions of libav want below their upper ones.
    private static let pairs = [("lmin", "lmax"), ("mblmin", "mblmax"), ("qmin", "qmax")]

    /// Numbers that are taken for sizes and must not be negative.
    private static let sizes = ["me_range"]

    /// After the options, before the encoder is opened.
    static func check(_ context: UnsafeMutablePointer<AVCodecContext>) throws(LibavError) {
        for (lower, upper) in pairs {
            guard let low = value(lower, of: context), let high = value(upper, of: context), high >= 0, low > high
            else { continue }
            throw refusal("\(lower), \(low), must not be above \(upper), \(high)", option: lower)
        }
        for option in sizes {
            guard let size = value(option, of: context), size < 0 else { continue }
            throw refusal("\(option), \(size), must not be negative", option: option)
        }
        // MPEG-4's encoder asserts another order of coefficients than this one's.
        if context.pointee.idct_algo == FF_IDCT_XVID {
            throw refusal("the idct xvid is for decoding", option: "idct")
        }
    }

    private static func value(_ option: String, of context: UnsafeMutablePointer<AVCodecContext>) -> Int64? {
        var value: Int64 = 0
        return av_opt_get_int(context, option, AV_OPT_SEARCH_CHILDREN, &value) >= 0 ? value : nil
    }

    // MARK: Filters

    /// Sample rates below this make atempo and others divide by zero parts of a second, as soon as they
    /// are configured.
    private static let leastSampleRate = 100

    /// Before the filters are configured.
    static func check(_ filter: UnsafeMutablePointer<AVFilterContext>) throws(LibavError) {
        guard filter.pointee.filter.pointee.priv_class != nil else { return }
        for option in ["sample_rate", "sample_rates", "osr", "out_sample_rate"] {
            var text: UnsafeMutablePointer<UInt8>?
            guard av_opt_get(filter.pointee.priv, option, AV_OPT_SEARCH_CHILDREN, &text) >= 0, let text else { continue }
            defer { av_free(text) }
            let rates = String(cString: text).split { !$0.isNumber }.compactMap { Int($0) }
            guard rates.contains(where: { (1..<leastSampleRate).contains($0) }) else { continue }
            throw refusal("\(String(cString: filter.pointee.filter.pointee.name)): \(option) must be at least \(leastSampleRate)")
        }
    }

    /// They write a line too many where a picture's height is not one of whole fields.
    private static let byFields: Set<String> = ["kerndeint"]
    /// They count lines of chroma for each picture, rounded up, and not for the whole.
    private static let sideBySide: Set<String> = ["hstack", "vstack", "xstack", "tile", "framepack"]

    /// After the filters are configured, before the first frame.
    static func check(_ link: UnsafeMutablePointer<AVFilterLink>) throws(LibavError) {
        let name = String(cString: link.pointee.dst.pointee.filter.pointee.name)
        let (width, height) = (link.pointee.w, link.pointee.h)
        if byFields.contains(name), height % 4 != 0 || height < 8 {
            throw refusal("\(name): the height, \(height), must be a multiple of 4, and at least 8")
        }
        if sideBySide.contains(name), let format = av_pix_fmt_desc_get(AVPixelFormat(link.pointee.format)) {
            let (across, down) = (Int32(1) << format.pointee.log2_chroma_w, Int32(1) << format.pointee.log2_chroma_h)
            if width % across != 0 || height % down != 0 {
                throw refusal("\(name): pictures of \(width)x\(height) must be multiples of \(across)x\(down) in this format")
            }
        }
    }

    private static func refusal(_ reason: String, option: String? = nil) -> LibavError {
        LibavError(code: clibav_error_invalid, doing: reason, option: option)
    }
}
