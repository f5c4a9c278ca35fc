import Bytewise
import Libav

/// Names a mistyped one may have stood for.
enum NameSuggestions {
    static let limit = 10

    /// The names that contain `name` or differ from it by few letters, nearest first.
    static func of(_ name: String, in names: [String]) -> [String] {
        // Nothing that long is a name mistyped.
        if name.utf8.count > 100 { return [] }
        let wanted = Array(name.lowercasedASCII.utf8)
        let scored = names.compactMap { candidate -> (score: Int, name: String)? in
            let letters = Array(candidate.lowercasedASCII.utf8)
            let distance = editDistance(wanted, letters)
            if candidate.lowercasedASCII.holds(name.lowercasedASCII) { return (distance / 4, candidate) }
            return distance <= max(2, wanted.count / 3) ? (distance, candidate) : nil
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

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                row.append(min(previous[j + 1] + 1, row[j] + 1, previous[j] + (x == y ? 0 : 1)))
            }
            previous = row
        }
        return previous[b.count]
    }
}
