import Libav
import Synchronization
import Threading

/// One of a writer's outputs: its container, the streams that it has, and what becomes of the writer when it fails.
final class Output: @unchecked Sendable {
    // Unchecked: `state` has a lock; what opening sets is not changed any more once packets come.
    let config: OutputConfig
    let format: OutputFormat
    /// What holds the packets, once it is open.
    private(set) var holding: OutputFormat
    private let bufferBytes: Int
    private let failure: FirstFailure
    private let state: Mutex<State>
    /// By track, once it is open.
    private var filters: [BitstreamFilter?] = []

    private struct State {
        var carrier: (any Carrier)?
        var queue: (any PacketQueueing)?
        var last = OutputProgress()
        var isInterrupted = false
    }

    var destination: Destination { config.destination }
    var name: String { config.name }
    /// The writer goes on without it.
    var isExpendable: Bool { config.onFailure == .continue }

    /// Takes the destination over, also when it throws. `failure`: the writer's.
    init(_ config: OutputConfig, failure: FirstFailure) throws(StreamWriterError) {
        self.config = config
        bufferBytes = config.bufferSize ?? OutputIO.defaultBufferBytes
        self.failure = config.onFailure == .continue ? FirstFailure() : failure
        do throws(StreamWriterError) {
            try require(bufferBytes, in: Limits.bufferBytes, "buffer_size")
            let found = try OutputFormat.resolve(format: config.format, name: config.destination.name).writing(config.destination.name)
            format = config.option.map { found.opened(with: $0) } ?? found
        } catch {
            config.destination.discard()
            throw error
        }
        holding = format
        state = Mutex(State())
        let carrier = try config.destination.carrier(format: format, bufferBytes: bufferBytes, opener: config.opener)
        state.withLock { $0.carrier = carrier }
    }

    func takes(_ stream: Int) -> Bool { config.streams?.contains(stream) ?? true }

    /// The writer's streams by this output's tracks.
    func streams(of count: Int) -> [Int] { config.streams ?? Array(0..<count) }

    // MARK: Opening

    /// Of all streams that the writer has, those of its own first. One that the writer can do without is opened while the
    /// writer goes on; nil: not yet.
    func open(
        _ parts: [PreparedStream], metadata: [String: String], option: [String: String], timeout: Double?, isOnly: Bool,
        askForKeyFrames: @escaping @Sendable ([Int]) -> Void
    ) throws(StreamWriterError) -> OpenedContainer? {
        let streams = streams(of: parts.count)
        var opening = ContainerOpening(
            streams: try streams.map { (stream) throws(StreamWriterError) in try parts[stream].parameters(in: self) },
            metadata: config.metadata ?? metadata, option: option, timeout: timeout)
        try adapt(&opening)
        holding = format.holding(option: option, destination: destination.name)
        guard let carrier = state.withLock({ $0.carrier }) else { throw StreamWriterError(.wrongState, "the output was ended") }
        if isOnly && needsNoThread {
            let container = try carrier.open(opening)
            use(PacketSink(carrier: carrier, failure: failure))
            return container
        }
        let queue = try OutputQueue(
            plan(opening, isOnly: isOnly) { askForKeyFrames(streams) }, carrier: carrier, failure: failure)
        use(queue)
        return isExpendable ? nil : try queue.awaitOpened()
    }

    private func use(_ queue: any PacketQueueing) {
        let isInterrupted = state.withLock { state in
            state.queue = queue
            state.carrier = nil
            return state.isInterrupted
        }
        if isInterrupted { queue.interrupt() }
    }

    /// Packets are brought to it by the threads that make them.
    private var needsNoThread: Bool {
        config.whenSlow == .wait && config.pace == .none && config.reconnect == nil && config.onFailure == .fail
    }

    private func plan(_ opening: ContainerOpening, isOnly: Bool, _ askForKeyFrames: @escaping @Sendable () -> Void) -> OutputPlan {
        OutputPlan(
            name: name, namesFailure: !isOnly && !isExpendable, opening: opening, waitsWhenSlow: config.whenSlow == .wait, pace: config.pace, isExpendable: isExpendable,
            reconnect: reconnecting, askForKeyFrames: askForKeyFrames)
    }

    private var reconnecting: (@Sendable () throws(StreamWriterError) -> any Carrier)? {
        guard let make = config.reconnect else { return nil }
        let (format, bufferBytes, opener) = (format, bufferBytes, config.opener)
        return { () throws(StreamWriterError) in
            try make().carrier(format: format, bufferBytes: bufferBytes, opener: opener)
        }
    }

    /// Has packets written down as the container wants them, where one encoder serves several.
    private func adapt(_ opening: inout ContainerOpening) throws(StreamWriterError) {
        for (track, parameters) in opening.streams.enumerated() {
            switch BitstreamAdaption(parameters, in: format) {
            case .none: filters.append(nil)
            case .needsGlobalHeader:
                throw StreamWriterError(
                    .unsupportedValue,
                    "output \(name): \(format.name) needs the headers of \(parameters.codecName) before its first packet, which the encoder has not kept apart; give the output when the writer is made, or choose a format such as mpegts",
                    parameter: "outputs")
            case .filter(let name, let options):
                let filter = try translating(.encodingFailed) { () throws(LibavError) in try BitstreamFilter(name, options, parameters) }
                filters.append(filter)
                opening.streams[track] = filter.output
            }
        }
    }

    // MARK: Packets

    /// On the thread of the packet's stream.
    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        try unlessExpendable { queue throws(StreamWriterError) in
            guard let filter = filters[packet.stream] else { return try queue.submit(packet, moreFollows: moreFollows) }
            let track = packet.stream
            try translating(.encodingFailed) { () throws(LibavError) in try filter.send(packet) }
            while case .packet(let made) = try translating(.encodingFailed, { () throws(LibavError) in try filter.receive() }) {
                made.stream = track
                try queue.submit(made, moreFollows: moreFollows)
            }
        }
    }

    func sendGathered() throws(StreamWriterError) {
        try unlessExpendable { queue throws(StreamWriterError) in try queue.sendGathered() }
    }

    func flush() throws(StreamWriterError) {
        try unlessExpendable { queue throws(StreamWriterError) in try queue.flush() }
    }

    func beginFinish() { queue?.beginFinish() }

    /// nil: it has failed, and the writer does without.
    func finish() throws(StreamWriterError) -> FinishedContainer? {
        var finished: FinishedContainer?
        try unlessExpendable { queue throws(StreamWriterError) in finished = try queue.finish() }
        return finished
    }

    private func unlessExpendable(_ body: (any PacketQueueing) throws(StreamWriterError) -> Void) throws(StreamWriterError) {
        guard let queue, !isExpendable || failure.error == nil else { return }
        do throws(StreamWriterError) {
            try body(queue)
        } catch {
            let error = failure.record(error)
            if !isExpendable { throw error }
        }
    }

    private var queue: (any PacketQueueing)? { state.withLock { $0.queue } }

    // MARK: Any thread

    func interrupt() {
        let (queue, carrier) = state.withLock { state in
            state.isInterrupted = true
            return (state.queue, state.carrier)
        }
        queue?.interrupt()
        carrier?.interrupt()
    }

    /// Its time is over: it fails, unless it has ended. A file is waited for.
    func giveUp() {
        guard !destination.isFile, progress.state != .closed else { return }
        failure.record(StreamWriterError(.destinationFailed, "the destination did not take in time what there was for it").of(output: isExpendable ? nil : name))
        interrupt()
    }

    var progress: OutputProgress { state.withLock { ($0.queue, $0.last) }.0?.progress ?? state.withLock { $0.last } }

    var bytesWritten: Int64 { progress.bytesWritten }
    var heldBytes: Int { queue?.heldBytes ?? 0 }
    var forcedUpTo: Double? { queue?.forcedUpTo }

    /// Frees what libav has for it. With nothing else using it.
    func release() {
        let queue = queue
        queue?.shutDown()
        let carrier = state.withLock { state in
            state.last = queue?.progress ?? state.last
            // It was not ended.
            if state.last.state != .closed { state.last.state = .failed }
            defer {
                state.carrier = nil
                state.queue = nil
            }
            return state.carrier
        }
        filters = []
        // Outside the lock: closing a connection takes time.
        _ = consume carrier
    }
}
