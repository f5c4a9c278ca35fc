import Libav
import Threading

/// Hands the packets of one stream to the outputs that have it. One thread at a time, but for `add`.
final class PacketFan: Sendable {
    private struct Track {
        let output: Output
        let index: Int
    }

    private let tracks = Monitor<[Track]>([])

    /// The output has the stream as its track of that index, from the next packet on. Any thread.
    func add(_ output: Output, track index: Int) {
        tracks.withLock { $0.append(Track(output: output, index: index)) }
    }

    /// It gets no more packets than those that are on their way. Any thread.
    func remove(_ output: Output) {
        tracks.withLock { $0.removeAll { $0.output === output } }
    }

    /// Others than that output take what comes. Any thread.
    func feeds(another output: Output) -> Bool {
        tracks.withLock { $0.map(\.output) }.contains { $0 !== output && $0.isTaking }
    }

    /// Takes a packet with its times in its encoder's time base. With `moreFollows` small writes may wait for the next
    /// packet, or for `sendGathered`.
    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        let tracks = tracks.withLock { $0 }
        // Outputs have times and numbers of their own for it.
        for track in tracks.dropLast() {
            let copy = try translating(.outOfMemory) { () throws(LibavError) in try packet.reference() }
            copy.stream = track.index
            try track.output.submit(copy, moreFollows: moreFollows)
        }
        guard let last = tracks.last else { return }
        packet.stream = last.index
        try last.output.submit(packet, moreFollows: moreFollows)
    }

    /// Sends what small writes have gathered.
    func sendGathered() throws(StreamWriterError) {
        for track in tracks.withLock({ $0 }) { try track.output.sendGathered() }
    }
}
