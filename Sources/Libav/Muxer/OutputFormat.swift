import Bytewise
internal import CLibav

/// A muxer or output device libav was built with.
package struct OutputFormat: @unchecked Sendable {
    // Unchecked: points at libav's static tables, which never change.
    let pointer: UnsafePointer<AVOutputFormat>
    /// Decides what image2 and segment write.
    private let fileName: String
    /// Of a muxer that writes files of another format: which, where its options say.
    package let segments: String?
    /// Others that take the same packets want headers apart from them.
    private var isBesideGlobalHeaders = false

    init(_ pointer: UnsafePointer<AVOutputFormat>, fileName: String = "", segments: String? = nil) {
        self.pointer = pointer
        self.fileName = fileName
        self.segments = segments
    }

    /// The same, for packets that these take, too.
    package func beside(_ others: [OutputFormat]) -> OutputFormat {
        var format = self
        format.isBesideGlobalHeaders = others.contains(where: \.wantsGlobalHeader)
        return format
    }

    /// The same, for a destination of this name.
    package func writing(_ fileName: String) -> OutputFormat { OutputFormat(pointer, fileName: fileName, segments: segments) }

    /// The same, opened with these options.
    package func opened(with option: [String: String]) -> OutputFormat {
        guard name.isSame(as: "hls"), let options = MuxerOptions(self, option) else { return self }
        return OutputFormat(pointer, fileName: fileName, segments: options.integer("hls_segment_type") == 0 ? "mpegts" : "mp4")
    }

    package init?(named name: String) {
        if let muxer = av_guess_format(name, nil, nil) {
            self.init(muxer)
            return
        }
        DeviceLibrary.register()
        guard let device = av_guess_format(name, nil, nil) else { return nil }
        self.init(device)
    }

    /// By a file name's extension.
    package init?(forFile name: String) {
        guard let pointer = av_guess_format(nil, name, nil) else { return nil }
        self.init(pointer)
    }

    package var name: String { String(cString: pointer.pointee.name) }

    package var extensions: [String] {
        guard let list = pointer.pointee.extensions else { return [] }
        return String(cString: list).parts(at: ",", omittingEmpty: true)
    }

    package var mimeType: String? { pointer.pointee.mime_type.map { String(cString: $0) } }

    /// Writes its destination itself, or is a device: has no byte stream of ours.
    package var opensItself: Bool { pointer.pointee.flags & AVFMT_NOFILE != 0 }
    package var wantsGlobalHeader: Bool { pointer.pointee.flags & AVFMT_GLOBALHEADER != 0 || isBesideGlobalHeaders }

    /// Packets have no times in it.
    package var ignoresTimes: Bool { pointer.pointee.flags & AVFMT_NOTIMESTAMPS != 0 }
    /// The time between packets may vary.
    package var allowsVariableRate: Bool { pointer.pointee.flags & AVFMT_VARIABLE_FPS != 0 }

    package var defaultAudioEncoder: Codec? { encoder(AVMEDIA_TYPE_AUDIO) }
    package var defaultVideoEncoder: Codec? { encoder(AVMEDIA_TYPE_VIDEO) }

    private func encoder(_ media: AVMediaType) -> Codec? {
        let id = av_guess_codec(pointer, nil, fileName, nil, media)
        guard id != AV_CODEC_ID_NONE else { return nil }
        return avcodec_find_encoder(id).map { Codec($0) }
    }

    /// Names of all muxers, then all output devices.
    package static var names: [String] {
        DeviceLibrary.register()
        var names: [String] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_muxer_iterate(&state) { names.append(String(cString: next.pointee.name)) }
        return names
    }
}
