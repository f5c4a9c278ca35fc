import Bytewise

/// What an encoder's packets need so that a container takes them, when one encoder serves several. Encoders that keep
/// their headers apart ("global headers") serve those that want them there as they are; the others get the headers back
/// into the packets.
package enum BitstreamAdaption: Sendable, Equatable {
    /// They can be written as they are.
    case none
    /// They have to go through this bitstream filter.
    case filter(name: String, options: [String: String])
    /// The container wants the headers before the first packet, and this encoder has not told them: it has to be opened
    /// with global headers. Matroska refuses to begin without those of H.264 and HEVC; mp4, mov and flv write files that
    /// FFmpeg reads and others need not.
    case needsGlobalHeader

    package init(_ parameters: StreamParameters, in format: OutputFormat) {
        self.init(codec: parameters.codecName, hasGlobalHeader: parameters.hasGlobalHeader, in: format)
    }

    /// `codec` by its codec's name, "h264".
    package init(codec: String, hasGlobalHeader: Bool, in format: OutputFormat) {
        let isKeptApart = Self.keptApart.contains(codec)
        let format = format.opened
        switch (isKeptApart, hasGlobalHeader, format.hasPlaceForHeaders) {
        case (true, true, false) where !format.repeatsHeaders(of: codec): self = .filter(name: "dump_extra", options: ["freq": "keyframe"])
        case (true, false, true): self = .needsGlobalHeader
        default: self = .none
        }
    }

    /// Codecs whose encoders leave the headers out of their packets once they keep them apart. Of the others MPEG-1 and 2,
    /// MJPEG, VP8, VP9 and AV1 have them in their packets all the same; AAC, Vorbis, Opus, FLAC and Theora never have, and
    /// their muxers write them where they belong (adts before each packet). In front of a packet of those they would be
    /// read as a part of it.
    private static let keptApart: Set<String> = ["h264", "hevc", "mpeg4"]
}

extension OutputFormat {
    /// With the options that it has where none are given.
    fileprivate var opened: OutputFormat { segments == nil ? opened(with: [:]) : self }

    /// They hand packets to muxers that their options or names of files choose. Headers in both places do for all of those.
    private static let handingOn: Set<String> = ["fifo", "segment", "stream_segment,ssegment", "tee"]

    /// The muxer writes headers before the first packet, or the one of the files it writes does: hls of MPEG-TS says that
    /// it wants them, and has no place for them.
    fileprivate var hasPlaceForHeaders: Bool {
        if Self.handingOn.contains(name) { return false }
        return segments.flatMap { OutputFormat(named: $0) }?.wantsGlobalHeader ?? wantsGlobalHeader
    }

    /// MPEG-TS puts those of H.264 and HEVC before each key frame by itself, and leaves out those of MPEG-4.
    fileprivate func repeatsHeaders(of codec: String) -> Bool {
        let name = segments ?? self.name
        return name.isSame(as: "mpegts") && ["h264", "hevc"].contains(codec)
    }
}
