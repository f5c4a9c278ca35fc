import Libav
import Synchronization

/// Where an output begins that came when its streams had begun: at a key frame, or where it has no picture at the next
/// packet. That is its zero; of other streams it has what is not before.
final class LateStart: Sendable {
    private let timeBases: [Fraction]
    private let isVideo: [Bool]
    private let state = Mutex(State())

    private struct State {
        /// The track that it begins with, and where that is then.
        var origin: (track: Int, ticks: Int64)?
        var begun: Set<Int> = []
    }

    /// By track.
    init(_ streams: [StreamParameters]) {
        timeBases = streams.map(\.timeBase)
        isVideo = streams.map { $0.media == .video }
    }

    /// Whether the packet is in it; its times are counted from the start then. On the thread of its stream.
    func admits(_ packet: Packet) -> Bool {
        let track = packet.stream
        guard let pts = packet.pts ?? packet.dts, let start = start(of: track, pts, isKey: packet.isKey) else { return false }
        packet.pts = packet.pts.map { $0 - start }
        packet.dts = packet.dts.map { $0 - start }
        return true
    }

    /// In the track's time base; nil: the packet is none of it.
    private func start(of track: Int, _ pts: Int64, isKey: Bool) -> Int64? {
        state.withLock { state in
            if state.origin == nil, isVideo[track] ? isKey : !isVideo.contains(true) { state.origin = (track, pts) }
            guard let origin = state.origin else { return nil }
            let start = timeBases[origin.track].rescale(origin.ticks, to: timeBases[track])
            if !state.begun.contains(track) {
                if pts < start || isVideo[track] && !isKey { return nil }
                state.begun.insert(track)
            }
            return start
        }
    }
}
