internal import CLibav

/// An encoder libav was built with, and what it takes. An empty list is "anything".
package struct Codec: @unchecked Sendable {
    // Unchecked: points at libav's static tables, which never change.
    let pointer: UnsafePointer<AVCodec>

    package enum Media: Sendable { case audio, video, other }

    init(_ pointer: UnsafePointer<AVCodec>) { self.pointer = pointer }

    /// By encoder name ("libx264"), or by codec name ("h264") for its default encoder.
    package init?(named name: String) {
        if let pointer = avcodec_find_encoder_by_name(name) {
            self.init(pointer)
        } else if let descriptor = avcodec_descriptor_get_by_name(name),
            let pointer = avcodec_find_encoder(descriptor.pointee.id)
        {
            self.init(pointer)
        } else {
            return nil
        }
    }

    /// The codec's default encoder, where this one is experimental and that is not.
    package var settled: Codec {
        guard isExperimental, let pointer = avcodec_find_encoder(pointer.pointee.id) else { return self }
        let usual = Codec(pointer)
        return usual.isExperimental ? self : usual
    }

    package var name: String { String(cString: pointer.pointee.name) }

    package var media: Media {
        switch pointer.pointee.type {
        case AVMEDIA_TYPE_AUDIO: .audio
        case AVMEDIA_TYPE_VIDEO: .video
        default: .other
        }
    }

    package var pixelFormats: [PixelFormat] {
        Self.list(clibav_pixel_formats(pointer)) { $0 == AV_PIX_FMT_NONE }.map(PixelFormat.init)
    }

    package var audioFormats: [AudioFormat] {
        Self.list(clibav_sample_formats(pointer)) { $0 == AV_SAMPLE_FMT_NONE }.map(AudioFormat.init)
    }

    package var sampleRates: [Int] {
        switch pointer.pointee.id {
        // These take one rate but do not list it.
        case AV_CODEC_ID_ADPCM_G722: [16_000]
        case AV_CODEC_ID_GSM, AV_CODEC_ID_GSM_MS, AV_CODEC_ID_G723_1, AV_CODEC_ID_AMR_NB,
            AV_CODEC_ID_ADPCM_G726, AV_CODEC_ID_ADPCM_G726LE:
            [8_000]
        case AV_CODEC_ID_ADPCM_IMA_AMV, AV_CODEC_ID_ROQ_DPCM: [22_050]
        // Or these.
        case AV_CODEC_ID_ADPCM_SWF: [11_025, 22_050, 44_100]
        case AV_CODEC_ID_NELLYMOSER: [8_000, 11_025, 16_000, 22_050, 44_100]
        default: Self.list(clibav_sample_rates(pointer)) { $0 == 0 }.map(Int.init)
        }
    }

    package var channelLayouts: [ChannelLayout] {
        switch pointer.pointee.id {
        // As above: these take few channels but do not list them.
        case AV_CODEC_ID_ADPCM_G722, AV_CODEC_ID_GSM, AV_CODEC_ID_GSM_MS, AV_CODEC_ID_G723_1,
            AV_CODEC_ID_AMR_NB, AV_CODEC_ID_ADPCM_IMA_AMV:
            [ChannelLayout(channels: 1)]
        case AV_CODEC_ID_VORBIS where name == "vorbis": [ChannelLayout(channels: 2)]
        case AV_CODEC_ID_S302M: [2, 4, 6, 8].map { ChannelLayout(channels: $0) }
        // RFC 7845, 5.1.1.2.
        case AV_CODEC_ID_OPUS where name == "libopus":
            ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"].compactMap { ChannelLayout(name: $0) }
        default:
            Self.list(clibav_channel_layouts(pointer)) { $0.nb_channels == 0 }.map(ChannelLayout.init)
        }
    }

    /// Of encoders that list no layouts, and yet do not take any number of channels.
    /// Of encoders that list no rates, and yet do not take all: from where on they take none.
    package var highestSampleRate: Int? { Self.rateBounds[name] }

    private static let rateBounds = ["flac": 655_350, "libvorbis": 200_000, "wmav1": 48_000, "wmav2": 48_000]

    package var mostChannels: Int? { channelLayouts.isEmpty ? Self.channelBounds[name] : nil }

    private static let channelBounds = [
        "flac": 8, "wmav1": 2, "wmav2": 2, "adpcm_swf": 2, "adpcm_adx": 2, "roq_dpcm": 2, "sonic": 2, "sonicls": 2,
        "g726": 1, "g726le": 1,
    ]

    package var frameRates: [Fraction] {
        let rates = Self.list(clibav_frame_rates(pointer)) { $0.den == 0 }.map(Fraction.init)
        // After MPEG-1's own eight it lists some that it only takes when told to be lax.
        return pointer.pointee.id == AV_CODEC_ID_MPEG1VIDEO ? Array(rates.prefix(8)) : rates
    }

    package var isExperimental: Bool { has(AV_CODEC_CAP_EXPERIMENTAL) }
    /// Takes audio frames of any length.
    package var takesAnyFrameSize: Bool { has(AV_CODEC_CAP_VARIABLE_FRAME_SIZE) }
    /// Gives the frame's bytes as they are.
    package var isRawVideo: Bool { pointer.pointee.id == AV_CODEC_ID_RAWVIDEO }

    /// What it is given comes back as it was.
    package var isLossless: Bool {
        guard let properties = avcodec_descriptor_get(pointer.pointee.id)?.pointee.props else { return false }
        // WavPack's format has a lossy mode, which its encoder has not.
        return properties & AV_CODEC_PROP_LOSSLESS != 0
            && (properties & AV_CODEC_PROP_LOSSY == 0 || pointer.pointee.id == AV_CODEC_ID_WAVPACK)
    }

    /// Each of its pictures can be decoded by itself.
    package var isIntraOnly: Bool {
        avcodec_descriptor_get(pointer.pointee.id).map { $0.pointee.props & AV_CODEC_PROP_INTRA_ONLY != 0 } ?? false
    }

    private func has(_ capability: Int32) -> Bool { pointer.pointee.capabilities & capability != 0 }

    private static func list<T>(_ start: UnsafePointer<T>?, isEnd: (T) -> Bool) -> [T] {
        guard var next = start else { return [] }
        var values: [T] = []
        while !isEnd(next.pointee) {
            values.append(next.pointee)
            next += 1
        }
        return values
    }

    /// Names of all encoders of a kind.
    package static func names(of media: Media) -> [String] {
        var names: [String] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_codec_iterate(&state) {
            guard av_codec_is_encoder(next) != 0 else { continue }
            let codec = Codec(next)
            if codec.media == media { names.append(codec.name) }
        }
        return names
    }
}
