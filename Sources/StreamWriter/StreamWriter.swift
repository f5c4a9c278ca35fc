import Libav
import Synchronization
import Threading

/// Encodes audio and video chunk by chunk into one destination, or several: torchaudio's class of that name.
/// Streams are added, the writer is opened, takes chunks, and is closed.
public final class StreamWriter: @unchecked Sendable {
    // Unchecked: `monitor` guards the state. What `isChanging` guards (the parts) is
    // used by the one call that set it; libav is never called with the lock held.
    let monitor = ConditionLock()
    /// Of the encoding, and of what has the writer for its only output: nothing goes on after it.
    let failure = FirstFailure()
    /// Of an output that the writer does not go on without: no more is taken, and the others can be ended.
    let failureOfOutputs = FirstFailure()
    private let outputList: Mutex<[Output]>
    let limits: WriterLimits
    private let onProgress: (@Sendable (Int, StreamProgress) -> Void)?
    var state = State.configuring
    var isChanging = false
    /// The encoders have been emptied, or are being.
    var isEnding = false
    var metadata: [String: String] = [:]
    var parts: [PreparedStream] = []
    var descriptions: [StreamDescription] = []
    var counters: [ProgressCounter] = []
    /// Of the streams, and of one that is being added.
    var calls: [StreamCalls] = []
    var streams: [OpenStream] = []
    /// What the container takes of each stream's times, once it is open.
    var times: [[TimeBound]] = []
    /// What is encoded, once it is open, and where its packets go: by stream, and of its renditions.
    var encoded: [EncodedStream] = []
    var fans: [[PacketFan]] = []
    /// Of outputs, beside everything else.
    var outputChanges = OutputChanges()
    /// Where a stream is filled while it sends nothing.
    var filling: StreamFilling?
    /// The streams with a chunk in progress.
    var chunks: Set<Int> = []

    enum State: String { case configuring, open, closed, aborted }

    /// Takes the destination over, also when it throws. `opener` decides about a destination that
    /// is a URL, and about every file and URL that the muxer opens by itself (playlists, segments);
    /// without one libav opens what it likes. `option` is what `open` will be given, where that is known: what streams
    /// lose in the container may depend on it. `onProgress` is told of each change of a stream's counters, on the
    /// thread that makes it, before a receipt tells of it.
    public convenience init(
        destination: Destination, format: String?, bufferSize: Int? = nil, limits: WriterLimits = .init(),
        opener: (any OutputOpener)? = nil, option: [String: String]? = nil,
        onProgress: (@Sendable (Int, StreamProgress) -> Void)? = nil
    ) throws(StreamWriterError) {
        var output = OutputConfig(destination: destination, format: format)
        output.bufferSize = bufferSize
        output.opener = opener
        output.option = option
        try self.init(outputs: [output], limits: limits, onProgress: onProgress)
    }

    /// The same for several destinations, each of which gets the packets of its streams. Their names differ. The first is
    /// the one that the writer is known by.
    public init(
        outputs configs: [OutputConfig], limits: WriterLimits = .init(), onProgress: (@Sendable (Int, StreamProgress) -> Void)? = nil
    ) throws(StreamWriterError) {
        Log.install()
        self.onProgress = onProgress
        self.limits = limits
        var made: [Output] = []
        for (index, config) in configs.enumerated() {
            do throws(StreamWriterError) {
                made.append(try configs.count == 1 ? Output(config, failure: failure) : Output(config, ofOutputs: failureOfOutputs))
            } catch {
                for rest in configs[(index + 1)...] { rest.destination.discard() }
                throw error.of(output: configs.count > 1 ? config.name : nil)
            }
        }
        precondition(!made.isEmpty, "a writer without an output")
        outputList = Mutex(made)
    }

    /// The first is there as long as the writer.
    var outputs: [Output] { outputList.withLock { $0 } }

    func changeOutputs(_ change: (inout [Output]) -> Void) { outputList.withLock { change(&$0) } }

    deinit { abort() }

    /// Loads what every writer needs, so that forks of this process share it, and forgets the proxies
    /// of the environment: a destination's address is all that may decide where it goes.
    public static func warmUp() {
        Log.install()
        ProxyEnvironment.forget()
        _ = OutputFormat(named: "wav")
    }

    /// Nothing of what encoders' libraries print reaches this process's standard error from here on; errors
    /// are in the log of the problem they are about.
    public static func silenceLibraries() { Log.takeStandardError() }

    /// The muxer of a format override, a URL's scheme or a file name's extension.
    public static func resolveMuxer(
        format: String?, name: String
    ) throws(StreamWriterError) -> MuxerInfo {
        Log.install()
        return MuxerInfo(try OutputFormat.resolve(format: format, name: name))
    }

    // MARK: Configuring

    /// Adds a stream and opens its encoder; the stream's index.
    public func addStream(_ config: StreamConfig) throws(StreamWriterError) -> Int {
        try changing(.configuring) { () throws(StreamWriterError) in
            try limits.check(streams: parts.count + 1)
            try config.checkRenditions(limits)
            try requireRoom(for: config)
            _ = Log.take()
            let calls = StreamCalls(renditions: config.encodings.count)
            monitor.withLock { self.calls = self.calls.prefix(parts.count) + [calls] }
            let added = try prepare(config, calls)
            try added.liveTraits.check(beside: parts.map(\.liveTraits))
            parts.append(added)
            monitor.withLock {
                descriptions.append(added.description)
                counters.append(counter(of: counters.count, renditions: added.renditions.count))
            }
            return added.description.index
        }
    }

    private func counter(of stream: Int, renditions: Int) -> ProgressCounter {
        guard let onProgress else { return ProgressCounter(renditions: renditions) }
        return ProgressCounter(renditions: renditions) { onProgress(stream, $0) }
    }

    /// What was chosen for a stream. Any thread.
    public var streamCount: Int { monitor.withLock { min(descriptions.count, counters.count) } }

    public func description(of index: Int) -> StreamDescription {
        monitor.withLock { descriptions[index] }
    }

    /// Replaces the file's metadata.
    public func setMetadata(_ metadata: [String: String]) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in self.metadata = metadata }
    }

    /// Opens the destination and writes the header. `option` is for the protocol, the device
    /// and the muxer. `timeout`, in seconds: how long a peer may take to respond. One that is to
    /// connect to this writer may take as long as it likes.
    public func open(option: [String: String] = [:], timeout: Double? = nil) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in
            guard !parts.isEmpty else {
                throw StreamWriterError(.wrongState, "a writer needs a stream before it is opened")
            }
            _ = Log.take()
            try requireOutputs()
            let bounds = try openOutputs(option, timeout: timeout)
            let segments = parts.map { segmentKeyFrames(of: $0, option) }
            let fans = makeFans()
            let opened = parts.indices.map { index in
                OpenStream(
                    parts[index], ways: ways(of: parts[index], fans[index], segments[index]), progress: counters[index], failure: failure,
                    isLive: holders(of: index).contains { $0.destination.isLive })
            }
            let described = zip(parts, segments).map { $0.description(with: $1) }
            let encoded = try parts.map { (part) throws(StreamWriterError) in try EncodedStream(part) }
            parts = []
            monitor.withLock {
                descriptions = described
                streams = opened
                self.encoded = encoded
                self.fans = fans
                times = bounds.times
                state = .open
            }
            startFilling()
        }
    }

    /// Describes the streams as they would be once opened with `option`, for a dry run that opens nothing.
    public func foresee(option: [String: String]) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in
            let described = parts.map { $0.description(with: segmentKeyFrames(of: $0, option)) }
            monitor.withLock { descriptions = described }
        }
    }

    // MARK: Writing

    /// Begins a chunk, the only one of its stream at the time. `pts`, in seconds, is where its
    /// first frame goes; without it, where the last chunk ended. With `keyFrame` the first picture, of
    /// this chunk or, if it has none that is whole, of the next, is encoded as a key frame. `duration`, in seconds, is
    /// how long the last picture is; without it, as long as the frame rate says.
    public func beginChunk(
        stream index: Int, pts: Double?, duration: Double? = nil, keyFrame: Bool = false
    ) throws(StreamWriterError) -> Chunk {
        let stream = try reserve(index)
        stream.live.takeTurn()
        defer { stream.live.giveTurn() }
        do throws(StreamWriterError) {
            if keyFrame { try stream.requireKeyFrames() }
            try requireOrder(stream, from: stream.live.dropsLate ? pts.map { max($0, stream.nextPTS) } : pts)
            let ticks: Int64?
            if let duration {
                ticks = try stream.ticks(ofPicture: duration)
                try requireLength(duration, of: ticks!, stream)
                try stream.requireFillable(duration: ticks!)
            } else {
                ticks = nil
            }
            let late = if let pts { try jump(index, stream, to: pts) } else { nil as Int64? }
            if keyFrame { stream.askForKeyFrame() }
            return Chunk(writer: self, index: index, stream: stream, start: late, lastTicks: ticks)
        } catch {
            endChunk(index)
            throw error
        }
    }

    /// Brings what the encoders have made so far to the destination. The finished file is the same as without.
    /// Filters and encoders are not drained, so what they hold back for later frames, and samples that are no
    /// whole frame of the encoder yet, come later.
    public func flush() throws(StreamWriterError) {
        try changing(.open) { () throws(StreamWriterError) in
            try requireNoChunk()
            for stream in streams { try stream.flush() }
            for output in outputs where !output.isLeaving { try output.flush() }
        }
    }

    /// Drains the encoders, ends the container and closes the destination. Stays open with `invalidSamples`.
    /// An output that is no file and has not ended within `outputsTime` fails; nil: as long as they get on.
    public func close(outputsTime: Duration? = nil) throws(StreamWriterError) -> WriterSummary {
        try changing(.open) { () throws(StreamWriterError) in
            try requireNoChunk()
            endJoining()
            defer { if failure.error == nil { allowOutputChanges() } }
            for stream in streams { try stream.requireFinishable() }
            try requireEveryStream()
            try levelEnds()
            defer {
                if failure.error != nil {
                    interruptOutputChanges()
                    release()
                }
            }
            let summary = try withOutputs(within: outputsTime) { () throws(StreamWriterError) in
                monitor.withLock { isEnding = true }
                do throws(StreamWriterError) {
                    for stream in streams { try stream.finish() }
                } catch {
                    _ = try? finish(outputs)
                    throw error
                }
                let outputs = outputs
                let finished = try finish(outputs)
                // What is being ended by itself has kept none of these.
                awaitLeaving()
                return summarize(outputs, finished)
            }
            release()
            monitor.withLock { state = .closed }
            return summary
        }
    }

    /// Frees everything without ending the container. Any time, any thread; calls that are
    /// under way fail.
    public func abort() {
        monitor.lock()
        let ends = state == .configuring || state == .open
        monitor.unlock()
        if ends { failure.record(StreamWriterError(.wrongState, "the writer is aborted")) }
        for output in outputs { output.interrupt() }
        interruptOutputChanges()
        // A stream that is being filled may be waiting for its encoder.
        for stream in monitor.withLock({ streams }) { stream.wakeUp() }
        monitor.withLock {
            while isChanging { monitor.wait() }
            isChanging = true
            if state != .closed { state = .aborted }
        }
        release()
        monitor.withLock {
            isChanging = false
            monitor.wakeAll()
        }
    }

    /// Makes every other call fail, with this error, as soon as it looks or while it waits for the destination;
    /// waits for none. Any thread.
    public func interrupt(_ error: StreamWriterError) {
        failure.record(error)
        for output in outputs + monitor.withLock({ outputChanges.joining + outputChanges.leaving }) { output.interrupt() }
        for stream in monitor.withLock({ streams }) { stream.wakeUp() }
    }

    // MARK: Watching

    /// What every call answers with from here on, whether one has come or not; nil: nothing has failed. Any thread.
    public var firstFailure: StreamWriterError? { failure.error ?? failureOfOutputs.error }

    /// How far a stream is. Any thread.
    public func progress(of stream: Int) -> StreamProgress {
        monitor.withLock { counters[stream] }.current
    }

    /// The calls of libav that filters and encoders are at. One that stays the same for long does not
    /// come back. Waiting for the destination, or for the next chunk, is none. Any thread.
    public var callsUnderWay: [CallUnderWay] {
        monitor.withLock { calls }.enumerated().flatMap { stream, calls in
            [CallUnderWay(stream, .filters, calls.filters)].compactMap { $0 }
                + calls.encoders.enumerated().compactMap { CallUnderWay(stream, .encoder, $1, rendition: $0) }
        }
    }

    /// The size of the first output so far. Any thread.
    public var bytesWritten: Int64 { outputs[0].bytesWritten }

    /// How each output is doing, in their order. Any thread.
    public var outputProgress: [OutputProgress] { outputs.map(\.progress) }

    /// How the output of that name is doing; nil: there is none any more, or yet. Any thread.
    public func progress(ofOutput name: String) -> OutputProgress? { output(named: name)?.progress }
}
