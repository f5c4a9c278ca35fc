import Bytewise
internal import CLibav
import Threading

extension Encoder {
    /// As many threads as FFmpeg itself starts at most, or one for each processor where there are more.
    package static let mostThreads = max(16, Processors.count)

    /// Refuses more threads than `maxThreads`, wherever options ask for them; where the encoder would
    /// choose for itself it gets one for each processor, and where nobody asks the default, as far as it may and can
    /// have them. After the options, before the encoder is opened.
    static func boundThreads(
        _ settings: EncoderSettings, of context: UnsafeMutablePointer<AVCodecContext>
    ) throws(LibavError) {
        let most = settings.maxThreads
        let isAutomatic = context.pointee.thread_count == 0
        if isAutomatic || settings.options["threads"] == nil {
            let count = isAutomatic ? automatic(most) : Int(context.pointee.thread_count)
            context.pointee.thread_count = Int32(clamping: min(count, most, mostUnasked(context), MemoryLimit.threads))
        }
        try require(Int(context.pointee.thread_count), most, "threads")
        if context.pointee.thread_count > MemoryLimit.threads {
            throw .outOfMemory("starting \(context.pointee.thread_count) threads of the encoder \(settings.codec.name)")
        }
        guard context.pointee.codec.pointee.priv_class != nil, let own = context.pointee.priv_data else { return }
        for option in OptionClass(context.pointee.codec.pointee.priv_class)?.own(for: .encoding(settings.codec.media)) ?? [] {
            switch option.type {
            case "int" where option.name.holds("threads"):
                var count: Int64 = 0
                if av_opt_get_int(own, option.name, 0, &count) >= 0 { try require(Int(count), most, option.name) }
            case "dictionary": try boundThreads(inListOf: option.name, own, most)
            case "string" where option.name == "x264opts": try boundThreads(inX264Options: own, most)
            default: break
            }
        }
        try limitLibrary(settings.codec, own, try mostForMemory(settings) ?? most)
    }

    private static func automatic(_ most: Int) -> Int { min(most, Processors.count) }

    /// As many as the encoder works well with, where their number is not the client's choice.
    private static func mostUnasked(_ context: UnsafeMutablePointer<AVCodecContext>) -> Int {
        guard let codec = context.pointee.codec else { return 1 }
        // X265_MAX_FRAME_THREADS.
        if String(cString: codec.pointee.name) == "libx265" { return 16 }
        guard codec.pointee.capabilities & AV_CODEC_CAP_FRAME_THREADS != 0, context.pointee.thread_type & FF_THREAD_FRAME != 0 else { return .max }
        switch context.pointee.codec_id {
        // Of pictures that are encoded at the same time, none knows how large the one before has become.
        case AV_CODEC_ID_MJPEG where context.pointee.flags & AV_CODEC_FLAG_QSCALE == 0: return 1
        // Each with what the one before has left of its tables.
        case AV_CODEC_ID_HUFFYUV where usesContext(context), AV_CODEC_ID_FFVHUFF where usesContext(context): return 1
        // MAX_THREADS of FFmpeg's frame_thread_encoder.c.
        default: return 64
        }
    }

    private static func usesContext(_ context: UnsafeMutablePointer<AVCodecContext>) -> Bool {
        var value: Int64 = 0
        return context.pointee.flags & AV_CODEC_FLAG_PASS1 != 0
            || (av_opt_get_int(context.pointee.priv_data, "context", 0, &value) >= 0 && value > 0)
    }

    /// How the libraries behind encoders call a number of threads, in lists of their own options.
    private static let listed: Set<String> = ["threads", "lookahead-threads", "frame-threads", "lp", "pools", "numa-pools"]

    /// By the list as libav has read it: what is changed in it is what the library will get.
    private static func boundThreads(
        inListOf option: String, _ own: UnsafeMutableRawPointer, _ most: Int
    ) throws(LibavError) {
        var list: OpaquePointer?
        guard av_opt_get_dict_val(own, option, 0, &list) >= 0, list != nil else { return }
        defer { av_dict_free(&list) }
        var changed = false
        for (key, value) in entries(of: list) where listed.contains(normalized(key)) {
            let count = try threads(value, most, "\(option).\(key)", option)
            if count == nil {
                av_dict_set(&list, key, String(automatic(most)), 0)
                changed = true
            }
        }
        if changed { try check(av_opt_set_dict_val(own, option, list, 0), "bounding the threads in \(option)") }
    }

    /// x264's older list, which libav reads by itself: "threads=4:sliced-threads".
    private static func boundThreads(inX264Options own: UnsafeMutableRawPointer, _ most: Int) throws(LibavError) {
        let option = "x264opts"
        var text: UnsafeMutablePointer<UInt8>?
        guard av_opt_get(own, option, 0, &text) >= 0, let text else { return }
        defer { av_free(text) }
        for item in String(cString: text).parts(at: ":", omittingEmpty: true) {
            let parts = item.parts(at: "=", most: 2)
            guard parts.count == 2, listed.contains(normalized(parts[0])) else { continue }
            guard try threads(parts[1], most, "\(option).\(parts[0])", option) == nil else { continue }
            throw LibavError(
                code: clibav_error_invalid, doing: "\(parts[0]) must be a number from 1 to \(most)", option: option)
        }
    }

    /// Encoders that start a thread for each processor unless they are told otherwise.
    private static func limitLibrary(_ codec: Codec, _ own: UnsafeMutableRawPointer, _ most: Int) throws(LibavError) {
        guard most < Processors.count else { return }
        let (option, key) = switch codec.name {
        case "libx265": ("x265-params", "pools")
        case "libsvtav1": ("svtav1-params", "lp")
        default: ("", "")
        }
        if option.isEmpty { return }
        var list: OpaquePointer?
        guard av_opt_get_dict_val(own, option, 0, &list) >= 0 else { return }
        defer { av_dict_free(&list) }
        if entries(of: list).contains(where: { normalized($0.key) == key || normalized($0.key) == "numa-pools" }) { return }
        av_dict_set(&list, key, String(most), 0)
        try check(av_opt_set_dict_val(own, option, list, 0), "bounding the threads of \(codec.name)")
    }

    /// The threads that a value asks for: a number, or several that are added up ("4,4"); nil when it
    /// leaves the choice to the library.
    private static func threads(
        _ value: String, _ most: Int, _ name: String, _ option: String
    ) throws(LibavError) -> Int? {
        let parts = value.parts(at: ",")
        let counts = parts.compactMap { part -> Int? in
            // No pool of threads at all.
            if ["none", "-"].contains(part) { return 1 }
            let digits = String(decoding: part.utf8.drop { $0 == 0x20 }.prefix(while: \.isASCIIDigit), as: UTF8.self)
            return Int(digits) ?? (digits.isEmpty ? nil : .max)
        }
        let sum = counts.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
        try require(sum, most, option, name)
        return counts.count < parts.count || counts.contains(0) ? nil : sum
    }

    private static func require(_ count: Int, _ most: Int, _ option: String, _ name: String? = nil) throws(LibavError) {
        guard count > most else { return }
        var error = LibavError(
            code: clibav_error_invalid,
            doing: "\(name.map { "\($0): " } ?? "")\(count) threads are more than the \(most) threads a writer may have",
            option: option)
        error.excess = .init(limit: most)
        throw error
    }

    /// x264 and x265 take "_" for "-".
    private static func normalized(_ key: String) -> String { key.parts(at: "_").joined(separator: "-") }

    private static func entries(of list: OpaquePointer?) -> [(key: String, value: String)] {
        var found: [(String, String)] = []
        var entry: UnsafePointer<AVDictionaryEntry>?
        while let next = UnsafePointer(av_dict_get(list, "", entry, AV_DICT_IGNORE_SUFFIX)) {
            found.append((String(cString: next.pointee.key), String(cString: next.pointee.value)))
            entry = next
        }
        return found
    }
}
