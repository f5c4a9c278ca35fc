import Libav
import Synchronization
import Threading

/// Brings the packets of all streams to the one muxer. The thread that brings a packet while no other is
/// writing writes, also what others bring meanwhile; so no lock is held during I/O, and no
/// thread of its own is needed.
final class PacketSink: @unchecked Sendable {
    // Unchecked: `monitor` guards the state; the muxer is used by the thread that set `isWriting`.
    private let monitor = ConditionLock()
    private let failure: FirstFailure
    private var muxer: Muxer?
    private var budget: InterleaveBudget
    private let timeBases: [Rational]
    /// The muxer takes packets only in the order of their times.
    let needsOrder: Bool
    /// Seconds of the latest packet, when those held for interleaving were written while others lacked.
    private var forced: Double?
    private var latest = 0.0
    private var queue: [Packet] = []
    private var queuedBytes = 0
    private var isWriting = false
    private let held = Atomic(0)

    /// `timeBases` are the encoders', by stream.
    init(muxer: Muxer, timeBases: [Rational], failure: FirstFailure) {
        self.muxer = muxer
        self.timeBases = timeBases
        self.failure = failure
        needsOrder = KnownFaults.needsOrder(muxer.format.name)
        budget = InterleaveBudget(
            streams: timeBases.count, maxSeconds: muxer.interleaveSeconds ?? .infinity,
            letsGo: muxer.letsPacketsGo && !needsOrder)
    }

    /// Takes a packet with its times in its encoder's time base. Waits while too much is queued. With
    /// `moreFollows` small writes may wait for the next packet, or for `sendGathered`.
    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        monitor.lock()
        while isWriting && isFull && failure.error == nil { monitor.wait() }
        if let error = failure.error {
            monitor.unlock()
            throw error
        }
        queue.append(packet)
        queuedBytes += packet.byteCount
        if isWriting {
            monitor.unlock()
            return
        }
        isWriting = true
        monitor.unlock()
        drain(moreFollows: moreFollows)
        try failure.check()
    }

    /// Sends what small writes have gathered.
    func sendGathered() throws(StreamWriterError) {
        try withMuxer { muxer throws(LibavError) in try muxer.sendGathered() }
    }

    /// Runs `body` with the muxer to itself, everything before it written.
    func withMuxer(_ body: (Muxer) throws(LibavError) -> Void) throws(StreamWriterError) {
        monitor.withLock {
            while isWriting { monitor.wait() }
            isWriting = true
        }
        drain(thenStop: false)
        // What others brought meanwhile is written before it ends.
        defer { drain() }
        try failure.check()
        guard let muxer else { return }
        do {
            try body(muxer)
        } catch {
            throw failure.record(Self.translate(error, muxer))
        }
    }

    /// Of packets that wait for those of other streams. Any thread.
    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Up to where packets are written whatever other streams have; seconds.
    var forcedUpTo: Double? { monitor.withLock { forced } }

    /// By stream: how far its packets lie behind later ones of others, in seconds. With every packet written.
    var secondsLate: [Double] { budget.secondsLate }

    /// Writes the packets that were held for interleaving, and what is buffered. Where packets must be in
    /// order they are held further.
    func flush() throws(StreamWriterError) {
        try withMuxer { muxer throws(LibavError) in
            if needsOrder || KnownFaults.dropsHeldPackets(muxer.format.name) { return try muxer.flush() }
            try muxer.writeHeldPackets()
            try muxer.flush()
            budget.clear()
        }
    }

    /// Lets go of the muxer, which frees it, once no thread is using it.
    func shutDown() {
        monitor.withLock {
            while isWriting { monitor.wait() }
            queue = []
            muxer = nil
        }
    }

    static func translate(_ error: LibavError, _ muxer: Muxer) -> StreamWriterError {
        StreamWriterError(error, muxer.isDestinations(error) ? .destinationFailed : .encodingFailed)
    }

    private var isFull: Bool {
        queue.count >= Limits.queuedPackets || queuedBytes >= Limits.queuedPacketBytes
    }

    /// With `isWriting` set by the caller.
    private func drain(thenStop: Bool = true, moreFollows: Bool = false) {
        while true {
            monitor.lock()
            var batch = queue
            queue = []
            queuedBytes = 0
            if batch.isEmpty || failure.error != nil {
                if thenStop { isWriting = false }
                monitor.wakeAll()
                monitor.unlock()
                return
            }
            monitor.wakeAll()
            monitor.unlock()
            guard let muxer else { continue }
            do {
                try write(&batch, muxer, moreFollows: moreFollows)
            } catch {
                failure.record(Self.translate(error, muxer))
            }
        }
    }

    /// Lets go of each packet once it is written: of raw video they are pictures, whose memory is wanted for the next.
    private func write(_ batch: inout [Packet], _ muxer: Muxer, moreFollows: Bool) throws(LibavError) {
        let gathers = moreFollows || batch.count > 1
        batch.reverse()
        while let packet = batch.popLast() {
            let stream = packet.stream
            let bytes = packet.byteCount
            let timeBase = timeBases[stream]
            let seconds = Double(packet.dts ?? packet.pts ?? 0) * timeBase.doubleValue
            if needsOrder {
                if let forced, seconds < forced {
                    throw LibavError(
                        outOfOrder: "writing a packet: stream \(stream) is at \(seconds) s, and others are written up to \(forced) s")
                }
                latest = max(latest, seconds)
            }
            try muxer.write(packet, gathers: gathers)
            if budget.add(stream: stream, dts: seconds, bytes: bytes) {
                try muxer.writeHeldPackets()
                budget.clear()
                if needsOrder { monitor.withLock { forced = latest } }
            }
            held.store(budget.heldBytes, ordering: .relaxed)
        }
        if gathers && !moreFollows { try muxer.sendGathered() }
    }
}
