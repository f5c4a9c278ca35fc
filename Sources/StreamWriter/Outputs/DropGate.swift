import Libav

/// Which packets of an output are left out once one was: all up to a key frame; where there is no picture, until there is
/// room.
struct DropGate {
    private let isVideo: [Bool]
    private var isClosed = false
    /// Video tracks of which nothing passes before a key frame of their own.
    private var awaiting: Set<Int> = []
    /// Where those tracks were, in seconds, when the first packet could have passed but for that.
    private var awaitedFrom: [Int: Double] = [:]

    /// By track.
    init(isVideo: [Bool]) { self.isVideo = isVideo }

    /// Nothing passes before the next key frame.
    mutating func close() {
        isClosed = true
        awaiting = Set(isVideo.indices.filter { isVideo[$0] })
        awaitedFrom = [:]
    }

    mutating func admits(_ packet: Packet, isFull: Bool) -> Bool {
        if isFull {
            close()
            return false
        }
        let track = packet.stream
        if isVideo[track], packet.isKey {
            awaiting.remove(track)
            isClosed = false
        }
        guard isClosed || awaiting.contains(track) else { return true }
        if isVideo.contains(true) { return false }
        isClosed = false
        return true
    }

    /// Of the packet's track, which has just not passed at that time in seconds: no key frame has come by itself for too
    /// long. True once.
    mutating func isKeyFrameOverdue(_ packet: Packet, at seconds: Double) -> Bool {
        guard awaiting.contains(packet.stream) else { return false }
        guard let start = awaitedFrom[packet.stream] else {
            awaitedFrom[packet.stream] = seconds
            return false
        }
        guard seconds - start >= Limits.keyFrameSeconds else { return false }
        awaitedFrom[packet.stream] = .infinity
        return true
    }
}
