import Libav

/// What one release of FFmpeg can do and another can't, of what clients ask for.
public struct ReleaseFeatures: Sendable {
    /// mp4 and mov take `movflags=hybrid_fragmented`: until such a file is ended it can be read up to its last
    /// fragment.
    public let hasHybridFragments: Bool
    /// The codecs that there are encoders for and that FLV, and so RTMP, takes, by name and sorted: hevc, av1 and vp9
    /// by enhanced RTMP.
    public let flvCodecs: [String]

    init() {
        let mp4 = OutputFormat(named: "mp4")?.privateOptions.first { $0.name == "movflags" }
        hasHybridFragments = mp4?.choices.contains { $0.name == "hybrid_fragmented" } ?? false
        guard let flv = OutputFormat(named: "flv") else {
            flvCodecs = []
            return
        }
        let codecs = (Codec.all(.audio) + Codec.all(.video)).filter { flv.holds($0) }
        flvCodecs = Set(codecs.map(\.codecName)).sorted()
    }
}
