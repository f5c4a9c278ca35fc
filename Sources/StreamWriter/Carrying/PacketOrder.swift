import Libav

/// The packets that one muxer is given, by their times: which it holds back, and whether they come in the order that
/// it needs.
struct PacketOrder {
    private var budget: InterleaveBudget
    private let timeBases: [Fraction]
    /// The muxer takes packets only in the order of their times.
    let isKept: Bool
    private var latest = 0.0
    /// Seconds of the latest packet, when those held for interleaving were written while others lacked.
    private(set) var forced: Double?

    /// `timeBases` are the encoders', by stream.
    init(_ muxer: Muxer, timeBases: [Fraction]) {
        self.timeBases = timeBases
        isKept = KnownFaults.needsOrder(muxer.format.name)
        budget = InterleaveBudget(
            streams: timeBases.count, maxSeconds: muxer.interleaveSeconds ?? .infinity,
            letsGo: muxer.letsPacketsGo && !isKept)
    }

    struct Place {
        let stream: Int
        let seconds: Double
    }

    /// Before the muxer has it.
    mutating func place(of packet: Packet) throws(LibavError) -> Place {
        let stream = packet.stream
        let seconds = Double(packet.dts ?? packet.pts ?? 0) * timeBases[stream].doubleValue
        if isKept {
            if let forced, seconds < forced {
                throw LibavError(
                    outOfOrder: "writing a packet: stream \(stream) is at \(seconds) s, and others are written up to \(forced) s")
            }
            latest = max(latest, seconds)
        }
        return Place(stream: stream, seconds: seconds)
    }

    /// The muxer has it; true when those that it holds must be written now.
    mutating func add(_ place: Place, bytes: Int) -> Bool {
        let isFull = budget.add(stream: place.stream, dts: place.seconds, bytes: bytes)
        if isFull && isKept { forced = latest }
        return isFull
    }

    /// All held packets have been written.
    mutating func clear() { budget.clear() }

    var heldBytes: Int { budget.heldBytes }
    /// By stream: how far its packets lie behind later ones of others, in seconds. With every packet written.
    var secondsLate: [Double] { budget.secondsLate }
}
