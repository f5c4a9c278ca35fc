internal import CLibav

// Filters that choose their formats late.
extension KnownFaults {
    /// What comes out of them follows from what comes in, which they wait for while it may be of several kinds. Since
    /// FFmpeg 7 libav crashes where it has to put a scaler before one that waits.
    private static let waiting: Set<String> = ["extractplanes", "histogram", "thistogram", "vectorscope", "waveform"]

    /// They give what they are given, whatever it is.
    private static let passing: Set<String> = [
        "copy", "crop", "fps", "hflip", "loop", "null", "realtime", "reverse", "select", "setdar", "setpts", "setsar", "settb", "split",
        "trim", "vflip",
    ]

    /// All that wait take these as they are.
    private static let takenByAll: Set<String> = ["gbrp", "yuv420p", "yuv422p", "yuv444p", "yuva420p", "yuva444p"]

    /// Before the filters are configured.
    static func checkFormats(before filter: UnsafeMutablePointer<AVFilterContext>) throws(LibavError) {
        let name = String(cString: filter.pointee.filter.pointee.name)
        guard avfilter_version() >> 16 >= 10, waiting.contains(name) else { return }
        for index in 0..<Int(filter.pointee.nb_inputs) {
            guard let link = filter.pointee.inputs[index], let source = link.pointee.src else { continue }
            let isNext = !passing.contains(String(cString: source.pointee.filter.pointee.name))
            if let format = format(of: source), takenByAll.contains(format) || isNext && isChosen(format, by: name) { continue }
            throw .invalid(
                "\(name) with FFmpeg 7: a format that it takes must be right before it, as format=gbrp,\(name) or format=yuv444p,\(name)")
        }
    }

    /// Where no other format may come, those with which it does not wait.
    private static func isChosen(_ name: String, by filter: String) -> Bool {
        guard let format = av_pix_fmt_desc_get(av_get_pix_fmt(name))?.pointee else { return false }
        let depth = format.comp.0.depth
        if filter != "waveform" { return [8, 9, 10, 12].contains(depth) }
        // It compares with the first of its own.
        return depth == 8 && format.nb_components == 3
    }

    /// The one that comes out of a filter; nil: it may be any of several.
    private static func format(of filter: UnsafeMutablePointer<AVFilterContext>) -> String? {
        let name = String(cString: filter.pointee.filter.pointee.name)
        if passing.contains(name) {
            guard filter.pointee.nb_inputs == 1, let source = filter.pointee.inputs[0]?.pointee.src else { return nil }
            return format(of: source)
        }
        guard let option = ["buffer": "pix_fmt", "format": "pix_fmts"][name] else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        guard av_opt_get(filter.pointee.priv, option, 0, &text) >= 0, let text else { return nil }
        defer { av_free(text) }
        return String(cString: text)
    }
}
