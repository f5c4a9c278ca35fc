import Libav
import Threading

/// What is being done to a writer's outputs while its streams go on: side by side, as each may wait for a peer.
struct OutputChanges {
    /// The writer is being ended: none begins.
    var areOver = false
    /// The outputs that are being opened.
    var joining: [Output] = []
    /// The outputs that are being ended.
    var leaving: [Output] = []
}

// Outputs that come and go while the writer is open. Chunks go on meanwhile.
extension StreamWriter {
    /// Opens one more output and gives it the packets of its streams from the next key frame on, which is asked for;
    /// its time begins there. Waits until the destination is open, unless `onFailure` is `.continue`. Takes the destination over, also
    /// when it throws: then the writer is as it was. What an output needs of the encoders beyond what those had before
    /// (gaps filled, headers apart) is refused; where only key frames are not where it would have them, it is told. Any thread.
    public func addOutput(_ config: OutputConfig, timeout: Double? = nil) throws(StreamWriterError) -> [Warning] {
        // Until it has joined, what goes wrong is no failure of the writer's.
        let output = try Output(config)
        do throws(StreamWriterError) {
            try beginJoining(output)
            defer { endJoining(output) }
            try require(output)
            try join(output, timeout: timeout)
            return segmentWarnings(output)
        } catch {
            output.interrupt()
            output.release()
            throw error
        }
    }

    /// Ends an output while the writer goes on: what it was given is written and its container ended; how that went.
    /// `time`: that it may take; nil: as long as it gets on. The first is not to be removed. Any thread.
    public func removeOutput(named name: String, within time: Duration?) throws(StreamWriterError) -> OutputProgress {
        let output = try beginLeaving(name)
        defer { endLeaving(output) }
        for fan in monitor.withLock({ fans.joined() }) { fan.remove(output) }
        output.leave(within: time)
        return output.progress
    }

    /// What an output has that was ended while the writer goes on, as if it were the writer's only one; nil: it has
    /// failed, or was not ended. Any thread.
    public func summary(ofEnded name: String) -> WriterSummary? {
        guard let output = output(named: name), let finished = output.finished else { return nil }
        return summarize([output], [finished]).of(output: 0)
    }

    /// Has the output give up, if it is being opened. Any thread.
    public func interruptJoining(named name: String) {
        monitor.withLock { outputChanges.joining.first { $0.name.isSame(as: name) } }?.interrupt()
    }

    /// Tells no more of one that came late and was ended. Any thread.
    public func forgetOutput(named name: String) {
        changeOutputs { $0.removeAll { $0.name.isSame(as: name) && $0.isLate && $0.isLeaving } }
    }

    func output(named name: String) -> Output? { outputs.first { $0.name.isSame(as: name) } }

    // MARK: Joining

    private func join(_ output: Output, timeout: Double?) throws(StreamWriterError) {
        let encoded = monitor.withLock { self.encoded }
        _ = Log.take()
        let tracks = names.tracks(output.config.streams)
        let start = lateStart(of: tracks, encoded)
        let opened = try output.openLate(tracks, of: encoded, opening(output.config.option ?? [:], timeout), start: start)
        try output.share(failureOfOutputs)
        try monitor.withLock { () throws(StreamWriterError) in
            if outputChanges.areOver { throw Self.isEnding }
            try requireState(.open)
            if let opened {
                bound(tracks, by: opened, of: output)
                output.mostBytes = opened.mostBytes
            }
            changeOutputs { $0.append(output) }
            for (index, track) in tracks.enumerated() { fans[track.stream][track.rendition].add(output, track: index) }
        }
        start.begin()
    }

    private var names: RenditionNames { RenditionNames(monitor.withLock { descriptions }) }

    private func lateStart(of tracks: [Track], _ encoded: [EncodedStream]) -> LateStart {
        let own = tracks.map { track in
            let rendition = encoded[track.stream].renditions[track.rendition]
            return LateStart.Track(timeBase: rendition.timeBase, isVideo: rendition.isVideo, position: progress(of: track.stream).nextPTS)
        }
        return LateStart(own) { [weak self] in self?.askForKeyFrames(of: tracks) }
    }

    /// With the lock held. Its times are counted from where it begins.
    private func bound(_ tracks: [Track], by opened: OpenedContainer, of output: Output) {
        for (index, track) in tracks.enumerated() {
            var bound = opened.times[index]
            bound.countsFromZero = false
            bound.latest = bound.latest.map { $0 + streams[track.stream].progress.current.nextPTS }
            times[track.stream].append(TimeBound(format: output.format.name, times: bound))
        }
    }

    /// Its container must take the streams as they are encoded.
    private func require(_ output: Output) throws(StreamWriterError) {
        let (encoded, streams) = monitor.withLock { (self.encoded, self.streams) }
        if let missing = output.config.streams?.first(where: { !names.has($0) }) {
            var error = Self.lacks(missing, for: output, names)
            error.parameter = "streams"
            throw error
        }
        let tracks = names.tracks(output.config.streams)
        for track in tracks {
            let rendition = encoded[track.stream].renditions[track.rendition]
            try output.format.require(rendition.codec)
            try require(output.format, takesGapsOf: streams[track.stream], countsSamples: rendition.countsSamples)
        }
        if AdaptiveOptions.areAdaptive(tracks.filter { encoded[$0.stream].renditions[$0.rendition].isVideo }), ["hls", "dash"].contains(output.format.name) {
            throw StreamWriterError(
                .unsupportedValue, "the output \(output.name) would have several renditions of a stream, whose segments are made alike from the start only; give it when the writer is made, or name one rendition in streams",
                parameter: "streams", supported: names.texts)
        }
        let parameters = try tracks.map { (track) throws(StreamWriterError) in try encoded[track.stream].parameters(of: track.rendition, in: output.format) }
        if let lacking = parameters.first(where: { BitstreamAdaption($0, in: output.format) == .needsGlobalHeader }) { throw output.lacksHeaders(lacking) }
        for stream in parameters { try output.format.requirePictures(of: stream) }
        try output.format.tryOut(parameters, added: nil)
    }

    /// Gaps in time are filled before the encoder, for all outputs alike.
    private func require(_ format: OutputFormat, takesGapsOf stream: OpenStream, countsSamples: Bool) throws(StreamWriterError) {
        let needs = format.gapFilling(of: stream.isVideo ? .video : .audio, countsSamples: countsSamples)
        guard needs == .all && stream.gapRules.filling != .all || !format.takesPicturesAtAnyTime && stream.isVideo && !stream.gapRules.fillsDurations
        else { return }
        throw StreamWriterError(
            .unsupportedValue,
            "\(format.name) can't tell gaps in time, and those of stream \(stream.index) are not filled, as no output that was there from the start needs it; give this output when the writer is made, or choose a container that tells them (flv, mpegts, matroska)",
            parameter: "format")
    }

    private func segmentWarnings(_ output: Output) -> [Warning] {
        let (encoded, descriptions) = monitor.withLock { (self.encoded, self.descriptions) }
        let wanted = SegmentKeyFrames(of: output.format, output.config.option ?? [:])?.spacing
        guard let wanted, let uneven = names.tracks(output.config.streams).first(where: {
            encoded[$0.stream].renditions[$0.rendition].makesSegments
                && descriptions[$0.stream].renditions[$0.rendition].keyFrames?.seconds != wanted.seconds
        }) else { return [] }
        return [
            Warning(
                .segmentsUneven, parameter: "option.\(wanted.option)",
                "segments begin where stream \(uneven.stream) has key frames, and not every \(wanted.seconds) s (\(wanted.option)), as this output came when the stream was being encoded; give it when the writer is made")
        ]
    }

    // MARK: Beginnings and ends

    private func beginJoining(_ output: Output) throws(StreamWriterError) {
        try monitor.withLock { () throws(StreamWriterError) in
            try requireState(.open)
            if outputChanges.areOver { throw Self.isEnding }
            // One that came late and was ended makes room.
            let leaving = outputChanges.leaving
            changeOutputs { outputs in
                outputs.removeAll { old in old.name.isSame(as: output.name) && old.isLate && old.isLeaving && !leaving.contains { $0 === old } }
            }
            guard self.output(named: output.name) == nil, !outputChanges.joining.contains(where: { $0.name.isSame(as: output.name) }) else {
                throw StreamWriterError(.invalidParameter, "the writer has an output of the name \(output.name)", parameter: "name")
            }
            outputChanges.joining.append(output)
        }
    }

    private func endJoining(_ output: Output) {
        monitor.withLock {
            outputChanges.joining.removeAll { $0 === output }
            monitor.wakeAll()
        }
    }

    private func beginLeaving(_ name: String) throws(StreamWriterError) -> Output {
        try monitor.withLock { () throws(StreamWriterError) in
            try requireState(.open)
            if outputChanges.areOver { throw Self.isEnding }
            let mayLeave = outputs.dropFirst().filter { !$0.isLeaving }
            guard let output = mayLeave.first(where: { $0.name.isSame(as: name) }) else {
                throw StreamWriterError(
                    .invalidParameter, "no output \(name) can be removed", parameter: "name", supported: mayLeave.map(\.name))
            }
            // From here on nobody else ends it.
            output.beginLeaving()
            outputChanges.leaving.append(output)
            return output
        }
    }

    private func endLeaving(_ output: Output) {
        monitor.withLock {
            outputChanges.leaving.removeAll { $0 === output }
            monitor.wakeAll()
        }
    }

    /// None begins from here on, and outputs that are being opened are given up.
    func endJoining() {
        let joining = monitor.withLock {
            outputChanges.areOver = true
            return outputChanges.joining
        }
        for output in joining { output.interrupt() }
        monitor.withLock { while !outputChanges.joining.isEmpty { monitor.wait() } }
    }

    /// Of those that are no files: the time that they have to end is over.
    func giveUpLeaving() {
        for output in monitor.withLock({ outputChanges.leaving }) where !output.destination.isFile { output.interrupt() }
    }

    func awaitLeaving() { monitor.withLock { while !outputChanges.leaving.isEmpty { monitor.wait() } } }

    /// None is under way from here on, and what is is given up.
    func interruptOutputChanges() {
        endJoining()
        for output in monitor.withLock({ outputChanges.leaving }) { output.interrupt() }
        awaitLeaving()
    }

    func allowOutputChanges() { monitor.withLock { outputChanges.areOver = false } }

    private static let isEnding = StreamWriterError(.wrongState, "the writer is being ended")
}
