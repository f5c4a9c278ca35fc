internal import CLibav

/// Four characters by which a container names a codec: "hvc1".
package struct CodecTag: Sendable, Hashable {
    let value: UInt32

    /// Nil of the value that stands for none.
    init?(value: UInt32) {
        if value == 0 { return nil }
        self.value = value
    }

    /// Nil unless it has four characters of ASCII that can be printed.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 4, bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        value = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    package var text: String {
        String(decoding: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }, as: UTF8.self)
    }

    /// Those in use, to suggest. libav can say whether it takes a tag, and not which it takes.
    fileprivate static let common = [
        "avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01", "vp09", "mp4v", "xvid", "XVID", "DIVX", "DX50", "FMP4", "MJPG", "mjpa", "H264",
        "apch", "apcn", "apcs", "apco", "ap4h", "ap4x", "xd5b", "m2v1", "mpg2", "mp4a", "ac-3", "ec-3", "Opus", "fLaC", "alac", "sowt", "twos",
    ].compactMap { CodecTag($0) }
}

extension OutputFormat {
    /// Whether it has tags for codecs at all.
    package var hasCodecTags: Bool { pointer.pointee.codec_tag != nil }

    package func takes(_ tag: CodecTag, for codec: Codec) -> Bool {
        av_codec_get_id(pointer.pointee.codec_tag, tag.value) == codec.pointer.pointee.id
    }

    package func commonTags(for codec: Codec) -> [String] { CodecTag.common.filter { takes($0, for: codec) }.map(\.text) }
}
