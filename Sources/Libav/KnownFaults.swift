import Bytewise
internal import CLibav

/// Values that make libav itself crash or hang where it should refuse them, each found by asking for it.
/// They are refused here, with a reason.
package enum KnownFaults {
    /// Segments of hls up to so many seconds are of a bit rate that its master playlist does not tell, nor then the
    /// variant; nil: of any length.
    package static let longestUntoldSegment: Double? = {
        let microseconds = clibav_shortest_measured_segment()
        return microseconds > 0 ? Double(microseconds) / 1_000_000 : nil
    }()

    // MARK: Encoders

    /// Lower bounds that assertions of libav want below their upper ones.
    private static let pairs = [("lmin", "lmax"), ("mblmin", "mblmax"), ("qmin", "qmax")]

    /// Numbers beyond which encoders assert, or read what is not theirs.
    private static let ranges: [(option: String, range: ClosedRange<Double>)] = [
        ("me_range", -1...Double(Int32.max)), ("qcomp", -1...10),
    ]

    /// Of an encoder that hangs when it runs out of memory: as many in one process as there is some for.
    package static let most = ["libsvtav1": 4]

    /// After the options, before the encoder is opened.
    static func check(_ context: UnsafeMutablePointer<AVCodecContext>) throws(LibavError) {
        for (lower, upper) in pairs {
            guard let low = value(lower, of: context), let high = value(upper, of: context), high >= 0, low > high
            else { continue }
            throw refusal("\(lower), \(low), must not be above \(upper), \(high)", option: lower)
        }
        for (option, range) in ranges {
            var value = 0.0
            guard av_opt_get_double(context, option, AV_OPT_SEARCH_CHILDREN, &value) >= 0, !range.contains(value)
            else { continue }
            throw refusal("\(option), \(value), must be from \(range.lowerBound) to \(range.upperBound)", option: option)
        }
        // MPEG-4's encoder asserts another order of coefficients than this one's.
        if context.pointee.idct_algo == FF_IDCT_XVID {
            throw refusal("the idct xvid is for decoding", option: "idct")
        }
    }

    /// Encoders that work in blocks, and read those that a smaller picture does not fill.
    private static let leastPictures: [String: (width: Int32, height: Int32)] = ["smc": (1, 4)]

    /// dca's table of 5.1 names no sixth channel, for which it reads a sample before the frame.
    private static let mostChannels: [String: Int32] = ["dca": 5]

    /// libav's own decoder has no layout for so many.
    private static let undecodedChannels: [String: Int32] = ["tta": 5]

    static func checkChannels(_ context: UnsafeMutablePointer<AVCodecContext>, of codec: Codec) throws(LibavError) {
        let channels = context.pointee.ch_layout.nb_channels
        if undecodedChannels[codec.name] == channels {
            var error = refusal("\(codec.name) with \(channels) channels can't be decoded by libav; flac and wavpack take \(channels)")
            error.parameter = "encoder_num_channels"
            throw error
        }
        guard let most = mostChannels[codec.name], channels > most else { return }
        var error = refusal("\(codec.name) takes up to \(most) channels, and not \(channels); ac3 and eac3 take 5.1")
        error.parameter = "encoder_num_channels"
        throw error
    }

    /// Its usual transform (`pred`, dwt97int) is not for more than 8 bits: samples come back thousands away.
    private static let transformsOf8Bits: Set<String> = ["jpeg2000"]

    static func checkDepth(_ context: UnsafeMutablePointer<AVCodecContext>, of codec: Codec) throws(LibavError) {
        let format = PixelFormat(context.pointee.pix_fmt)
        guard transformsOf8Bits.contains(codec.name), format.depths.upperBound > 8, value("pred", of: context) == 0 else { return }
        var error = refusal(
            "\(codec.name) makes other samples of those of \(format.name); the encoder libopenjpeg keeps them, encoder_option {\"pred\": \"dwt53\"} nearly, and an encoder_format of 8 bits such as rgb24 or gray takes them down to those")
        error.parameter = "encoder"
        throw error
    }

    /// Before the encoder is opened.
    static func checkSize(_ context: UnsafeMutablePointer<AVCodecContext>, of codec: Codec) throws(LibavError) {
        guard let least = leastPictures[codec.name] else { return }
        let (width, height) = (context.pointee.width, context.pointee.height)
        guard width < least.width || height < least.height else { return }
        var error = refusal("\(codec.name) takes pictures from \(least.width)x\(least.height) on, and not \(width)x\(height)")
        error.parameter = width < least.width ? "encoder_width" : "encoder_height"
        throw error
    }

    private static func value(_ option: String, of context: UnsafeMutablePointer<AVCodecContext>) -> Int64? {
        var value: Int64 = 0
        return av_opt_get_int(context, option, AV_OPT_SEARCH_CHILDREN, &value) >= 0 ? value : nil
    }

    // MARK: Filters

    /// Others make atempo divide by empty parts of a second, and surround fill the memory, as soon as they
    /// are configured.
    private static let sampleRates = 100...768_000

    /// A check for the filter's own developers: it looks every one of 2^24 colors up twice, and can't be interrupted.
    private static let selfTests = ["paletteuse": "debug_accuracy"]

    /// Before the filters are configured.
    static func check(_ filter: UnsafeMutablePointer<AVFilterContext>) throws(LibavError) {
        guard filter.pointee.filter.pointee.priv_class != nil else { return }
        let name = String(cString: filter.pointee.filter.pointee.name)
        var isOn: Int64 = 0
        if let option = selfTests[name], av_opt_get_int(filter.pointee.priv, option, 0, &isOn) >= 0, isOn != 0 {
            throw refusal("\(name): \(option) tests the filter itself, which takes too long; leave it out")
        }
        for option in ["sample_rate", "sample_rates", "osr", "out_sample_rate"] {
            var text: UnsafeMutablePointer<UInt8>?
            guard av_opt_get(filter.pointee.priv, option, AV_OPT_SEARCH_CHILDREN, &text) >= 0, let text else { continue }
            defer { av_free(text) }
            let rates = String(cString: text).utf8.split { !$0.isASCIIDigit }.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            guard rates.contains(where: { $0 > 0 && !sampleRates.contains($0) }) else { continue }
            throw refusal("\(name): \(option) must be from \(sampleRates.lowerBound) to \(sampleRates.upperBound)")
        }
    }

    /// They write a line too many where a picture's height is not one of whole fields.
    private static let byFields: Set<String> = ["kerndeint"]
    /// They count lines of chroma for each picture, rounded up, and not for the whole.
    private static let sideBySide: Set<String> = ["hstack", "vstack", "xstack", "tile", "framepack"]

    /// bwdif reads lines before and behind a plane that has fewer; blurdetect and edgedetect write so many lines
    /// and columns of a buffer that is as large as a plane; vaguedenoiser never ends, and varblur divides by zero.
    private static let leastPlanes: [String: (width: Int32, height: Int32)] = [
        "bwdif": (1, 7), "blurdetect": (4, 4), "edgedetect": (4, 4),
        "vaguedenoiser": (3, 3), "varblur": (2, 2),
    ]

    /// signature divides each picture into 32 by 32 parts, and by their size.
    private static let leastFrames: [String: (width: Int32, height: Int32)] = ["signature": (32, 32)]

    /// gblur, on processors with AVX2 and no more, writes behind a buffer of one pixel.
    private static let leastPixels: [String: Int64] = ["gblur": 4]

    /// It divides by half of its width (FFmpeg 7.1).
    private static let leastSources: [String: Int32] = ["zoneplate": 2]

    /// After the filters are configured, before the first frame.
    static func check(_ link: UnsafeMutablePointer<AVFilterLink>) throws(LibavError) {
        let name = String(cString: link.pointee.dst.pointee.filter.pointee.name)
        let (width, height) = (link.pointee.w, link.pointee.h)
        let source = String(cString: link.pointee.src.pointee.filter.pointee.name)
        if let least = leastSources[source], width < least {
            throw refusal("\(source): its pictures must be at least \(least) wide")
        }
        if byFields.contains(name), height % 4 != 0 || height < 8 {
            throw refusal("\(name): the height, \(height), must be a multiple of 4, and at least 8")
        }
        if let least = leastPlanes[name] { try check(link, least, by: name) }
        if let least = leastFrames[name], width < least.width || height < least.height {
            throw refusal("\(name): pictures of \(width)x\(height) must be at least \(least.width)x\(least.height)")
        }
        if let least = leastPixels[name], Int64(width) * Int64(height) < least {
            throw refusal("\(name): pictures of \(width)x\(height) must have at least \(least) pixels")
        }
        if sideBySide.contains(name), let format = av_pix_fmt_desc_get(AVPixelFormat(link.pointee.format)) {
            let (across, down) = (Int32(1) << format.pointee.log2_chroma_w, Int32(1) << format.pointee.log2_chroma_h)
            if width % across != 0 || height % down != 0 {
                throw refusal("\(name): pictures of \(width)x\(height) must be multiples of \(across)x\(down) in this format")
            }
        }
    }

    /// Every plane must be that large.
    private static func check(
        _ link: UnsafeMutablePointer<AVFilterLink>, _ least: (width: Int32, height: Int32), by filter: String
    ) throws(LibavError) {
        guard let format = av_pix_fmt_desc_get(AVPixelFormat(link.pointee.format))?.pointee else { return }
        let hasChroma = format.nb_components > 2
        let (across, down) = hasChroma ? (Int32(format.log2_chroma_w), Int32(format.log2_chroma_h)) : (0, 0)
        // A part of a sample of chroma is a whole one.
        let (width, height) = (((least.width - 1) << across) + 1, ((least.height - 1) << down) + 1)
        guard link.pointee.w < width || link.pointee.h < height else { return }
        throw refusal("\(filter): pictures of \(link.pointee.w)x\(link.pointee.h) must be at least \(width)x\(height) in this format")
    }

    static func refusal(_ reason: String, option: String? = nil) -> LibavError {
        .invalid(reason, option: option)
    }
}
