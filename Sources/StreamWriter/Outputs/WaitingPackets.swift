import Libav

/// The packets before an output's carrier: they leave in the order that they came in, or in that of their times, whichever
/// of the tracks was submitted first. Each track has its room, so that one that is ahead keeps none of another out.
package struct WaitingPackets {
    private let isByTime: Bool
    private var tracks: [Track]
    private var arrivals: Int64 = 0

    private struct Track {
        var entries: [Entry] = []
        var bytes = 0
    }

    package struct Entry {
        package let packet: Packet
        /// Of its decoding.
        package let seconds: Double
        fileprivate let arrival: Int64
    }

    package init(tracks: Int, byTime isByTime: Bool) {
        self.isByTime = isByTime
        self.tracks = Array(repeating: Track(), count: tracks)
    }

    /// A track is full with that many packets, or that many bytes between all.
    package func isFull(_ track: Int) -> Bool {
        tracks[track].entries.count >= Limits.queuedOutputPackets || tracks[track].bytes >= Limits.queuedPacketBytes / tracks.count
    }

    /// True: it is the first to leave.
    package mutating func append(_ packet: Packet, at seconds: Double) -> Bool {
        let entry = Entry(packet: packet, seconds: seconds, arrival: arrivals)
        let isFirst = first.map { isBefore(entry, $0) } ?? true
        arrivals += 1
        tracks[packet.stream].entries.append(entry)
        tracks[packet.stream].bytes += packet.byteCount
        return isFirst
    }

    /// What leaves next.
    package var first: Entry? { tracks.lazy.compactMap(\.entries.first).min(by: isBefore) }

    package mutating func removeFirst() {
        guard let track = first?.packet.stream else { return }
        tracks[track].bytes -= tracks[track].entries.removeFirst().packet.byteCount
    }

    package mutating func removeAll() {
        for track in tracks.indices { tracks[track] = Track() }
    }

    private func isBefore(_ one: Entry, _ other: Entry) -> Bool {
        isByTime && one.seconds != other.seconds ? one.seconds < other.seconds : one.arrival < other.arrival
    }

    package var count: Int { tracks.reduce(0) { $0 + $1.entries.count } }

    /// Seconds between the first packet and the last.
    package var length: Double {
        guard let first = tracks.lazy.compactMap(\.entries.first?.seconds).min(), let last = tracks.lazy.compactMap(\.entries.last?.seconds).max()
        else { return 0 }
        return max(0, last - first)
    }
}
