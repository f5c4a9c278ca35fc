import Libav
import Threading

/// A stream's way from converted frames to packets: on the caller's thread where there is
/// little to do, otherwise on one of its own, started when it is first needed, so that
/// receiving overlaps encoding.
final class EncodePipeline: @unchecked Sendable {
    // Unchecked: `monitor` guards the state; `stage` is used by the thread that set `isBusy`.
    private let monitor = ConditionLock()
    private let stage: EncodeStage
    private let counter: RenditionCounter
    private let failure: FirstFailure
    private let capacity: Int
    private var queue: [Frame] = []
    private var isBusy = false
    private var isStopping = false
    private var thread: WorkerThread?
    private let nextRate = NextRate()
    /// Frames whose packets may not be written yet. With `isBusy` set, or under the lock.
    private var gathered = 0

    init(stage: EncodeStage, counter: RenditionCounter, failure: FirstFailure, capacity: Int) {
        self.stage = stage
        self.counter = counter
        self.failure = failure
        self.capacity = capacity
    }

    /// Encodes `frames` in order; on the pipeline's own thread if `overlaps`, waiting while it
    /// has too many. With `moreFollows` what is encoded here may wait for `endGathering`.
    func submit(_ frames: [Frame], overlaps: Bool, moreFollows: Bool = false) throws(StreamWriterError) {
        guard !frames.isEmpty else { return }
        monitor.lock()
        if !overlaps && !isBusy && queue.isEmpty && !isStopping {
            isBusy = true
            monitor.unlock()
            process(frames, moreFollows: moreFollows)
            monitor.withLock { release() }
            return try failure.check()
        }
        for frame in frames {
            while queue.count >= capacity && failure.error == nil && !isStopping { monitor.wait() }
            if failure.error != nil || isStopping { break }
            queue.append(frame)
            startThread()
            // The thread looks again by itself while it is busy.
            if !isBusy { monitor.wakeAll() }
        }
        monitor.unlock()
        try failure.check()
    }

    /// Has written what was encoded on callers' threads. The pipeline's own leaves nothing.
    func endGathering() throws(StreamWriterError) {
        let isAtHand = monitor.withLock {
            guard gathered > 0, !isBusy, queue.isEmpty else { return false }
            isBusy = true
            return true
        }
        guard isAtHand else { return }
        gathered = 0
        do {
            try stage.endGathering()
        } catch {
            failure.record(error)
        }
        monitor.withLock { release() }
        try failure.check()
    }

    /// Lets the threads that wait here see that the writer has failed.
    func wakeUp() { monitor.withLock { monitor.wakeAll() } }

    /// Waits until every frame has been given to the encoder, or until the deadline.
    func waitUntilIdle(until deadline: Deadline = .never) throws(StreamWriterError) {
        monitor.withLock { awaitIdle(until: deadline) }
        try failure.check()
    }

    /// One more frame would have to wait.
    var isFull: Bool { monitor.withLock { queue.count >= capacity } }

    /// The encoder has this rate from the next frame on that it is given.
    func change(to rate: EncoderRate) { nextRate.put(rate) }

    /// Runs `body` with the stage to itself, everything before it encoded.
    func withStage(
        _ body: (EncodeStage) throws(StreamWriterError) -> Void
    ) throws(StreamWriterError) {
        monitor.withLock {
            awaitIdle()
            isBusy = true
        }
        defer { monitor.withLock { release() } }
        try failure.check()
        do {
            try body(stage)
        } catch {
            throw failure.record(error)
        }
    }

    /// Gets everything out of the encoder that was put in. No frame may follow.
    func drain() throws(StreamWriterError) {
        try withStage { stage throws(StreamWriterError) in try stage.finish() }
    }

    /// Ends the thread; frames that wait are dropped. What runs in the stage ends first.
    func shutDown() {
        monitor.lock()
        isStopping = true
        queue = []
        monitor.wakeAll()
        while isBusy { monitor.wait() }
        let thread = thread
        self.thread = nil
        monitor.unlock()
        thread?.join()
    }

    /// After `shutDown`.
    func free() { stage.free() }

    private func awaitIdle(until deadline: Deadline = .never) {
        while isBusy || (!queue.isEmpty && failure.error == nil && !isStopping) {
            if deadline.hasPassed { return }
            monitor.wait(until: deadline)
        }
    }

    /// With the lock held.
    private func release() {
        isBusy = false
        monitor.wakeAll()
    }

    /// With the lock held.
    private func startThread() {
        guard thread == nil else { return }
        thread = try? WorkerThread(name: "encode") { [self] in run() }
        if thread == nil {
            failure.record(StreamWriterError(.outOfMemory, "the system has no thread for the encoder"))
        }
    }

    /// The thread.
    private func run() {
        monitor.lock()
        while true {
            while !isStopping && (queue.isEmpty || isBusy) { monitor.wait() }
            if isStopping { break }
            let frames = queue
            queue = []
            isBusy = true
            monitor.wakeAll()
            monitor.unlock()
            process(frames)
            monitor.lock()
            release()
        }
        monitor.unlock()
    }

    /// With `isBusy` set.
    private func process(_ frames: [Frame], moreFollows: Bool = false) {
        for (index, frame) in frames.enumerated() {
            guard failure.error == nil else { return }
            gathered += 1
            let isLast = index == frames.count - 1 && !moreFollows || gathered >= Limits.gatheredBlocks
            do {
                if let rate = nextRate.take() { stage.change(to: rate) }
                let encoded = try stage.encode(frame, moreFollows: !isLast && frame.sampleCount > 0)
                if isLast {
                    gathered = 0
                    try stage.endGathering()
                }
                counter.encoded(encoded)
            } catch {
                failure.record(error)
            }
        }
    }
}
