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
        try failure.check()
        guard state != required else { return }
        throw StreamWriterError(
            .wrongState, "the writer is \(state.rawValue); this needs it to be \(required.rawValue)")
    }

    func checkNotFailed() throws(StreamWriterError) { try failure.check() }

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
        try filling?.requireFillable(beside: stream, upTo: pts)
        try stream.awaitFrame(at: tick)
        stream.countAccepted()
        return nil
    }

    /// A picture that is longer than the container can say would lose the file.
    func requireLength(_ duration: Double, of index: Int) throws(StreamWriterError) {
        guard let longest = monitor.withLock({ times[index].longestGap }).map({ max(0, $0 - 1) }), duration > longest else { return }
        throw StreamWriterError(
            .invalidParameter, "duration \(duration) is too long for \(format.name), which takes up to \(longest) s",
            parameter: "duration")
    }

    /// Times that the muxer would fail at are refused before they are taken.
    private func requireTime(_ pts: Double, of index: Int, _ stream: OpenStream) throws(StreamWriterError) {
        let times = monitor.withLock { self.times[index] }
        if let latest = times.latest, pts > latest {
            throw StreamWriterError(
                .invalidParameter, "pts \(pts) is too late for \(format.name), which takes times up to \(latest) s", parameter: "pts")
        }
        // Between the last packet's start and its end there may be a second.
        guard let longest = times.longestGap.map({ max(0, $0 - 1) }), pts - stream.endPTS > longest,
            times.countsFromZero || stream.progress.current.frames > 0
        else { return }
        throw StreamWriterError(
            .invalidParameter,
            "pts \(pts) is \(pts - stream.endPTS) s after the end of what stream \(index) has; \(format.name) takes gaps of at most \(longest) s, so up to \(stream.endPTS + longest)",
            parameter: "pts")
    }

    /// A muxer that takes packets only in the order of their times has written later ones of other streams.
    func requireOrder(_ stream: OpenStream, from pts: Double?) throws(StreamWriterError) {
        guard let sink, sink.needsOrder, let written = sink.forcedUpTo, (pts ?? stream.nextPTS) < written
        else { return }
        throw StreamWriterError(
            .ptsTooEarly,
            "\(format.name) is written in the order of time, and has other streams up to \(written) s; go on from there with pts=\(written)",
            parameter: "pts", expectedPTS: written)
    }

    /// A muxer may not be able to end without packets in all of its streams.
    func requireEveryStream() throws(StreamWriterError) {
        let isSilent = streams.map { $0.progress.current.frames == 0 && $0.progress.current.idleSeconds == 0 }
        guard
            let missing = KnownFaults.missingStream(
                in: format.name, isSilent: isSilent, isAudio: descriptions.map { $0.kind == .audio })
        else { return }
        throw StreamWriterError(
            .invalidSamples, "stream \(missing) has no frame, and \(format.name) can't end without; send some, or DELETE the writer")
    }

    // MARK: Adding

    /// Of some encoders there may be few in a process.
    func requireRoom(for config: StreamConfig) throws(StreamWriterError) {
        guard case .video(let video) = config, let name = video.encoder, let codec = Codec(named: name),
            let most = KnownFaults.most[codec.name], descriptions.count(where: { $0.encoder == codec.name }) >= most
        else { return }
        throw StreamWriterError(
            .invalidParameter, "encoder: a writer takes \(most) streams of \(codec.name), which hangs when memory runs out",
            parameter: "encoder")
    }

    // MARK: Opening

    /// In `init`.
    func takeDestination() throws(StreamWriterError) {
        let ask = opener.map { opener in { @Sendable name in opener.permission(toOpen: name).answer } }
        do throws(LibavError) {
            switch destination.target {
            case .file(let descriptor):
                output = try OutputIO(
                    descriptor: descriptor, bufferBytes: bufferBytes, packetBytes: destination.packetBytes, interruption: interruption,
                    onWrite: destination.onWrite)
                muxer = try Muxer(format: format, url: nil, interruption: interruption, opener: ask)
            case .url(let name), .device(let name):
                muxer = try Muxer(format: format, url: name, interruption: interruption, opener: ask)
            }
        } catch {
            throw StreamWriterError(error, .outOfMemory)
        }
        guard output != nil, format.opensItself else { return }
        throw StreamWriterError(
            .unsupportedValue, "\(format.name) does not write one stream of bytes to one file",
            parameter: "format")
    }

    /// Opens in the time there is; nil: as long as it takes.
    func openInTime(
        _ seconds: Double?, awaitingPeer: Bool, _ body: () throws(StreamWriterError) -> Void
    ) throws(StreamWriterError) {
        if awaitingPeer { monitor.withLock { timeOfPeer = seconds } } else if let seconds { limitOpening(to: seconds) }
        defer {
            monitor.withLock {
                timeOfPeer = nil
                lastMomentOfOpening = .never
            }
            interruption.lift()
        }
        do throws(StreamWriterError) {
            try body()
        } catch {
            guard let seconds, interruption.hasTimedOut else { throw failure.record(error) }
            throw failure.record(.timedOut(after: seconds, error.log))
        }
    }

    private func limitOpening(to seconds: Double) {
        interruption.limit(until: .after(.seconds(seconds)))
        monitor.withLock { lastMomentOfOpening = .after(.seconds(seconds) + (destination.givesOpeningUp ? Limits.openingGrace : .zero)) }
    }

    /// The peer that the opening waits for has connected, and has its time from here on. Any thread.
    public func notePeerConnected() {
        let seconds = monitor.withLock {
            defer { timeOfPeer = nil }
            return timeOfPeer
        }
        if let seconds { limitOpening(to: seconds) }
    }

    func openMuxer(_ option: [String: String], timeout: Double?) throws(StreamWriterError) {
        guard let muxer else { return }
        for part in parts {
            try translating(.outOfMemory) { () throws(LibavError) in
                _ = try muxer.addStream(part.parameters)
            }
        }
        let completed =
            destination.isFile
            ? format.completed(option, hasPictures: descriptions.contains { $0.kind == .video }, named: destination.name)
            : destination.defaults(timeout: timeout).merging(option) { $1 }
        if destination.isFile { mostBytes = format.mostBytes(option: completed) }
        var options = Options(completed)
        try openDestination(muxer, &options, option)
        muxer.settlingTime = destination.settlingTime(option: option)
        if let option = muxer.reservation(above: Limits.bufferBytes.upperBound, in: options) {
            throw StreamWriterError(
                .invalidParameter, "\(option) may reserve at most \(Limits.bufferBytes.upperBound) bytes",
                parameter: "option.\(option)")
        }
        do throws(LibavError) {
            try muxer.initialize(&options)
        } catch {
            throw muxerRefused(error, muxer, option)
        }
        let leftovers = options.leftovers
        guard leftovers.isEmpty else { throw unknownOptions(leftovers) }
        setInterleaving(of: muxer, option)
        do throws(LibavError) {
            try muxer.writeHeader()
        } catch {
            throw muxerRefused(error, muxer, option)
        }
    }

    /// How long packets wait for those of streams that have none.
    private func setInterleaving(of muxer: Muxer, _ option: [String: String]) {
        if option["max_interleave_delta"] != nil { return }
        if destination.isLive {
            muxer.interleaveSeconds = Limits.liveHeldSeconds
        } else if KnownFaults.needsOrder(format.name) || KnownFaults.dropsHeldPackets(format.name) || KnownFaults.ending(of: format.name) != .apart {
            // What is written too early could not be followed by what comes late.
            muxer.interleaveSeconds = nil
        } else if OutputFormat.movFamily.contains(format.name), format.seeksBack(option: option) {
            // It can't be read before its end: only memory bounds what waits.
            muxer.interleaveSeconds = nil
        }
    }

    private func openDestination(_ muxer: Muxer, _ options: inout Options, _ given: [String: String]) throws(StreamWriterError) {
        if let output {
            muxer.attach(output)
            return
        }
        do throws(LibavError) {
            if !format.opensItself {
                try muxer.openURL(destination.name, &options)
            } else if !format.isDevice {
                try muxer.reachOnly(destination.name)
            }
        } catch {
            throw StreamWriterError(openingDestination: error, options: given)
        }
    }

    private func muxerRefused(
        _ error: LibavError, _ muxer: Muxer, _ option: [String: String]
    ) -> StreamWriterError {
        if let option = error.option { return unknownOptions([option]) }
        if muxer.isDestinations(error) { return StreamWriterError(openingDestination: error, options: option) }
        return StreamWriterError(beginning: error, options: option.keys.sorted())
    }

    private func unknownOptions(_ keys: [String]) -> StreamWriterError {
        StreamWriterError.unknownOptions(keys, ofMuxer: format.name)
    }

    // MARK: Ending

    /// After the trailer, while the muxer is there.
    func summarize(_ written: [PacketTally], late: [Double]) -> WriterSummary {
        let totals = counters.map(\.current)
        let spans = totals.compactMap(\.encodedSpan)
        let end = spans.map(\.upperBound).max() ?? 0
        return WriterSummary(
            bytesWritten: bytesWritten, duration: end - (spans.map(\.lowerBound).min() ?? 0),
            streams: descriptions.indices.map {
                .init(totals[$0], of: descriptions[$0], written: written[$0], secondsLate: destination.isFile ? late[$0] : 0)
            })
    }

    /// Ends the threads and frees what libav has. With nothing else changing the writer.
    func release() {
        let (streams, sink) = monitor.withLock { (self.streams, self.sink) }
        filling?.end()
        for stream in streams { stream.pipeline.shutDown() }
        sink?.shutDown()
        for stream in streams { stream.free() }
        freeParts()
        let muxer = monitor.withLock {
            defer { self.muxer = nil }
            finalBytes = self.muxer?.bytesWritten ?? finalBytes
            self.streams = []
            self.sink = nil
            return self.muxer
        }
        // Last, outside the lock: closing a connection takes time.
        _ = consume muxer
        output = nil
    }

    /// Of a writer that was not opened. Freeing an encoder is a call like others.
    private func freeParts() {
        while let calls = parts.last?.calls.encoder { calls.tracking { _ = parts.removeLast() } }
    }
}
