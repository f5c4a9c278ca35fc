import Libav
import Threading

/// What is being done to a writer's outputs while its streams go on.
struct OutputChange {
    /// One at a time.
    var isUnderWay = false
    /// The writer is being ended.
    var isOver = false
    /// The output that is being opened.
    var joining: Output?
    /// The output that is being ended.
    var leaving: Output?
}

// Outputs that come and go while the writer is open. Chunks go on meanwhile.
extension StreamWriter {
    /// Opens one more output and gives it the packets of its streams from the next key frame on, which is asked for;
    /// its time begins there. Waits until the destination is open, unless `onFailure` is `.continue`. Takes the destination over, also
    /// when it throws: then the writer is as it was. What an output needs of the encoders beyond what those had before
    /// (gaps filled, headers apart) is refused; where only key frames are not where it would have them, it is told. Any thread.
    public func addOutput(_ config: OutputConfig, timeout: Double? = nil) throws(StreamWriterError) -> [Warning] {
        do throws(StreamWriterError) {
            try beginOutputChange()
        } catch {
            config.destination.discard()
            throw error
        }
        defer { endOutputChange() }
        // One that came late and was ended makes room.
        changeOutputs { $0.removeAll { $0.name.isSame(as: config.name) && $0.isLate && $0.isLeaving } }
        if output(named: config.name) != nil {
            config.destination.discard()
            throw StreamWriterError(.invalidParameter, "the writer has an output of the name \(config.name)", parameter: "name")
        }
        // Until it has joined, what goes wrong is no failure of the writer's.
        let output = try Output(config)
        do throws(StreamWriterError) {
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
        try beginOutputChange()
        defer { endOutputChange() }
        guard let output = output(named: name), output !== outputs[0], !output.isLeaving else {
            throw StreamWriterError(
                .invalidParameter, "no output \(name) can be removed", parameter: "name",
                supported: outputs.dropFirst().filter { !$0.isLeaving }.map(\.name))
        }
        for fan in monitor.withLock({ fans.joined() }) { fan.remove(output) }
        monitor.withLock { outputChange.leaving = output }
        output.leave(within: time)
        return output.progress
    }

    /// What an output has that was ended while the writer goes on, as if it were the writer's only one; nil: it has
    /// failed, or was not ended. Any thread.
    public func summary(ofEnded name: String) -> WriterSummary? {
        guard let output = output(named: name), let finished = output.finished else { return nil }
        return summarize([output], [finished]).of(output: 0)
    }

    /// Has the output that is being opened give up. Any thread.
    public func interruptJoining() { monitor.withLock { outputChange.joining }?.interrupt() }

    /// Tells no more of one that came late and was ended. Any thread.
    public func forgetOutput(named name: String) {
        changeOutputs { $0.removeAll { $0.name.isSame(as: name) && $0.isLate && $0.isLeaving } }
    }

    func output(named name: String) -> Output? { outputs.first { $0.name.isSame(as: name) } }

    // MARK: Joining

    private func join(_ output: Output, timeout: Double?) throws(StreamWriterError) {
        let (encoded, isOver) = monitor.withLock {
            outputChange.joining = output
            return (self.encoded, outputChange.isOver)
        }
        if isOver { throw Self.isEnding }
        _ = Log.take()
        let tracks = names.tracks(output.config.streams)
        let start = lateStart(of: tracks, encoded)
        let opened = try output.openLate(tracks, of: encoded, opening(output.config.option ?? [:], timeout), start: start)
        try output.share(failureOfOutputs)
        try monitor.withLock { () throws(StreamWriterError) in
            if outputChange.isOver { throw Self.isEnding }
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
        _ = Log.take()
        let parameters = try tracks.map { (track) throws(StreamWriterError) in try encoded[track.stream].parameters(of: track.rendition, in: output.format) }
        if let lacking = parameters.first(where: { BitstreamAdaption($0, in: output.format) == .needsGlobalHeader }) { throw output.lacksHeaders(lacking) }
        do throws(LibavError) { try Muxer.tryOut(output.format, parameters) } catch {
            throw StreamWriterError(refusing: nil, error, in: output.format)
        }
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

    // MARK: Turns

    private func beginOutputChange() throws(StreamWriterError) {
        try monitor.withLock { () throws(StreamWriterError) in
            while outputChange.isUnderWay && !outputChange.isOver { monitor.wait() }
            try requireState(.open)
            if outputChange.isOver { throw Self.isEnding }
            outputChange.isUnderWay = true
        }
    }

    private func endOutputChange() {
        monitor.withLock {
            outputChange.isUnderWay = false
            (outputChange.joining, outputChange.leaving) = (nil, nil)
            monitor.wakeAll()
        }
    }

    /// None is under way from here on: an output that is being opened is given up, one that is being ended is waited for
    /// unless `atOnce`.
    func endOutputChanges(atOnce: Bool) {
        let (joining, leaving) = monitor.withLock {
            outputChange.isOver = true
            return (outputChange.joining, outputChange.leaving)
        }
        joining?.interrupt()
        if atOnce { leaving?.interrupt() }
        monitor.withLock { while outputChange.isUnderWay { monitor.wait() } }
    }

    func allowOutputChanges() { monitor.withLock { outputChange.isOver = false } }

    private static let isEnding = StreamWriterError(.wrongState, "the writer is being ended")
}
