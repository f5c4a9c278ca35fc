import Libav
import Threading

/// A queue of packets before an output's carrier, and the thread that brings them there: opens the carrier, keeps its
/// pace, opens it again when it breaks, and ends it. Nothing that the destination does is waited for by others, but where
/// the queue is full and nothing may be left out.
final class OutputQueue: PacketQueueing, @unchecked Sendable {
    // Unchecked: `monitor` guards the state; a carrier's calls of one at a time are the thread's.
    private let monitor = ConditionLock()
    private let plan: OutputPlan
    /// What the output can't go on after.
    private let failure: FirstFailure
    private let onFailure: @Sendable (StreamWriterError) -> Void
    private var carrier: (any Carrier)?
    private var waiting: WaitingPackets
    private var gate: DropGate
    private var progressNow = OutputProgress()
    private var container: OpenedContainer?
    /// The carrier broke, or could not be opened, and none is open yet in its place.
    private var isBroken = false
    /// It may be the one before; a call tells.
    private var isCarrierSaidToBeBroken = false
    private var asked = Asked()
    private var done = Done()
    private var isStopping = false
    private var thread: WorkerThread?

    private struct Asked {
        var flushes = 0
        var finishes = false
    }

    private struct Done {
        var flushes = 0
        var finished: FinishedContainer?
    }

    /// Opens on a thread of its own, from here on. `failure` gets what the output can't go on after, and `onFailure` is told
    /// of it, on that thread.
    init(
        _ plan: OutputPlan, carrier: any Carrier, failure: FirstFailure, onFailure: @escaping @Sendable (StreamWriterError) -> Void
    ) throws(StreamWriterError) {
        self.plan = plan
        self.carrier = carrier
        self.failure = failure
        self.onFailure = onFailure
        gate = DropGate(isVideo: plan.isVideo)
        waiting = WaitingPackets(tracks: plan.opening.streams.count, byTime: plan.pace == .realtime)
        progressNow.state = .opening
        do throws(SystemThread.Unavailable) {
            thread = try WorkerThread(name: "output") { [self] in run() }
        } catch {
            throw StreamWriterError(.outOfMemory, "the system has no thread for the output \(plan.name)")
        }
    }

    // MARK: Any thread

    /// What opening told; waits for it.
    func awaitOpened() throws(StreamWriterError) -> OpenedContainer {
        try monitor.withLock { () throws(StreamWriterError) in
            while container == nil && failure.error == nil && !isStopping { monitor.wait() }
            try failure.check()
            guard let container else { throw Self.stopped }
            return container
        }
    }

    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        let track = packet.stream
        if try !take(packet) { plan.askForKeyFrames([track], false) }
    }

    /// False: it is left out, and it is time that its track had a key frame.
    private func take(_ packet: Packet) throws(StreamWriterError) -> Bool {
        monitor.lock()
        defer { monitor.unlock() }
        while plan.waitsWhenSlow && waiting.isFull(packet.stream) && !isAway && failure.error == nil && !isStopping { monitor.wait() }
        try failure.check()
        if isStopping { throw Self.stopped }
        let seconds = plan.seconds(of: packet)
        let takesNone = waiting.isFull(packet.stream) || isBroken
        guard gate.admits(packet, isFull: takesNone) else {
            progressNow.packetsDropped += 1
            return takesNone || !gate.isKeyFrameOverdue(packet, at: seconds)
        }
        if waiting.append(packet, at: seconds) { monitor.wakeAll() }
        return true
    }

    /// It gathers what waits in the queue.
    func sendGathered() throws(StreamWriterError) { try failure.check() }

    func flush() throws(StreamWriterError) {
        try monitor.withLock { () throws(StreamWriterError) in
            asked.flushes += 1
            let wanted = asked.flushes
            monitor.wakeAll()
            while done.flushes < wanted && failure.error == nil && !isStopping && !isAway { monitor.wait() }
            try failure.check()
        }
    }

    func beginFinish() {
        monitor.withLock {
            asked.finishes = true
            monitor.wakeAll()
        }
    }

    func finish() throws(StreamWriterError) -> FinishedContainer {
        beginFinish()
        return try monitor.withLock { () throws(StreamWriterError) in
            while done.finished == nil && failure.error == nil && !isStopping { monitor.wait() }
            try failure.check()
            guard let finished = done.finished else { throw Self.stopped }
            return finished
        }
    }

    func interrupt() {
        monitor.withLock {
            isStopping = true
            monitor.wakeAll()
            return carrier
        }?.interrupt()
    }

    func shutDown() {
        interrupt()
        let thread = monitor.withLock {
            defer { self.thread = nil }
            return self.thread
        }
        thread?.join()
        let carrier = monitor.withLock {
            progressNow.bytesWritten += self.carrier?.bytesWritten ?? 0
            waiting.removeAll()
            defer { self.carrier = nil }
            return self.carrier
        }
        _ = consume carrier
    }

    var progress: OutputProgress {
        monitor.withLock {
            var progress = progressNow
            progress.bytesWritten += carrier?.bytesWritten ?? 0
            progress.lag = waiting.length
            if let error = failure.error, progress.state != .closed {
                progress.state = .failed
                // Of the writer, it may be another's.
                if plan.ownsFailure { progress.error = error }
            }
            return progress
        }
    }

    var heldBytes: Int { monitor.withLock { carrier }?.heldBytes ?? 0 }
    var forcedUpTo: Double? { monitor.withLock { carrier }?.forcedUpTo }

    private static let stopped = StreamWriterError(.wrongState, "the output was ended")

    /// Nothing waits for it.
    private var isAway: Bool { isBroken || plan.isExpendable && progressNow.state == .opening }

    // MARK: The thread

    private func run() {
        var pause = RetryPause()
        var isFirst = true
        while true {
            do throws(StreamWriterError) {
                try open(resumes: !isFirst)
                isFirst = false
                pause.noteOpened()
                try serve()
                return settle()
            } catch {
                guard mayTryAgain(after: error, isFirst: isFirst), pause.wait(on: monitor, while: { !isStopping && !asked.finishes }) else {
                    return fail(error)
                }
            }
        }
    }

    private func open(resumes: Bool) throws(StreamWriterError) {
        if resumes || monitor.withLock({ carrier == nil }) { try renewCarrier() }
        guard let carrier = monitor.withLock({ carrier }) else { throw Self.stopped }
        let isFirstAttempt = monitor.withLock {
            progressNow.attempts += 1
            return progressNow.attempts == 1
        }
        var opening = plan.opening
        opening.resumes = resumes
        _ = Log.take()
        let opened = try opening.locating { () throws(StreamWriterError) in try carrier.open(opening) }
        monitor.withLock {
            container = opened
            isBroken = false
            if isFirstAttempt { progressNow.state = .open }
            monitor.wakeAll()
        }
        carrier.whenBroken { [weak self] _ in self?.noteBroken() }
        if isFirstAttempt { return }
        // The others go on as if nothing had happened, so it waits for a key frame that they have, too. Who sees it open can
        // rely on the next picture's being in it, where one is asked for.
        plan.askForKeyFrames(plan.videoTracks, true)
        monitor.withLock { progressNow.state = .open }
    }

    /// The thread may be waiting for a packet, which may be long in coming.
    private func noteBroken() {
        monitor.withLock {
            isCarrierSaidToBeBroken = true
            monitor.wakeAll()
        }
    }

    private func renewCarrier() throws(StreamWriterError) {
        guard let reconnect = plan.reconnect else { return }
        let renewed = try reconnect()
        let isWanted = monitor.withLock {
            if isStopping { return false }
            carrier = renewed
            return true
        }
        if !isWanted { throw Self.stopped }
    }

    /// Brings packets to the carrier until it is ended, or told to stop.
    private func serve() throws(StreamWriterError) {
        var clock = PaceClock(plan.pace)
        var hasGathered = false
        while let work = nextWork(&clock, hasGathered: hasGathered) {
            guard let carrier = monitor.withLock({ carrier }) else { return }
            switch work {
            case .write(let packet):
                try carrier.write(packet, moreFollows: true)
                hasGathered = true
                monitor.withLock { progressNow.packets += 1 }
            case .gather:
                try carrier.sendGathered()
                hasGathered = false
            case .flush(let number):
                try carrier.flush()
                hasGathered = false
                monitor.withLock {
                    done.flushes = number
                    monitor.wakeAll()
                }
            case .finish:
                let finished = try carrier.finish()
                return monitor.withLock { done.finished = finished }
            }
        }
    }

    private enum Work {
        case write(Packet), gather, flush(Int), finish
    }

    /// Waits for it; nil: told to stop.
    private func nextWork(_ clock: inout PaceClock, hasGathered: Bool) -> Work? {
        monitor.lock()
        defer { monitor.unlock() }
        while !isStopping {
            if isCarrierSaidToBeBroken {
                isCarrierSaidToBeBroken = false
                return .gather
            }
            if let first = waiting.first {
                guard let due = clock.due(first.seconds), !due.hasPassed else {
                    waiting.removeFirst()
                    monitor.wakeAll()
                    return .write(first.packet)
                }
                if hasGathered { return .gather }
                monitor.wait(until: due)
            } else if asked.flushes > done.flushes {
                return .flush(asked.flushes)
            } else if hasGathered {
                return .gather
            } else if asked.finishes {
                return .finish
            } else {
                monitor.wait()
            }
        }
        return nil
    }

    /// The state of an output that broke is told, and what waits for it is left out up to a key frame.
    private func mayTryAgain(after error: StreamWriterError, isFirst: Bool) -> Bool {
        let old = monitor.withLock { () -> (any Carrier)? in
            guard plan.reconnect != nil, !isStopping, !asked.finishes, failure.error == nil, error.isOfDestination,
                !isFirst || plan.isExpendable
            else { return nil }
            isBroken = true
            progressNow.state = .reconnecting
            progressNow.error = error
            progressNow.bytesWritten += carrier?.bytesWritten ?? 0
            progressNow.packetsDropped += Int64(waiting.count)
            waiting.removeAll()
            gate.close()
            done.flushes = asked.flushes
            monitor.wakeAll()
            defer { carrier = nil }
            return carrier
        }
        return old != nil || monitor.withLock { progressNow.state == .reconnecting && !isStopping && !asked.finishes }
    }

    private func fail(_ error: StreamWriterError) {
        monitor.withLock {
            progressNow.state = .failed
            progressNow.error = error
            waiting.removeAll()
        }
        onFailure(failure.record(error))
        monitor.withLock { monitor.wakeAll() }
    }

    private func settle() {
        monitor.withLock {
            if done.finished != nil { progressNow.state = .closed }
            monitor.wakeAll()
        }
    }
}
