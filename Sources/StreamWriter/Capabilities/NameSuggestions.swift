import Bytewise
import Libav

/// Names a mistyped one may have stood for.
enum NameSuggestions {
    static let limit = 10

    /// The names that contain `name` or differ from it by few letters, nearest first.
    static func of(_ name: String, in names: [String]) -> [String] {
        // Nothing that long is a name mistyped.
        if name.utf8.count > 100 { return [] }
        let lower = name.lowercasedASCII
        let scored = names.compactMap { candidate -> (score: Int, name: String)? in
            let distance = lower.editDistance(to: candidate.lowercasedASCII)
            if candidate.lowercasedASCII.holds(lower) { return (distance / 4, candidate) }
            return distance <= max(2, lower.utf8.count / 3) ? (distance, candidate) : nil
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(limit).map(\.name)
    }

    /// Encoders and codecs; those that need hardware only where there is no other.
    static func encoders(like name: String, _ media: Codec.Media) -> [String] {
        let codecs = Codec.all(media)
        let others = codecs.filter { !$0.isHardware }.flatMap { [$0.name, $0.codecName] }
        let found = of(name, in: Array(Set(others)))
        if let (known, codec) = meant(by: name), codec.media == media {
            let meant = codec.name.isSame(as: known) ? [known] : [known, codec.name]
            return meant + found.filter { !meant.contains($0) }
        }
        return found.isEmpty ? of(name, in: codecs.map(\.name)) : found
    }

    /// libav's name for it, in whatever letters, with points and dashes or without, or by another name that codecs go by.
    private static func meant(by name: String) -> (known: String, codec: Codec)? {
        if name.utf8.count > 100 { return nil }
        let lower = name.lowercasedASCII
        let plain = lower.words(at: [".", "-", " "]).joined()
        return [lower, plain, otherNames[plain]].lazy.compactMap { known in known.flatMap { known in Codec(named: known).map { (known, $0) } } }.first
    }

    /// Names of standards, of files and of other programs' encoders.
    private static let otherNames = [
        "aaclc": "aac", "alaw": "pcm_alaw", "avc": "h264", "avc1": "h264", "av01": "av1", "divx": "mpeg4", "dnxhr": "dnxhd",
        "g711": "pcm_mulaw", "g711a": "pcm_alaw", "g711u": "pcm_mulaw", "h265": "hevc", "hev1": "hevc", "hvc1": "hevc", "j2k": "jpeg2000",
        "jpeg": "mjpeg", "jpg": "mjpeg", "lame": "mp3", "m4a": "aac", "mp4a": "aac", "mp4v": "mpeg4", "mpeg1": "mpeg1video", "mpeg2": "mpeg2video",
        "mulaw": "pcm_mulaw", "ogg": "vorbis", "pcm": "pcm_s16le", "raw": "rawvideo", "svtav1": "libsvtav1", "ulaw": "pcm_mulaw", "wav": "pcm_s16le",
        "wma": "wmav2", "x264": "h264", "x265": "hevc", "xvid": "mpeg4",
    ]  // ASCII

    /// The encoder that was probably meant.
    static func encoder(like name: String, _ media: Codec.Media) -> String? {
        if let meant = meant(by: name)?.codec, meant.media == media { return meant.name }
        let names = Codec.all(media).filter { !$0.isHardware }.flatMap { [$0.name, $0.codecName] }
        return name.nearest(among: Set(names).sorted())
    }

    /// The same, be it of sound or of pictures.
    static func encoder(like name: String) -> String? {
        if let meant = meant(by: name)?.codec, meant.media != .other { return meant.name }
        let names = Set([.audio, .video].flatMap { Codec.all($0).filter { !$0.isHardware } }.map(\.name)).sorted()
        return name.nearest(among: names) ?? of(name, in: names).first
    }

    // MARK: Formats

    /// The muxer that was probably meant: by the extension of its files, by another name, by its spelling.
    static func muxer(like name: String) -> String? {
        let lower = name.shortened().lowercasedASCII
        if let known = otherMuxers[lower.lettersOnly], OutputFormat(named: known) != nil { return known }
        let isExtension = !lower.isEmpty && lower.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit }
        if isExtension, let muxer = OutputFormat(forFile: "a.\(lower)") { return muxer.name }
        return lower.nearest(among: OutputFormat.names)
    }

    private static let otherMuxers = [
        "mp": "mp4", "mkv": "matroska", "mka": "matroska", "aac": "adts", "ts": "mpegts", "mpeg2ts": "mpegts", "m2ts": "mpegts", "rtmp": "flv", "rtmps": "flv", "srt": "mpegts",
        "m3u8": "hls", "mpd": "dash", "cmaf": "mp4", "fmp4": "mp4", "mpeg4": "mp4", "m4v": "mp4", "m4a": "ipod", "opus": "opus", "vorbis": "ogg", "wave": "wav",
        "pcm": "s16le", "raw": "rawvideo", "jpg": "mjpeg", "jpeg": "mjpeg", "png": "image2", "quicktime": "mov", "yuv4mpeg": "yuv4mpegpipe", "y4m": "yuv4mpegpipe",
    ]  // ASCII

    /// The pixel format that was probably meant.
    static func pixelFormat(like name: String) -> String? {
        let lower = name.shortened().lowercasedASCII
        return otherPixels[lower.lettersOnly].flatMap { PixelFormat(name: $0) == nil ? nil : $0 } ?? lower.nearest(among: PixelFormat.layoutNames)
    }

    private static let otherPixels = [
        "rgb": "rgb24", "rgb888": "rgb24", "bgr": "bgr24", "bgr888": "bgr24", "uint8": "rgb24", "u8": "rgb24", "grey": "gray", "grayscale": "gray", "greyscale": "gray",
        "mono": "gray", "l": "gray", "y": "gray", "y8": "gray", "gray16": "gray16le", "i420": "yuv420p", "yuv": "yuv420p", "yuv420": "yuv420p", "yv12": "yuv420p",
        "yuv422": "yuv422p", "yuv444": "yuv444p", "yuy2": "yuyv422", "yuyv": "yuyv422", "uyvy": "uyvy422", "p010": "p010le", "rgb48": "rgb48le",
        "rgba32": "rgba", "rgba8888": "rgba", "rgb32f": "gbrpf32le", "rgbf": "gbrpf32le", "float32": "gbrpf32le", "float": "gbrpf32le",
    ]  // ASCII

    // MARK: Options

    static func option(like name: String, of codec: Codec) -> String? {
        name.nearest(among: (codec.privateOptions + codec.genericOptions).map(\.name))
    }

    static func option(like name: String, of format: OutputFormat) -> String? {
        name.nearest(among: (format.privateOptions + OutputFormat.genericOptions).map(\.name))
    }

    private static let commonMuxers = ["mp4", "mov", "matroska", "webm", "mpegts", "hls", "dash", "flv", "ogg", "wav", "mp3"]

    /// A few muxers that have an option of this name of their own, those most used first; none of an option that all have.
    static func muxers(withOption name: String) -> [String] {
        let having = OutputFormat.all.filter { format in format.privateOptions.contains { $0.name.isSame(as: name) } }.map(\.name).sorted()
        let common = commonMuxers.filter(having.contains)
        return Array((common + having.filter { !common.contains($0) }).prefix(4))
    }

    /// Of the first filter in a description that there is none of, or whose option there is none of.
    static func filterName(in description: String) -> (written: String, meant: String)? {
        guard let uses = (try? FilterDescription(description))?.uses else { return nil }
        for use in uses {
            guard let table = OptionTable.filter(use.filter) else {
                return use.filter.nearest(among: Filter.all.map(\.name)).map { (use.filter, $0) }
            }
            let names = (table.entries + OptionTable.filters.entries).map(\.name)
            for option in (try? use.options()) ?? [] where !names.contains(where: { $0.isSame(as: option.name) }) {
                return option.name.nearest(among: names).map { (option.name, $0) }
            }
        }
        return nil
    }
}
