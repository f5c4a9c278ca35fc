import Libav
import Synchronization

/// Where an output begins that came when its streams had begun: at a key frame from where its sound is, or where it has no
/// picture at the next packet. That is its zero; of other streams it has what is not before.
final class LateStart: Sendable {
    private let tracks: [Track]
    /// Seconds: before it there is no sound any more.
    private let earliest: Double
    private let askForKeyFrames: @Sendable () -> Void
    private let state: Mutex<State>

    struct Track: Sendable {
        let timeBase: Fraction
        let isVideo: Bool
        /// Where the stream is, in seconds.
        let position: Double
    }

    private struct State {
        /// The track that it begins with, and where that is then.
        var origin: (track: Int, ticks: Int64)?
        var begun: Set<Int> = []
        var isKeyFrameOwed: Bool
    }

    /// Asks for key frames at once where pictures have come to where they are wanted, and else when they have.
    init(_ tracks: [Track], askForKeyFrames: @escaping @Sendable () -> Void) {
        self.tracks = tracks
        self.askForKeyFrames = askForKeyFrames
        let hasVideo = tracks.contains(where: \.isVideo)
        earliest = hasVideo ? tracks.filter { !$0.isVideo }.map(\.position).max() ?? 0 : 0
        let isBehind = tracks.contains { [earliest] in $0.isVideo && $0.position < earliest }
        state = Mutex(State(isKeyFrameOwed: isBehind))
    }

    /// Once packets come.
    func begin() { if !state.withLock(\.isKeyFrameOwed) { askForKeyFrames() } }

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
        let (start, asks) = state.withLock { state -> (Int64?, asks: Bool) in
            if state.origin == nil {
                guard mayBegin(with: track, pts) else { return (nil, false) }
                if tracks[track].isVideo && !isKey {
                    defer { state.isKeyFrameOwed = false }
                    return (nil, state.isKeyFrameOwed)
                }
                state.origin = (track, pts)
            }
            return (place(of: track, pts, isKey: isKey, &state), false)
        }
        if asks { askForKeyFrames() }
        return start
    }

    private func mayBegin(with track: Int, _ pts: Int64) -> Bool {
        let own = tracks[track]
        return own.isVideo ? Double(pts) * own.timeBase.doubleValue >= earliest : !tracks.contains(where: \.isVideo)
    }

    private func place(of track: Int, _ pts: Int64, isKey: Bool, _ state: inout State) -> Int64? {
        guard let origin = state.origin else { return nil }
        let start = tracks[origin.track].timeBase.rescale(origin.ticks, to: tracks[track].timeBase)
        if !state.begun.contains(track) {
            if pts < start || tracks[track].isVideo && !isKey { return nil }
            state.begun.insert(track)
        }
        return start
    }
}
