import Bytewise
import Libav
import Threading

// What the outputs of a writer have in common, and what each has for itself.
extension StreamWriter {
    /// The outputs that have a stream.
    func holders(of stream: Int) -> [Output] { outputs.filter { $0.takes(stream) && !$0.isLeaving } }

    /// nil: there is no other.
    private func name(_ output: Output) -> String? { outputs.count > 1 ? output.name : nil }

    // MARK: Adding

    /// What a stream is encoded as follows from the first of its outputs; the others must take that as well.
    func prepare(_ config: StreamConfig, _ calls: StreamCalls) throws(StreamWriterError) -> PreparedStream {
        let index = parts.count
        let holders = holders(of: index)
        guard let first = holders.first else {
            throw StreamWriterError(
                .invalidParameter, "stream \(index) is in the streams of no output; name it in one of them", parameter: "outputs")
        }
        let format = first.format.beside(holders.map(\.format))
        let added = try PreparedStream(config, index: index, for: format, beside: holders.dropFirst().map(\.format), limits: limits, calls: calls)
        for output in holders {
            do throws(StreamWriterError) {
                if output !== first { try output.format.require(added.encoder.settings.codec) }
                try output.format.require(parts.indices.filter(output.takes).map { parts[$0] } + [added])
            } catch {
                throw error.of(output: name(output))
            }
        }
        return added
    }

    // MARK: Opening

    /// Every stream that an output names must be there.
    func requireOutputs() throws(StreamWriterError) {
        for output in outputs {
            guard let missing = output.streams(of: parts.count).first(where: { !parts.indices.contains($0) }) else { continue }
            throw noStream(missing, of: output, count: parts.count)
        }
    }

    func noStream(_ index: Int, of output: Output, count: Int) -> StreamWriterError {
        StreamWriterError(
            .invalidParameter, "the output \(output.name) has stream \(index) among its streams, and the writer has none of that index",
            parameter: "outputs", supported: (0..<count).map { "\($0)" })
    }

    /// What the containers take of times and bytes, as far as they are open.
    struct Bounds {
        /// By stream, of each container that has it.
        var times: [[TimeBound]]
        var mostBytes: [Int64?] = []
    }

    struct TimeBound {
        let format: String
        let times: KnownFaults.Times
    }

    func openOutputs(_ option: [String: String], timeout: Double?) throws(StreamWriterError) -> Bounds {
        var bounds = Bounds(times: parts.map { _ in [] })
        for (index, output) in outputs.enumerated() {
            let option = index == 0 ? option : output.config.option ?? [:]
            do throws(StreamWriterError) {
                let opened = try output.open(parts, opening(option, timeout), isOnly: outputs.count == 1)
                bounds.mostBytes.append(opened?.mostBytes)
                guard let opened else { continue }
                for (track, stream) in output.streams(of: parts.count).enumerated() {
                    bounds.times[stream].append(TimeBound(format: output.format.name, times: opened.times[track]))
                }
            } catch {
                throw failure.record(error.of(output: name(output)))
            }
        }
        return bounds
    }

    func opening(_ option: [String: String], _ timeout: Double?) -> Output.Opening {
        Output.Opening(metadata: metadata, option: option, timeout: timeout) { [weak self] streams in self?.askForKeyFrames(of: streams) }
    }

    /// On any thread; streams that make key frames by themselves only go on with those.
    func askForKeyFrames(of indexes: [Int]) {
        let streams = monitor.withLock { self.streams }
        for index in indexes where streams.indices.contains(index) {
            if streams[index].takesKeyFrames { streams[index].live.askForKeyFrame() }
        }
    }

    func makeFans() -> [PacketFan] {
        let fans = parts.map { _ in PacketFan() }
        for output in outputs {
            for (track, stream) in output.streams(of: parts.count).enumerated() { fans[stream].add(output, track: track) }
        }
        return fans
    }

    /// Which pictures of a stream are to be key frames, by the first of its outputs that makes segments.
    func segmentKeyFrames(
        of part: PreparedStream, _ option: [String: String]
    ) -> (found: SegmentKeyFrames?, output: Output, option: [String: String]) {
        let holders = holders(of: part.description.index)
        let options = holders.map { $0 === outputs[0] ? option : $0.config.option ?? [:] }
        for (output, option) in zip(holders, options) {
            if let found = part.segmentKeyFrames(of: output.format, option) { return (found, output, option) }
        }
        return (nil, holders.first ?? outputs[0], options.first ?? option)
    }

    // MARK: Ending

    /// Runs `body`; outputs that are no files and have not ended after that time are given up under it.
    func withOutputs<R>(within time: Duration?, _ body: () throws(StreamWriterError) -> R) throws(StreamWriterError) -> R {
        guard let time else { return try body() }
        let isOver = Monitor(false)
        defer { isOver.change { $0 = true } }
        // Without a thread they have their time.
        try? SystemThread.start(name: "outputs' end") { [outputs] in
            let ended = isOver.wait(until: .after(time)) { $0 ? true : nil }
            if ended == nil { for output in outputs { output.giveUp() } }
        }
        return try body()
    }

    /// What each was given; nil of one that has failed, and that the writer does without.
    func finishOutputs() throws(StreamWriterError) -> [FinishedContainer?] {
        // Side by side: a peer may take its time.
        for output in outputs { output.beginFinish() }
        var finished: [FinishedContainer?] = []
        for output in outputs {
            do throws(StreamWriterError) {
                finished.append(try output.finish())
            } catch {
                throw error.of(output: name(output))
            }
        }
        return finished
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
