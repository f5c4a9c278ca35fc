internal import CLibav

/// A filter libav was built with.
package struct Filter: @unchecked Sendable {
    // Unchecked: points at libav's static tables, which never change.
    private let pointer: UnsafePointer<AVFilter>

    package enum Pad: String, Sendable {
        case audio, video, other
        /// As many more as its options say.
        case dynamic
    }

    package static var all: [Filter] {
        var filters: [Filter] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_filter_iterate(&state) { filters.append(Filter(pointer: next)) }
        return filters
    }

    package var name: String { String(cString: pointer.pointee.name) }
    package var description: String { pointer.pointee.description.map { String(cString: $0) } ?? "" }

    package var inputs: [Pad] {
        pads(pointer.pointee.inputs, output: false) + (has(AVFILTER_FLAG_DYNAMIC_INPUTS) ? [.dynamic] : [])
    }

    package var outputs: [Pad] {
        pads(pointer.pointee.outputs, output: true) + (has(AVFILTER_FLAG_DYNAMIC_OUTPUTS) ? [.dynamic] : [])
    }

    package var privateOptions: [Option] {
        OptionClass(pointer.pointee.priv_class)?.options(for: .filtering) ?? []
    }

    /// Can be switched on and off over time, with the option `enable`.
    package var takesEnable: Bool { has(AVFILTER_FLAG_SUPPORT_TIMELINE) }

    /// The options every filter has; `enable` only works where `takesEnable`.
    package static var genericOptions: [Option] {
        // Not the classes below it: those are all filters there are.
        OptionClass(avfilter_get_class())?.own(for: .filtering) ?? []
    }

    private func has(_ flag: Int32) -> Bool { pointer.pointee.flags & flag != 0 }

    private func pads(_ pads: OpaquePointer?, output: Bool) -> [Pad] {
        let count = avfilter_filter_pad_count(pointer, output ? 1 : 0)
        return (0..<Int32(count)).map { index in
            switch avfilter_pad_get_type(pads, index) {
            case AVMEDIA_TYPE_AUDIO: .audio
            case AVMEDIA_TYPE_VIDEO: .video
            default: .other
            }
        }
    }
}
