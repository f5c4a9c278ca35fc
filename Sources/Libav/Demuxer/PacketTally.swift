/// The packets of one stream: how many, and from when to when.
package struct PacketTally: Sendable, Equatable {
    /// With data: those without only carry what goes beside it.
    package internal(set) var packets: Int64 = 0
    package internal(set) var bytes: Int64 = 0
    /// Seconds, of the earliest packet and the latest; nil where none has a time.
    package internal(set) var first: Double?
    package internal(set) var last: Double?
    /// Seconds: where the packet that ends last ends, as far as packets tell how long they are.
    package internal(set) var end: Double?
    /// Whether every packet came with a time.
    package internal(set) var knowsTimes = true
    /// Whether none is decoded before the one in front of it.
    package internal(set) var isInOrder = true
    /// Seconds, of the packet that says it lasts longest.
    package internal(set) var longest = 0.0
    /// Seconds that the latest packet says it lasts.
    package internal(set) var lastDuration = 0.0
    /// Bytes of the largest packet.
    package internal(set) var largest: Int64 = 0
    private var latestDTS: Int64?

    package init() {}

    package mutating func add(_ packet: Packet, _ timeBase: Fraction) {
        if packet.byteCount == 0 { return }
        packets += 1
        bytes += Int64(packet.byteCount)
        largest = max(largest, Int64(packet.byteCount))
        if let dts = packet.dts {
            if let latestDTS, dts < latestDTS { isInOrder = false }
            latestDTS = dts
        }
        guard let ticks = packet.pts ?? packet.dts else { return knowsTimes = false }
        let time = Double(ticks) * timeBase.doubleValue
        let isLatest = time >= last ?? time
        first = min(first ?? time, time)
        last = max(last ?? time, time)
        let duration = Double(max(0, packet.duration)) * timeBase.doubleValue
        end = max(end ?? time, time + duration)
        longest = max(longest, duration)
        if isLatest { lastDuration = duration }
    }

    /// Seconds from the first packet's time to the end of the last one.
    package var duration: Double? {
        guard let first, let end else { return nil }
        return end - first
    }

    /// Seconds from the first packet's time to the last one's.
    package var span: Double? {
        guard let first, let last else { return nil }
        return last - first
    }
}
