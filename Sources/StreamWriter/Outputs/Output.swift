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
    /// Its own; of the writer's only output from the start the writer's, whose encoding ends with it.
    private let failure: FirstFailure
    private let isWritersOwn: Bool
    private let state: Mutex<State>
    /// By track, once it is open.
    private var filters: [BitstreamFilter?] = []

    /// Where it begins in streams that had begun before it came.
    private var lateStart: LateStart?

    private struct State {
        /// What the writer fails with where it does not go on without the output.
        var ofOutputs: FirstFailure?
        var carrier: (any Carrier)?
        var queue: (any PacketQueueing)?
        var last = OutputProgress()
        var isInterrupted = false
        /// It is being ended before the writer, which is to notice nothing of it.
        var isLeaving = false
        /// Of one that was.
        var finished: FinishedContainer?
        /// What its container can tell of; nil: there is no bound, or it is not open.
        var mostBytes: Int64?
    }

    var destination: Destination { config.destination }
    var name: String { config.name }
    /// The writer goes on without it.
    var isExpendable: Bool { config.onFailure == .continue }

    /// Takes the destination over, also when it throws. `failure`: the writer's, of its only output. `ofOutputs`: where
    /// failures of others are noted that the writer does not go on without; nil: not yet.
    init(_ config: OutputConfig, failure: FirstFailure? = nil, ofOutputs: FirstFailure? = nil) throws(StreamWriterError) {
        self.config = config
        bufferBytes = config.bufferSize ?? OutputIO.defaultBufferBytes
        isWritersOwn = failure != nil && config.onFailure != .continue
        self.failure = isWritersOwn ? failure ?? FirstFailure() : FirstFailure()
        do throws(StreamWriterError) {
            try require(bufferBytes, in: Limits.bufferBytes, "buffer_size")
            let found = try OutputFormat.resolve(format: config.format, name: config.destination.name).writing(config.destination.name)
            format = config.option.map { found.opened(with: $0) } ?? found
        } catch {
            config.destination.discard()
            throw error
        }
        holding = format
        state = Mutex(State(ofOutputs: config.onFailure == .continue ? nil : ofOutputs))
        let carrier = try config.destination.carrier(format: format, bufferBytes: bufferBytes, opener: config.opener)
        state.withLock { $0.carrier = carrier }
    }

    /// It has the stream, or some of its renditions.
    func takes(_ stream: Int) -> Bool { config.streams?.contains { $0.stream == stream } ?? true }

    /// `rendition`: its name; nil where the stream has no others.
    func takes(_ rendition: String?, of stream: Int) -> Bool {
        config.streams?.contains { $0.overlaps(StreamSelection(stream: stream, rendition: rendition)) } ?? true
    }

    /// The writer's streams that it has, in the order of its tracks.
    func streams(of count: Int) -> [Int] {
        var streams: [Int] = []
        for selection in config.streams ?? (0..<count).map({ StreamSelection(stream: $0) }) where !streams.contains(selection.stream) {
            streams.append(selection.stream)
        }
        return streams
    }

    // MARK: Opening

    /// What it is opened with, beside its streams.
    struct Opening {
        /// The writer's.
        var metadata: [String: String]
        var option: [String: String]
        var timeout: Double?
        /// Of those tracks; where an output is given, of those of them only that no other one has.
        var askForKeyFrames: @Sendable ([Track], _ unlessBeside: Output?) -> Void
    }

    /// Of all streams that the writer has, those of its own first. One that the writer can do without is opened while the
    /// writer goes on; nil: not yet.
    func open(_ parts: [PreparedStream], _ request: Opening, isOnly: Bool) throws(StreamWriterError) -> OpenedContainer? {
        let tracks = RenditionNames(parts).tracks(config.streams)
        var request = request
        let adaptive = AdaptiveOptions(tracks, of: parts)
        try adaptive.requireRates(of: format, request.option)
        request.option = adaptive.completed(request.option, of: format, destination: destination.name)
        let parameters = try tracks.map { (track) throws(StreamWriterError) in try parts[track.stream].parameters(of: track.rendition, in: self) }
        return try open(tracks, parameters, request, isOnly: isOnly)
    }

    /// Beside others, of streams that have begun.
    func openLate(_ tracks: [Track], of encoded: [EncodedStream], _ request: Opening, start: LateStart) throws(StreamWriterError) -> OpenedContainer? {
        let parameters = try tracks.map { (track) throws(StreamWriterError) in try encoded[track.stream].parameters(of: track.rendition, in: format) }
        lateStart = start
        return try open(tracks, parameters, request, isOnly: false)
    }

    /// The writer fails with it from here on. Once it is open, and before packets come.
    func share(_ ofOutputs: FirstFailure) throws(StreamWriterError) {
        if isExpendable { return }
        try failure.check()
        state.withLock { $0.ofOutputs = ofOutputs }
        try failure.check()
    }

    /// `parameters`: of its tracks.
    private func open(
        _ tracks: [Track], _ parameters: [StreamParameters], _ request: Opening, isOnly: Bool
    ) throws(StreamWriterError) -> OpenedContainer? {
        let option = request.option
        let askForKeyFrames = request.askForKeyFrames
        var opening = ContainerOpening(
            streams: parameters, metadata: config.metadata ?? request.metadata, option: option, timeout: config.openTimeout ?? request.timeout)
        opening.hasOwnTimeout = config.openTimeout != nil
        try adapt(&opening)
        holding = format.holding(option: option, destination: destination.name)
        guard let carrier = state.withLock({ $0.carrier }) else { throw StreamWriterError(.wrongState, "the output was ended") }
        if isOnly && needsNoThread {
            let container = try opening.locating { () throws(StreamWriterError) in try carrier.open(opening) }
            use(PacketSink(carrier: carrier, failure: failure))
            // A call would tell, and may be long in coming.
            carrier.whenBroken { [failure] in failure.record($0) }
            return container
        }
        let queue = try OutputQueue(
            plan(opening) { [weak self] wanted, unlessShared in
                guard let self else { return }
                askForKeyFrames(wanted.map { tracks[$0] }, unlessShared ? self : nil)
            }, carrier: carrier, failure: failure) { [weak self] in self?.note($0) }
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

    /// It has failed.
    private func note(_ error: StreamWriterError) {
        if isWritersOwn { return }
        state.withLock { $0.isLeaving ? nil : $0.ofOutputs }?.record(error.of(output: name))
    }

    private func plan(_ opening: ContainerOpening, _ askForKeyFrames: @escaping @Sendable ([Int], Bool) -> Void) -> OutputPlan {
        OutputPlan(
            name: name, ownsFailure: !isWritersOwn, opening: opening, waitsWhenSlow: config.whenSlow == .wait, pace: config.pace, isExpendable: isExpendable,
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
            case .needsGlobalHeader: throw lacksHeaders(parameters)
            case .filter(let name, let options):
                let filter = try translating(.encodingFailed) { () throws(LibavError) in try BitstreamFilter(name, options, parameters) }
                filters.append(filter)
                opening.streams[track] = filter.output
            }
        }
    }

    func lacksHeaders(_ parameters: StreamParameters) -> StreamWriterError {
        StreamWriterError(
            .unsupportedValue,
            "output \(name): \(format.name) needs the headers of \(parameters.codecName) before its first packet, which the encoder has not kept apart; give the output when the writer is made, or choose a format such as mpegts",
            parameter: "outputs")
    }

    // MARK: Packets

    /// On the thread of the packet's stream.
    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        guard let lateStart else { return try pass(packet, moreFollows: moreFollows) }
        let admitted = lateStart.admitted(packet)
        for (index, packet) in admitted.enumerated() { try pass(packet, moreFollows: moreFollows || index < admitted.count - 1) }
    }

    /// With its streams bringing no more.
    private func submitRest() {
        for packet in lateStart?.rest() ?? [] { try? pass(packet, moreFollows: true) }
    }

    private func pass(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        try within { queue throws(StreamWriterError) in
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
        try within { queue throws(StreamWriterError) in try queue.sendGathered() }
    }

    func flush() throws(StreamWriterError) {
        try within { queue throws(StreamWriterError) in try queue.flush() }
    }

    func beginFinish() {
        submitRest()
        queue?.beginFinish()
    }

    /// nil: it has failed, by itself.
    func finish() throws(StreamWriterError) -> FinishedContainer? {
        var finished: FinishedContainer?
        try within { queue throws(StreamWriterError) in finished = try queue.finish() }
        return finished
    }

    /// What fails is the output's own, unless it is the writer's only one: others go on, and the writer is told.
    private func within(_ body: (any PacketQueueing) throws(StreamWriterError) -> Void) throws(StreamWriterError) {
        guard let queue, isWritersOwn || failure.error == nil else { return }
        do throws(StreamWriterError) {
            try body(queue)
        } catch {
            // The thread of a stream may be at it still.
            if isLeaving { return }
            let error = failure.record(error)
            if isWritersOwn { throw error }
            note(error)
        }
    }

    /// Packets get into it, or will be in it.
    var isTaking: Bool { !isLeaving && [.opening, .open].contains(progress.state) }

    /// It was ended before the writer, or is being.
    var isLeaving: Bool { state.withLock { $0.isLeaving } }

    var isLate: Bool { lateStart != nil }

    /// Of one that was ended before the writer; nil of one that had failed.
    var finished: FinishedContainer? { state.withLock { $0.finished } }

    var mostBytes: Int64? {
        get { state.withLock { $0.mostBytes } }
        set { state.withLock { $0.mostBytes = newValue } }
    }

    // MARK: Leaving

    /// The writer notices nothing of it any more.
    func beginLeaving() { state.withLock { $0.isLeaving = true } }

    /// After `beginLeaving`, ends it before the writer ends: what it was given is written, and its container ended. How that went is in its
    /// progress, and is nobody else's failure. `time`: that it may take; nil: as long as it gets on. With packets coming
    /// no more but those that are on their way.
    func leave(within time: Duration?) {
        guard let queue else { return }
        submitRest()
        // There is nothing to be ended.
        if [.opening, .reconnecting].contains(queue.progress.state) { queue.interrupt() }
        let isOver = Monitor(false)
        if let time {
            // Without a thread it has its time.
            try? SystemThread.start(name: "output's end") {
                if isOver.wait(until: .after(time), { $0 ? true : nil }) == nil { queue.interrupt() }
            }
        }
        let finished = try? queue.finish()
        isOver.change { $0 = true }
        release()
        state.withLock { state in
            state.finished = finished
            if state.last.state == .failed, state.last.error == nil {
                state.last.error = state.last.attempts > 0 && state.last.packets > 0 ? Self.tooSlow : Self.neverOpen
            }
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
        guard !destination.isFile, !isLeaving, progress.state != .closed else { return }
        note(failure.record(Self.tooSlow))
        interrupt()
    }

    private static let tooSlow = StreamWriterError(.destinationFailed, "the destination did not take in time what there was for it")

    private static let neverOpen = StreamWriterError(.destinationFailed, "the output was ended before its destination was open")

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
