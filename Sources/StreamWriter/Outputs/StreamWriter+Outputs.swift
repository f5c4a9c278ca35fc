import Bytewise
import Libav
import Threading

// What the outputs of a writer have in common, and what each has for itself.
extension StreamWriter {
    /// The outputs that have a stream, or some of its renditions.
    func holders(of stream: Int) -> LazyFilterSequence<[Output]> { outputs.lazy.filter { $0.takes(stream) && !$0.isLeaving } }

    /// nil: there is no other.
    private func name(_ output: Output) -> String? { outputs.count > 1 ? output.name : nil }

    // MARK: Adding

    /// What a rendition is encoded as follows from the first of its outputs; the others must take that as well.
    func prepare(_ config: StreamConfig, _ calls: StreamCalls) throws(StreamWriterError) -> PreparedStream {
        let index = parts.count
        var encodings: [Encoding] = []
        for (name, config) in config.encodings {
            let holders = holders(of: name, of: index)
            guard let first = holders.first else {
                let what = name.map { "rendition \($0) of stream \(index)" } ?? "stream \(index)"
                throw StreamWriterError(
                    .invalidParameter, "\(what) is in the streams of no output; name it in one of them", parameter: "outputs")
            }
            encodings.append(
                Encoding(
                    name: name, config: config, format: first.format.beside(holders.map(\.format)), others: holders.dropFirst().map(\.format)))
        }
        let added = try PreparedStream(config, index: index, as: encodings, limits: limits, calls: calls)
        for output in holders(of: index) {
            do throws(StreamWriterError) {
                try require(added, in: output)
            } catch {
                throw error.of(output: name(output))
            }
            if let option = output.config.option { try requireAspects(added, in: output, option) }
        }
        return added
    }

    /// Of the output's tracks the last are those of the stream that is added.
    private func require(_ added: PreparedStream, in output: Output) throws(StreamWriterError) {
        var tracks = parts.flatMap { part in part.renditions.filter { output.takes($0.name, of: part.description.index) } }
        for (place, rendition) in added.renditions.enumerated() where output.takes(rendition.name, of: added.description.index) {
            do throws(StreamWriterError) {
                if output !== holders(of: rendition.name, of: added.description.index).first {
                    try output.format.require(rendition.encoder.settings.codec)
                }
                tracks.append(rendition)
                try output.format.require(tracks)
            } catch {
                throw error.of(rendition: rendition.name, at: place)
            }
        }
    }

    private func requireAspects(_ part: PreparedStream, in output: Output, _ option: [String: String]) throws(StreamWriterError) {
        let (index, own) = (part.description.index, part.renditions.filter { output.takes($0.name, of: part.description.index) })
        do throws(StreamWriterError) {
            try AdaptiveOptions.requireAspects(own, of: index, in: output.format, option)
        } catch {
            throw error.of(output: name(output))
        }
    }

    // MARK: Opening

    /// Every stream that an output names must be there.
    func requireOutputs() throws(StreamWriterError) {
        let names = RenditionNames(parts)
        for output in outputs {
            guard let missing = output.config.streams?.first(where: { !names.has($0) }) else { continue }
            throw Self.lacks(missing, for: output, names)
        }
    }

    static func lacks(_ missing: StreamSelection, for output: Output, _ names: RenditionNames) -> StreamWriterError {
        let what = missing.rendition.map { "rendition \($0) of stream \(missing.stream)" } ?? "stream \(missing.stream)"
        return StreamWriterError(
            .invalidParameter, "the output \(output.name) has \(what) among its streams, and the writer has none of that \(missing.rendition == nil ? "index" : "name")",
            parameter: "outputs", supported: names.texts)
    }

    /// What the containers take of times and bytes, as far as they are open.
    struct Bounds {
        /// By stream, of each container that has it.
        var times: [[TimeBound]]
    }

    struct TimeBound {
        let format: String
        let times: KnownFaults.Times
    }

    func openOutputs(_ option: [String: String], timeout: Double?) throws(StreamWriterError) -> Bounds {
        var bounds = Bounds(times: parts.map { _ in [] })
        let names = RenditionNames(parts)
        for (index, output) in outputs.enumerated() {
            let option = index == 0 ? option : output.config.option ?? [:]
            for part in parts { try requireAspects(part, in: output, option) }
        }
        for (index, output) in outputs.enumerated() where !output.config.isOnlyLookedAt {
            let option = index == 0 ? option : output.config.option ?? [:]
            do throws(StreamWriterError) {
                let opened = try output.open(parts, opening(option, timeout), isOnly: outputs.count == 1)
                guard let opened else { continue }
                output.mostBytes = opened.mostBytes
                for (index, track) in names.tracks(output.config.streams).enumerated() {
                    // Options may have changed it.
                    let rendition = parts[track.stream].renditions[track.rendition].encoder.settings.input
                    if case .video(let shape) = rendition { try output.format.require(shape.frameRate, asTimesOf: opened.times[index].tick) }
                    bounds.times[track.stream].append(TimeBound(format: output.format.name, times: opened.times[index]))
                }
            } catch {
                throw failure.record(error.of(output: name(output)))
            }
        }
        return bounds
    }

    func opening(_ option: [String: String], _ timeout: Double?) -> Output.Opening {
        Output.Opening(metadata: metadata, option: option, timeout: timeout) { [weak self] tracks, output in
            self?.askForKeyFrames(of: tracks, unlessBeside: output)
        }
    }

    /// On any thread; encoders that make key frames by themselves only go on with those. Where an output is given, only
    /// of what it alone has.
    func askForKeyFrames(of tracks: [Track], unlessBeside output: Output? = nil) {
        let (streams, fans) = monitor.withLock { (self.streams, self.fans) }
        for track in tracks where streams.indices.contains(track.stream) {
            if let output, fans[track.stream][track.rendition].feeds(another: output) { continue }
            let rendition = streams[track.stream].renditions[track.rendition]
            if rendition.takesKeyFrames { rendition.askForKeyFrame() }
        }
    }

    /// By stream and rendition.
    func makeFans() -> [[PacketFan]] {
        let fans = parts.map { $0.renditions.map { _ in PacketFan() } }
        let names = RenditionNames(parts)
        for output in outputs {
            for (index, track) in names.tracks(output.config.streams).enumerated() {
                fans[track.stream][track.rendition].add(output, track: index)
            }
        }
        return fans
    }

    // MARK: Ending

    /// Runs `body`; outputs that are no files and have not ended after that time are given up under it.
    func withOutputs<R>(within time: Duration?, _ body: () throws(StreamWriterError) -> R) throws(StreamWriterError) -> R {
        guard let time else { return try body() }
        let isOver = Monitor(false)
        defer { isOver.change { $0 = true } }
        // Without a thread they have their time.
        try? SystemThread.start(name: "outputs' end") { [self] in
            if isOver.wait(until: .after(time), { $0 ? true : nil }) == nil { giveUpOutputs() }
        }
        return try body()
    }

    /// While they are being ended: those that are no files and have not ended after that time fail. Any thread.
    public func boundOutputs(to time: Duration) {
        try? SystemThread.start(name: "outputs' end") { [weak self] in
            SystemThread.sleep(time)
            self?.giveUpOutputs()
        }
    }

    private func giveUpOutputs() {
        for output in outputs { output.giveUp() }
        giveUpLeaving()
    }

    /// What each was given; nil of one that has failed, and that the writer does without, and of one that is ended, or has
    /// been, by itself. All others are ended, also where it throws.
    @discardableResult
    func finish(_ outputs: [Output]) throws(StreamWriterError) -> [FinishedContainer?] {
        // Side by side: a peer may take its time.
        for output in outputs where !output.isLeaving { output.beginFinish() }
        var finished: [FinishedContainer?] = []
        for output in outputs {
            if output.isLeaving {
                finished.append(nil)
                continue
            }
            do throws(StreamWriterError) {
                finished.append(try output.finish())
            } catch {
                finished.append(nil)
                failure.record(error)
            }
        }
        try checkNotFailed()
        if finished.allSatisfy({ $0 == nil }) { throw failure.record(Self.nothingWritten(outputs)) }
        return finished
    }

    private static func nothingWritten(_ outputs: [Output]) -> StreamWriterError {
        let reasons = outputs.compactMap { output in output.progress.error.map { "output \(output.name): \($0.message)" } }
        return StreamWriterError(
            .destinationFailed, "none of the writer's outputs could be written, so there is nothing of it (on_failure: continue); \(reasons.prefix(3).joined(separator: "; "))")
    }

    /// Of a writer that has failed, with no call under way: what is whole of it is made so. The encoders are emptied unless
    /// it was the encoding that failed, and the outputs that have not failed are ended. `time`: that those may take that are
    /// no files.
    public func endWhatIsLeft(within time: Duration) {
        let mayEnd = monitor.withLock {
            if isChanging || isEnding || state != .open || !chunks.isEmpty { return false }
            isChanging = true
            return true
        }
        guard mayEnd else { return }
        interruptOutputChanges()
        try? withOutputs(within: time) { () throws(StreamWriterError) in
            if failure.error == nil {
                try? levelEnds()
                for stream in streams { try? stream.finish() }
            }
            try finish(outputs)
        }
        monitor.withLock {
            isChanging = false
            monitor.wakeAll()
        }
    }
}

extension StreamWriterError {
    /// Says which of several outputs it is about.
    func of(output name: String?) -> StreamWriterError {
        guard let name, !message.begins(with: "output \(name): ") else { return self }
        var named = self
        named.message = "output \(name): \(message)"
        return named
    }
}
