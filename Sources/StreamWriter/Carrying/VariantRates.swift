import Bytewise
import Libav

/// The bit rates that a master playlist of hls tells of its variants: libav's muxer has them from the encoders, which have
/// none where they go by quality. Of each track the most that a segment had so far.
struct VariantRates {
    private struct Track {
        let isVideo: Bool
        let timeBase: Double
        /// Of the segment, in seconds; nil before the first packet.
        var start: Double?
        /// Of its latest packet.
        var end = 0.0
        var bytes = 0
        var peak = 0
    }

    private var tracks: [Track]
    private let segmentSeconds: Double
    private let isTransportStream: Bool

    /// Nil where there is no master playlist.
    init?(_ format: OutputFormat, _ option: [String: String], _ streams: [StreamParameters]) {
        guard format.name.isSame(as: "hls"), option["master_pl_name"] != nil, let options = MuxerOptions(format, option) else { return nil }
        segmentSeconds = Double(options.integer("hls_time")) / 1_000_000
        isTransportStream = options.integer("hls_segment_type") == 0
        tracks = streams.map { Track(isVideo: $0.media == .video, timeBase: $0.timeBase.doubleValue) }
    }

    /// Before the muxer gets it. Bits a second of the packet's track, if that is more now.
    mutating func add(_ packet: Packet) -> Int? {
        var track = tracks[packet.stream]
        defer { tracks[packet.stream] = track }
        let time = Double(packet.dts ?? packet.pts ?? 0) * track.timeBase
        let start = track.start ?? time
        var found: Int?
        // What times are rounded by.
        if packet.isKey, time - start > 0, time - start + 1e-6 >= segmentSeconds {
            found = end(&track, at: time)
        } else {
            track.start = start
        }
        track.bytes += isTransportStream ? Self.bytesInPackets(packet.byteCount, isVideo: track.isVideo) : packet.byteCount
        track.end = time + Double(max(0, packet.duration)) * track.timeBase
        return found
    }

    /// Of the tracks whose last segment had more than those before; of one that is shorter than half a segment a player
    /// needs not know.
    mutating func finish() -> [(track: Int, rate: Int)] {
        tracks.indices.compactMap { index in
            guard let start = tracks[index].start, tracks[index].end - start >= segmentSeconds / 2, tracks[index].end > start else { return nil }
            return end(&tracks[index], at: tracks[index].end).map { (index, $0) }
        }
    }

    private func end(_ track: inout Track, at time: Double) -> Int? {
        let elapsed = time - (track.start ?? time)
        let rate = Int((Double(track.bytes) * 8 / elapsed).rounded(.up)) + (isTransportStream ? Self.tableRate : 0)
        (track.start, track.bytes) = (time, 0)
        guard rate > track.peak else { return nil }
        track.peak = rate
        return rate
    }

    private static let (packetBytes, payloadBytes) = (188, 184)
    /// PAT and PMT ten times a second, SDT twice.
    private static let tableRate = (2 * 10 + 2) * packetBytes * 8
    /// With the heads of its PES packet and of what the codec is given in a transport stream: access unit delimiters, ADTS.
    /// Several frames of sound share a PES packet.
    private static func bytesInPackets(_ bytes: Int, isVideo: Bool) -> Int {
        isVideo ? (bytes + 25 + 8 + payloadBytes) / payloadBytes * packetBytes : (bytes + 7) * 108 / 100
    }
}
