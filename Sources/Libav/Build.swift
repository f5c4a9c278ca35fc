internal import CLibav

/// What the libav that is loaded says about itself.
package enum Build {
    package static var ffmpegVersion: String { String(cString: av_version_info()) }

    /// "59.37.100" by "libavcodec"; of the libraries loaded, not of the headers.
    package static var libraryVersions: [String: String] {
        var versions = [
            "libavutil": avutil_version(), "libavcodec": avcodec_version(),
            "libavformat": avformat_version(), "libavfilter": avfilter_version(), "libswscale": swscale_version(),
            "libswresample": swresample_version(),
        ]
        versions["libavdevice"] = DeviceLibrary.version
        return versions.mapValues { "\($0 >> 16).\($0 >> 8 & 0xff).\($0 & 0xff)" }
    }

    /// Muxers of one codec refuse all others: since FFmpeg 7.
    static var refusesRelatedCodecs: Bool { avformat_version() >> 16 >= 61 }

    /// Protocols that can be written to.
    package static var outputProtocols: [String] {
        var names: [String] = []
        var state: UnsafeMutableRawPointer?
        while let next = avio_enum_protocols(&state, 1) { names.append(String(cString: next)) }
        return names
    }
}
