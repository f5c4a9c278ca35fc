internal import CLibav

/// What `ffmpeg -h muxer=` says beyond what choosing a muxer needs.
extension OutputFormat {
    /// All muxers and output devices. Of two with one name (matroska for video, for audio) the
    /// first, which is the one the name stands for.
    package static var all: [OutputFormat] {
        DeviceLibrary.register()
        var names: Set<String> = []
        var formats: [OutputFormat] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_muxer_iterate(&state).map({ OutputFormat($0) }) {
            if names.insert(next.name).inserted { formats.append(next) }
        }
        return formats
    }

    package var isDevice: Bool { clibav_is_output_device(pointer) != 0 }
    package var longName: String { pointer.pointee.long_name.map { String(cString: $0) } ?? "" }

    package var privateOptions: [Option] {
        OptionClass(pointer.pointee.priv_class)?.options(for: .muxing) ?? []
    }

    /// Whether a container can have a codec in it, as far as it says so itself.
    package func holds(_ codec: Codec) -> Bool {
        avformat_query_codec(pointer, codec.pointer.pointee.id, FF_COMPLIANCE_NORMAL) == 1
    }

    /// The options every muxer has.
    package static var genericOptions: [Option] {
        // Not the classes below it: those are all muxers and demuxers there are.
        OptionClass(avformat_get_class())?.own(for: .muxing) ?? []
    }
}
