import Libav
import Synchronization
import Threading

/// Brings the packets of all streams to the one carrier. The thread that brings a packet while no other is
/// writing writes, also what others bring meanwhile; so no lock is held during I/O, and no
/// thread of its own is needed.
final class PacketSink: PacketQueueing, @unchecked Sendable {
    // Unchecked: `monitor` guards the state; the carrier's calls of one at a time are made by the thread that set
    // `isWriting`.
    private let monitor = ConditionLock()
    private let failure: FirstFailure
    private var carrier: (any Carrier)?
    private var queue: [Packet] = []
    private var queuedBytes = 0
    private var isWriting = false
    private var last = OutputProgress()
    private let packets = Atomic<Int64>(0)

    init(carrier: any Carrier, failure: FirstFailure) {
        self.carrier = carrier
        self.failure = failure
        last.state = .open
        last.attempts = 1
    }

    /// Waits while too much is queued.
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

    func sendGathered() throws(StreamWriterError) {
        try withCarrier { carrier throws(StreamWriterError) in try carrier.sendGathered() }
    }

    func flush() throws(StreamWriterError) {
        try withCarrier { carrier throws(StreamWriterError) in try carrier.flush() }
    }

    func beginFinish() {}

    func finish() throws(StreamWriterError) -> FinishedContainer {
        var finished = FinishedContainer(written: [], secondsLate: [])
        try withCarrier { carrier throws(StreamWriterError) in finished = try carrier.finish() }
        monitor.withLock { last.state = .closed }
        return finished
    }

    func interrupt() { current?.interrupt() }

    /// Lets go of the carrier, which frees it, once no thread is using it.
    func shutDown() {
        let carrier = monitor.withLock {
            while isWriting { monitor.wait() }
            queue = []
            last.bytesWritten = self.carrier?.bytesWritten ?? last.bytesWritten
            defer { self.carrier = nil }
            return self.carrier
        }
        // Outside the lock: closing a connection takes time.
        _ = consume carrier
    }

    var progress: OutputProgress {
        var progress = monitor.withLock {
            var progress = last
            progress.bytesWritten = carrier?.bytesWritten ?? last.bytesWritten
            return progress
        }
        progress.packets = packets.load(ordering: .relaxed)
        if let error = failure.error, progress.state != .closed {
            progress.state = .failed
            progress.error = error
        }
        return progress
    }

    var heldBytes: Int { current?.heldBytes ?? 0 }
    var forcedUpTo: Double? { current?.forcedUpTo }

    private var current: (any Carrier)? { monitor.withLock { carrier } }

    /// Runs `body` with the carrier to itself, everything before it written.
    private func withCarrier(_ body: (any Carrier) throws(StreamWriterError) -> Void) throws(StreamWriterError) {
        monitor.withLock {
            while isWriting { monitor.wait() }
            isWriting = true
        }
        drain(thenStop: false)
        // What others brought meanwhile is written before it ends.
        defer { drain() }
        try failure.check()
        guard let carrier else { return }
        do {
            try body(carrier)
        } catch {
            throw failure.record(error)
        }
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
            guard let carrier else { continue }
            do {
                try write(&batch, carrier, moreFollows: moreFollows)
            } catch {
                failure.record(error)
            }
        }
    }

    /// Lets go of each packet once it is written: of raw video they are pictures, whose memory is wanted for the next.
    private func write(_ batch: inout [Packet], _ carrier: any Carrier, moreFollows: Bool) throws(StreamWriterError) {
        let gathers = moreFollows || batch.count > 1
        batch.reverse()
        while let packet = batch.popLast() {
            try carrier.write(packet, moreFollows: gathers)
            packets.wrappingAdd(1, ordering: .relaxed)
        }
        if gathers && !moreFollows { try carrier.sendGathered() }
    }
}
