import Bytewise
import Libav

// What the public calls are made of.
extension StreamWriter {
    /// Runs one call at a time that changes the writer, if its state allows it.
    func changing<T>(
        _ required: State, _ body: () throws(StreamWriterError) -> T
    ) throws(StreamWriterError) -> T {
        try monitor.withLock { () throws(StreamWriterError) in
            while isChanging { monitor.wait() }
            try requireState(required)
            isChanging = true
        }
        defer {
            monitor.withLock {
                isChanging = false
                monitor.wakeAll()
            }
        }
        return try body()
    }

    /// With the lock held.
    func requireState(_ required: State) throws(StreamWriterError) {
        try checkNotFailed()
        guard state != required else { return }
        throw StreamWriterError(
            .wrongState, "the writer is \(state.rawValue); this needs it to be \(required.rawValue)")
    }

    func checkNotFailed() throws(StreamWriterError) {
        try failure.check()
        try failureOfOutputs.check()
    }

    /// With nothing else changing the writer.
    func requireNoChunk() throws(StreamWriterError) {
        let busy = monitor.withLock { chunks.min() }
        guard let busy else { return }
        throw StreamWriterError(.chunkInProgress, "a chunk of stream \(busy) is in progress")
    }

    // MARK: Chunks

    /// Makes a stream's next chunk the caller's.
    func reserve(_ index: Int) throws(StreamWriterError) -> OpenStream {
        try monitor.withLock { () throws(StreamWriterError) in
            while isChanging { monitor.wait() }
            try requireState(.open)
            guard streams.indices.contains(index) else {
                throw StreamWriterError(
                    .noSuchStream, "the writer has no stream \(index)",
                    supported: streams.indices.map { "\($0)" })
            }
            guard chunks.insert(index).inserted else {
                throw StreamWriterError(.chunkInProgress, "a chunk of stream \(index) is in progress")
            }
            return streams[index]
        }
    }

    func endChunk(_ index: Int) {
        monitor.withLock {
            chunks.remove(index)
            monitor.wakeAll()
        }
    }

    /// The tick of a time that has passed, where what comes late is left out; nil: the next frame goes there.
    func jump(_ index: Int, _ stream: OpenStream, to pts: Double) throws(StreamWriterError) -> Int64? {
        guard pts.isFinite, pts >= 0, pts <= Limits.pts else {
            throw StreamWriterError(
                .invalidParameter, "pts must be a number of seconds from 0 to \(Int(Limits.pts))",
                parameter: "pts")
        }
        let tick = stream.tick(pts)
        if tick < stream.earliestTick, stream.live.dropsLate { return tick }
        guard tick >= stream.earliestTick else {
            throw StreamWriterError(
                .ptsTooEarly, "pts \(pts) is before the stream's next, \(stream.earliestPTS)",
                parameter: "pts", expectedPTS: stream.earliestPTS)
        }
        try requireTime(pts, of: index, stream)
        try requireTick(tick, of: index, stream)
        try filling?.requireFillable(beside: stream, upTo: pts)
        try stream.awaitFrame(at: tick)
        stream.countAccepted()
        return nil
    }

    /// A picture that is longer than the container can say would lose the file, and so may one that is shorter.
    func requireLength(_ duration: Double, of ticks: Int64, _ stream: OpenStream) throws(StreamWriterError) {
        for bound in monitor.withLock({ times[stream.index] }) {
            if let tick = bound.times.tick, stream.assembler.rate.fraction.inverse.isShorter(ticks, thanTickOf: tick) {
                throw StreamWriterError(
                    .invalidParameter, "duration \(duration) is too short for \(bound.format), which counts time in \(Rational(tick)) s", parameter: "duration")
            }
            guard let longest = bound.longestGap, duration > longest else { continue }
            throw StreamWriterError(
                .invalidParameter, "duration \(duration) is too long for \(bound.format), which takes up to \(longest) s",
                parameter: "duration")
        }
    }

    /// Times that the muxer would fail at are refused before they are taken.
    private func requireTime(_ pts: Double, of index: Int, _ stream: OpenStream) throws(StreamWriterError) {
        for bound in monitor.withLock({ times[index] }) {
            if let latest = bound.times.latest, pts > latest {
                throw StreamWriterError(
                    .invalidParameter, "pts \(pts) is too late for \(bound.format), which takes times up to \(latest) s", parameter: "pts")
            }
            guard let longest = bound.longestGap, pts - stream.endPTS > longest,
                bound.times.countsFromZero || stream.progress.current.frames > 0
            else { continue }
            throw StreamWriterError(
                .invalidParameter,
                "pts \(pts) is \(pts - stream.endPTS) s after the end of what stream \(index) has; \(bound.format) takes gaps of at most \(longest) s, so up to \(stream.endPTS + longest)",
                parameter: "pts")
        }
    }

    /// Of two pictures within one tick of the container's, the second would have no time.
    private func requireTick(_ tick: Int64, of index: Int, _ stream: OpenStream) throws(StreamWriterError) {
        // One that is to fill a gap at the start is at zero.
        guard let given = stream.assembler.lastOwnTick, given >= 0 || stream.fillsGap(upTo: tick) else { return }
        let last = max(0, given)
        let timeBase = stream.assembler.rate.fraction.inverse
        for bound in monitor.withLock({ times[index] }) {
            guard let unit = bound.times.tick, timeBase.rescale(tick, to: unit) <= timeBase.rescale(last, to: unit) else { continue }
            let (pts, before) = (stream.seconds(tick), stream.seconds(last))
            throw StreamWriterError(
                .invalidParameter,
                "pts \(pts) is too near the picture before, at \(before), for \(bound.format), which counts time in \(Rational(unit)) s; go on from pts \(before + unit.doubleValue)",
                parameter: "pts")
        }
    }

    /// A muxer that takes packets only in the order of their times has written later ones of other streams.
    func requireOrder(_ stream: OpenStream, from pts: Double?) throws(StreamWriterError) {
        for output in holders(of: stream.index) {
            guard let written = output.forcedUpTo, (pts ?? stream.nextPTS) < written else { continue }
            throw Self.outOfOrder(output.format.name, written)
        }
    }

    private static func outOfOrder(_ format: String, _ written: Double) -> StreamWriterError {
        StreamWriterError(
            .ptsTooEarly,
            "\(format) is written in the order of time, and has other streams up to \(written) s; go on from there with pts=\(written)",
            parameter: "pts", expectedPTS: written)
    }

    /// A muxer may not be able to end without packets in all of its streams.
    func requireEveryStream() throws(StreamWriterError) {
        for output in outputs where !output.isLeaving {
            let indexes = output.streams(of: streams.count)
            let missing = KnownFaults.missingStream(
                in: output.format.name, isSilent: indexes.map { streams[$0].progress.current.frames == 0 && streams[$0].progress.current.idleSeconds == 0 },
                isAudio: indexes.map { descriptions[$0].kind == .audio })
            guard let missing else { continue }
            throw StreamWriterError(
                .invalidSamples, "stream \(indexes[missing]) has no frame, and \(output.format.name) can't end without; send some, or DELETE the writer")
        }
    }

    // MARK: Adding

    /// Of some encoders there may be few in a process.
    func requireRoom(for config: StreamConfig) throws(StreamWriterError) {
        var codecs = descriptions.flatMap { $0.renditions.map(\.encoder) }
        for (place, encoding) in config.encodings.enumerated() {
            guard case .video(let video) = encoding.config, let name = video.encoder, let codec = Codec(named: name) else { continue }
            if let most = KnownFaults.most[codec.name], codecs.count(where: { $0 == codec.name }) >= most {
                throw StreamWriterError(
                    .invalidParameter, "encoder: a writer takes \(most) streams of \(codec.name), which hangs when memory runs out",
                    parameter: "encoder"
                ).of(rendition: encoding.name, at: place)
            }
            codecs.append(codec.name)
        }
    }

    // MARK: Ending

    /// After the trailers of `outputs`.
    func summarize(_ outputs: [Output], _ finished: [FinishedContainer?]) -> WriterSummary {
        let totals = counters.map(\.current)
        let spans = totals.compactMap(\.encodedSpan)
        let end = spans.map(\.upperBound).max() ?? 0
        let names = RenditionNames(descriptions)
        let ends = zip(outputs, finished).map { output, container in
            container.map { WriterSummary.Output(name: output.name, bytesWritten: output.bytesWritten, tracks: self.tracks(of: output, names, $0)) }
        }
        return WriterSummary(
            bytesWritten: bytesWritten, duration: end - (spans.map(\.lowerBound).min() ?? 0),
            streams: descriptions.indices.map { index in
                let late = descriptions[index].renditions.indices.map { secondsLate(Track(stream: index, rendition: $0), outputs, finished) }
                return WriterSummary.Stream(totals[index], of: descriptions[index], secondsLate: late)
            }, outputs: ends)
    }

    private func tracks(of output: Output, _ names: RenditionNames, _ container: FinishedContainer) -> [WriterSummary.Track] {
        zip(names.tracks(output.config.streams), container.written).map { track, written in
            WriterSummary.Track(
                stream: track.stream, rendition: names.names[track.stream][track.rendition], kind: descriptions[track.stream].kind, written: written)
        }
    }

    /// The first output tells that has it.
    private func secondsLate(_ track: Track, _ outputs: [Output], _ finished: [FinishedContainer?]) -> Double {
        let names = RenditionNames(descriptions)
        for (output, container) in zip(outputs, finished) {
            guard let container, let index = names.tracks(output.config.streams).firstIndex(of: track) else { continue }
            return output.destination.isFile ? container.secondsLate[index] : 0
        }
        return 0
    }

    /// Ends the threads and frees what libav has. With nothing else changing the writer.
    func release() {
        let streams = monitor.withLock { self.streams }
        filling?.end()
        for stream in streams { stream.shutDown() }
        for stream in streams { stream.free() }
        freeParts()
        monitor.withLock { self.streams = [] }
        // Last: closing a connection takes time.
        for output in outputs { output.release() }
    }

    /// Of a writer that was not opened. Freeing an encoder is a call like others.
    private func freeParts() {
        while let calls = parts.last?.calls.encoders[0] { calls.tracking { _ = parts.removeLast() } }
    }
}

extension StreamWriter.TimeBound {
    /// Seconds; between the last packet's start and its end there may be one.
    fileprivate var longestGap: Double? { times.longestGap.map { max(0, $0 - 1) } }
}
