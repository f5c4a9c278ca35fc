import Libav

extension OutputFormat {
    /// They write MP4 inside, where they write one.
    private static let wrappers: Set<String> = ["hls", "dash"]
    private static let mp4Family: Set<String> = ["3g2", "3gp", "f4v", "ipod", "ismv", "mov", "mp4", "psp"]

    /// The client's tag; without one `hvc1` for HEVC, as Apple's players refuse libav's default.
    func tag(_ name: String?, for codec: Codec) throws(StreamWriterError) -> CodecTag? {
        let container = Self.wrappers.contains(self.name) ? OutputFormat(named: "mp4") ?? self : self
        guard let name else {
            guard codec.codecName == "hevc", Self.mp4Family.contains(container.name) else { return nil }
            return CodecTag("hvc1").flatMap { container.takes($0, for: codec) ? $0 : nil }
        }
        guard let tag = CodecTag(name) else {
            throw StreamWriterError(
                .invalidParameter, "codec_tag must be four characters of ASCII, such as hvc1", parameter: "codec_tag")
        }
        guard container.hasCodecTags else {
            throw StreamWriterError(
                .unsupportedValue, "the format \(self.name) has no codec_tag", parameter: "codec_tag")
        }
        guard container.takes(tag, for: codec) else {
            throw StreamWriterError(
                .unsupportedValue, "the format \(self.name) does not take codec_tag \(name) for \(codec.codecName)",
                parameter: "codec_tag", supported: container.commonTags(for: codec))
        }
        return tag
    }
}
