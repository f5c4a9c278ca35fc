internal import CLibav

/// What `ffmpeg -h encoder=` says beyond what choosing an encoder needs.
extension Codec {
    package static func all(_ media: Media) -> [Codec] {
        var codecs: [Codec] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_codec_iterate(&state) {
            let codec = Codec(next)
            if av_codec_is_encoder(next) != 0 && codec.media == media { codecs.append(codec) }
        }
        return codecs
    }

    package var longName: String { pointer.pointee.long_name.map { String(cString: $0) } ?? "" }

    /// Of what it makes: "h264" for libx264.
    package var codecName: String { String(cString: avcodec_get_name(pointer.pointee.id)) }

    /// Backed by hardware, or maybe so.
    package var isHardware: Bool {
        pointer.pointee.capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID) != 0
    }

    /// FFmpeg's words for its capabilities, in FFmpeg's order. What only a decoder has is left out.
    package var capabilityNames: [String] {
        let threads = AV_CODEC_CAP_FRAME_THREADS | AV_CODEC_CAP_SLICE_THREADS | AV_CODEC_CAP_OTHER_THREADS
        return names([
            (AV_CODEC_CAP_DR1, "dr1"), (AV_CODEC_CAP_DELAY, "delay"),
            (AV_CODEC_CAP_SMALL_LAST_FRAME, "small"), (AV_CODEC_CAP_EXPERIMENTAL, "exp"),
            (AV_CODEC_CAP_CHANNEL_CONF, "chconf"), (AV_CODEC_CAP_PARAM_CHANGE, "paramchange"),
            (AV_CODEC_CAP_VARIABLE_FRAME_SIZE, "variable"), (threads, "threads"),
            (AV_CODEC_CAP_AVOID_PROBING, "avoidprobe"), (AV_CODEC_CAP_HARDWARE, "hardware"),
            (AV_CODEC_CAP_HYBRID, "hybrid"),
        ])
    }

    package var threading: [String] {
        names([
            (AV_CODEC_CAP_FRAME_THREADS, "frame"), (AV_CODEC_CAP_SLICE_THREADS, "slice"),
            (AV_CODEC_CAP_OTHER_THREADS, "other"),
        ])
    }

    private func names(_ words: [(bits: Int32, name: String)]) -> [String] {
        words.filter { pointer.pointee.capabilities & $0.bits != 0 }.map(\.name)
    }

    package var hardwareDevices: [String] {
        var devices: [String] = []
        var index: Int32 = 0
        while let config = avcodec_get_hw_config(pointer, index) {
            if let name = av_hwdevice_get_type_name(config.pointee.device_type) {
                devices.append(String(cString: name))
            }
            index += 1
        }
        return devices
    }

    package var privateOptions: [Option] {
        OptionClass(pointer.pointee.priv_class)?.options(for: .encoding(media)) ?? []
    }

    /// The names that an option takes for values; none where it takes any, or libav does not list them.
    package func choices(of option: String) -> [String] {
        if let own = privateOptions.first(where: { $0.name == option }) { return own.choices.map(\.name) }
        let constants = privateConstants(of: option)
        // Of what other codecs have of these, an encoder says nothing.
        if !constants.isEmpty || ["profile", "level"].contains(option) { return constants }
        return genericOptions.first { $0.name == option }?.choices.map(\.name) ?? []
    }

    /// An encoder's own names for values of an option that all have: aac's profiles.
    private func privateConstants(of option: String) -> [String] {
        guard let own = OptionClass(pointer.pointee.priv_class)?.alone, let all = OptionClass(avcodec_get_class())?.alone,
            let unit = all.entries.first(where: { String(cString: $0.pointee.name) == option })?.pointee.unit
        else { return [] }
        return own.entries.filter { OptionType($0) == .constant && $0.pointee.unit.map { String(cString: $0) == String(cString: unit) } == true }
            .map { String(cString: $0.pointee.name) }
    }

    /// Of an option that is a number within bounds of its own.
    package func bounds(of option: String) -> (lowest: String, highest: String)? {
        guard let found = (privateOptions + genericOptions).first(where: { $0.name == option }), let lowest = found.minimum, let highest = found.maximum
        else { return nil }
        func text(_ bound: Double) -> String { Int(exactly: bound).map(String.init) ?? String(bound) }
        return (text(lowest), text(highest))
    }

    /// The options every encoder of this kind has, with the defaults this one starts from.
    package var genericOptions: [Option] {
        var context = avcodec_alloc_context3(pointer)
        defer { avcodec_free_context(&context) }
        // Not the classes below it: those are all encoders and decoders there are.
        return OptionClass(avcodec_get_class())?.own(for: .encoding(media), defaultsIn: context) ?? []
    }
}
