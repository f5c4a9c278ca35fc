import Libav
import Synchronization

/// Where an output begins that came when its streams had begun: at a key frame from where its sound is, or where it has no
/// picture at the next packet. That is its zero; of other streams it has what is not before, also what came while the
/// encoder of the key frame looked ahead.
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
        /// By track, what may be in it once it is known where it begins.
        var held: [Int: [Packet]] = [:]
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

    /// Of the packet, and of those of its track that were held, what is in it, with times that are counted from the start.
    /// On the thread of its stream.
    func admitted(_ packet: Packet) -> [Packet] {
        let track = packet.stream
        guard !tracks[track].isVideo else { return admits(packet) ? [packet] : [] }
        let candidates = state.withLock { state -> [Packet] in
            if state.origin != nil || !tracks.contains(where: \.isVideo) { return (state.held.removeValue(forKey: track) ?? []) + [packet] }
            state.held[track, default: []].append(packet)
            if state.held[track, default: []].count > Self.mostHeld { state.held[track]?.removeFirst() }
            return []
        }
        return candidates.filter(admits)
    }

    /// What is held still and in it, once its streams bring no more.
    func rest() -> [Packet] {
        let held = state.withLock { state -> [Packet] in
            defer { state.held = [:] }
            return state.origin == nil ? [] : state.held.sorted { $0.key < $1.key }.flatMap(\.value)
        }
        return held.filter(admits)
    }

    /// Of a track: a minute of sound.
    private static let mostHeld = 4_096

    /// Whether the packet is in it; its times are counted from the start then.
    private func admits(_ packet: Packet) -> Bool {
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
