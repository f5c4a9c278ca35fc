import Libav
import Threading

/// Encodes audio and video chunk by chunk into one destination: torchaudio's class of that name.
/// Streams are added, the writer is opened, takes chunks, and is closed.
public final class StreamWriter: @unchecked Sendable {
    // Unchecked: `monitor` guards the state. What `isChanging` guards (the parts, the muxer) is
    // used by the one call that set it; libav is never called with the lock held.
    let monitor = ConditionLock()
    let failure = FirstFailure()
    let interruption = Interruption()
    let format: OutputFormat
    let destination: Destination
    let bufferBytes: Int
    let opener: (any OutputOpener)?
    let limits: WriterLimits
    private let onProgress: (@Sendable (Int, StreamProgress) -> Void)?
    var state = State.configuring
    var isChanging = false
    var output: OutputIO?
    var muxer: Muxer?
    var parts: [PreparedStream] = []
    var descriptions: [StreamDescription] = []
    var counters: [ProgressCounter] = []
    /// Of the streams, and of one that is being added.
    var calls: [StreamCalls] = []
    var sink: PacketSink?
    var streams: [OpenStream] = []
    /// Where a stream is filled while it sends nothing.
    var filling: StreamFilling?
    /// What the muxer takes of each stream's times, once it is open.
    var times: [KnownFaults.Times] = []
    /// The streams with a chunk in progress.
    var chunks: Set<Int> = []
    /// The size of the output, once the muxer is gone.
    var finalBytes: Int64 = 0
    /// The most that the container can tell of, once it is open.
    var mostBytes: Int64?
    /// When opening must have come back.
    var lastMomentOfOpening = Deadline.never
    /// Seconds that a peer may take that is to connect to this writer, once it has.
    var timeOfPeer: Double?

    enum State: String { case configuring, open, closed, aborted }

    /// Takes the destination over, also when it throws. `opener` decides about a destination that
    /// is a URL, and about every file and URL that the muxer opens by itself (playlists, segments);
    /// without one libav opens what it likes. `option` is what `open` will be given, where that is known: what streams
    /// lose in the container may depend on it. `onProgress` is told of each change of a stream's counters, on the
    /// thread that makes it, before a receipt tells of it.
    public init(
        destination: Destination, format: String?, bufferSize: Int? = nil, limits: WriterLimits = .init(),
        opener: (any OutputOpener)? = nil, option: [String: String]? = nil,
        onProgress: (@Sendable (Int, StreamProgress) -> Void)? = nil
    ) throws(StreamWriterError) {
        Log.install()
        self.onProgress = onProgress
        self.opener = opener
        self.destination = destination
        self.limits = limits
        bufferBytes = bufferSize ?? OutputIO.defaultBufferBytes
        do throws(StreamWriterError) {
            try require(bufferBytes, in: Limits.bufferBytes, "buffer_size")
            let found = try OutputFormat.resolve(format: format, name: destination.name).writing(destination.name)
            self.format = option.map { found.opened(with: $0) } ?? found
        } catch {
            destination.discard()
            throw error
        }
        try takeDestination()
    }

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
            try requireRoom(for: config)
            _ = Log.take()
            let calls = StreamCalls()
            monitor.withLock { self.calls = self.calls.prefix(parts.count) + [calls] }
            let added = try PreparedStream(config, index: parts.count, for: format, limits: limits, calls: calls)
            try format.require(parts + [added])
            parts.append(added)
            monitor.withLock {
                descriptions.append(added.description)
                counters.append(counter(of: counters.count))
            }
            return added.description.index
        }
    }

    private func counter(of stream: Int) -> ProgressCounter {
        guard let onProgress else { return ProgressCounter() }
        return ProgressCounter { onProgress(stream, $0) }
    }

    /// What was chosen for a stream. Any thread.
    public var streamCount: Int { monitor.withLock { min(descriptions.count, counters.count) } }

    public func description(of index: Int) -> StreamDescription {
        monitor.withLock { descriptions[index] }
    }

    /// Replaces the file's metadata.
    public func setMetadata(_ metadata: [String: String]) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in muxer?.setMetadata(metadata) }
    }

    /// Opens the destination and writes the header. `option` is for the protocol, the device
    /// and the muxer. `timeout`, in seconds: how long a peer may take to respond. One that is to
    /// connect to this writer may take as long as it likes until it does: `notePeerConnected` tells of that.
    public func open(option: [String: String] = [:], timeout: Double? = nil) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in
            guard !parts.isEmpty else {
                throw StreamWriterError(.wrongState, "a writer needs a stream before it is opened")
            }
            _ = Log.take()
            try openInTime(timeout, awaitingPeer: destination.awaitsPeer(option: option)) { () throws(StreamWriterError) in
                try openMuxer(option, timeout: timeout)
            }
            let sink = PacketSink(
                muxer: muxer!, timeBases: parts.map(\.description.timeBase), failure: failure)
            let holding = format.holding(option: option, destination: destination.name)
            let segments = parts.map { $0.segmentKeyFrames(of: format, option) }
            let opened = zip(zip(parts, counters), segments).map {
                OpenStream($0.0, sink: sink, progress: $0.1, failure: failure, format: holding, segments: $1, isLive: destination.isLive)
            }
            let described = zip(parts, segments).map { $0.description(with: $1, of: format, option) }
            parts = []
            monitor.withLock {
                descriptions = described
                self.sink = sink
                streams = opened
                times = opened.indices.map { muxer!.times(of: $0) }
                state = .open
            }
            startFilling()
        }
    }

    /// Describes the streams as they would be once opened with `option`, for a dry run that opens nothing.
    public func foresee(option: [String: String]) throws(StreamWriterError) {
        try changing(.configuring) { () throws(StreamWriterError) in
            let described = parts.map { $0.description(with: $0.segmentKeyFrames(of: format, option), of: format, option) }
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
                try requireLength(duration, of: index)
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
            try sink?.flush()
        }
    }

    /// Drains the encoders, ends the container and closes the destination. Stays open with `invalidSamples`.
    public func close() throws(StreamWriterError) -> WriterSummary {
        try changing(.open) { () throws(StreamWriterError) in
            try requireNoChunk()
            for stream in streams { try stream.requireFinishable() }
            try requireEveryStream()
            try levelEnds()
            defer { if failure.error != nil { release() } }
            for stream in streams { try stream.finish() }
            var written: [PacketTally] = []
            try sink?.withMuxer { muxer throws(LibavError) in
                try muxer.finish()
                written = muxer.tallies
            }
            let summary = summarize(written, late: sink?.secondsLate ?? written.map { _ in 0 })
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
        interruption.request()
        // A stream that is being filled may be waiting for its encoder.
        for stream in monitor.withLock({ streams }) { stream.pipeline.wakeUp() }
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
        interruption.request()
        for stream in monitor.withLock({ streams }) { stream.pipeline.wakeUp() }
    }

    // MARK: Watching

    /// How far a stream is. Any thread.
    public func progress(of stream: Int) -> StreamProgress {
        monitor.withLock { counters[stream] }.current
    }

    /// The calls of libav that filters and encoders are at. One that stays the same for long does not
    /// come back. Waiting for the destination, or for the next chunk, is none. Any thread.
    public var callsUnderWay: [CallUnderWay] {
        monitor.withLock { calls }.enumerated().flatMap { stream, calls in
            [CallUnderWay(stream, .filters, calls.filters), CallUnderWay(stream, .encoder, calls.encoder)]
                .compactMap { $0 }
        }
    }

    /// Opening has come to its end in time but for a while in which libav gives up; one that does not come back is
    /// in a call that asks for nothing, such as looking a name up. Any thread.
    public var isOpeningOverdue: Bool { monitor.withLock { lastMomentOfOpening.hasPassed } }

    /// The size of the output so far. Any thread.
    public var bytesWritten: Int64 {
        monitor.withLock { muxer?.bytesWritten ?? finalBytes }
    }
}
