import Bytewise
import Libav

/// How often an open writer asks the encoder of a video stream for a key frame, so that segments are as long as the
/// muxer was told to make them.
public struct KeyFrameSpacing: Sendable, Equatable {
    public let seconds: Double
    /// The muxer's option that says so, or whose default it is: "hls_time".
    public let option: String
}

/// Muxers begin a segment at the first key frame from a time on, and so can't end one while none comes. The pictures
/// that are to be key frames, as `-force_key_frames expr:gte(t,n_forced*4)` of FFmpeg's command line has them.
struct SegmentKeyFrames {
    let spacing: KeyFrameSpacing
    private let microseconds: Int64
    private let counting: Counting
    private var origin: Int64?
    private var reached: Int128 = -1

    /// What the muxer counts a segment's time from.
    private enum Counting { case zero, firstPicture, segmentStart }

    private static let muxers: [(muxer: String, option: String, counting: Counting)] = [
        ("hls", "hls_time", .firstPicture), ("dash", "seg_duration", .segmentStart), ("segment", "segment_time", .zero),
        ("stream_segment,ssegment", "segment_time", .zero), ("stream_segment", "segment_time", .zero),
        ("smoothstreaming", "min_frag_duration", .firstPicture), ("hds", "min_frag_duration", .firstPicture),
    ]

    /// Nil where the muxer makes no segments, or not by this time.
    init?(of format: OutputFormat, _ option: [String: String]) {
        guard let row = Self.muxers.first(where: { $0.muxer.isSame(as: format.name) }), let options = MuxerOptions(format, option),
            !Self.cutsOtherwise(options, option)
        else { return nil }
        microseconds = options.integer(row.option)
        guard microseconds > 0 else { return nil }
        spacing = KeyFrameSpacing(seconds: Double(microseconds) / 1_000_000, option: row.option)
        counting = row.counting
    }

    private static func cutsOtherwise(_ options: borrowing MuxerOptions, _ option: [String: String]) -> Bool {
        options.has("split_by_time", in: "hls_flags") || option["segment_times"] != nil || option["segment_frames"] != nil
            || options.integer("break_non_keyframes") != 0 || options.integer("segment_atclocktime") != 0
    }

    /// Whether the client has said where key frames are.
    static func areSet(in settings: EncoderSettings) -> Bool {
        if settings.gopSize != nil { return true }
        return settings.options.contains { name, value in
            if ["g", "intra-refresh", "force_key_frames"].contains(name) { return true }
            let isList = name.ends(with: "-params") || name.isSame(as: "x264opts")
            return isList && ["keyint", "intra-period", "key_frame_interval", "kf-max-dist", "intra-refresh"].contains { value.holds($0) }
        }
    }

    /// Whether a picture is to be a key frame. Of all that come, in their order.
    mutating func isDue(_ pts: Int64, _ timeBase: Fraction) -> Bool {
        let start = origin ?? (counting == .zero ? 0 : pts)
        let elapsed = Int128(pts - start) * Int128(timeBase.numerator) * 1_000_000
        let segment = elapsed / (Int128(timeBase.denominator) * Int128(microseconds))
        guard segment > reached else {
            origin = start
            return false
        }
        if counting == .segmentStart {
            (origin, reached) = (pts, 0)
        } else {
            (origin, reached) = (start, segment)
        }
        return true
    }
}
