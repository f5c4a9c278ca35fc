import Bytewise
import Libav
import Threading

/// A stream of an open writer.
final class OpenStream: @unchecked Sendable {
    // Unchecked: `assembler` and `conversion` are used by the one chunk in progress, or by the
    // writer when there is none.
    let assembler: any FrameAssembler
    private let conversion: StreamConversion
    let renditions: [OpenRendition]
    let progress: ProgressCounter
    private let failure: FirstFailure
    let index: Int
    /// Pictures a second.
    let frameRate: Double
    let isVideo: Bool
    let live: LiveState
    let gapRules: GapRules
    var gaps = GapState()
    /// Of the next frame, where a chunk has said it and brought none yet.
    var awaited: AwaitedFrame?

    /// By rendition: what its packets go to, which containers those are, and where segments are to begin.
    struct Way {
        let fan: PacketFan
        let formats: [OutputFormat]
        let segments: SegmentKeyFrames?
    }

    init(_ parts: PreparedStream, ways: [Way], progress: ProgressCounter, failure: FirstFailure, isLive: Bool) {
        live = LiveState(parts, isLive: isLive)
        gapRules = GapRules(
            zip(ways, parts.renditions).flatMap { way, rendition in way.formats.map { ($0, rendition.encoder.countsSamples) } },
            of: parts.description.kind)
        assembler = parts.assembler
        self.progress = progress
        self.failure = failure
        index = parts.description.index
        isVideo = parts.description.kind == .video
        frameRate = parts.description.inputRate.doubleValue
        renditions = ways.enumerated().map { place, way in
            OpenRendition(parts, place, fan: way.fan, progress: progress, failure: failure, formats: way.formats)
        }
        conversion = StreamConversion(parts, to: renditions, ways.map(\.segments))
    }

    /// Where the next frame goes.
    var nextTick: Int64 { awaited?.tick ?? assembler.nextTick }

    /// Seconds.
    var nextPTS: Double { seconds(nextTick) }

    /// Where what there is ends, in seconds.
    var endPTS: Double { seconds(assembler.nextTick) }

    func seconds(_ tick: Int64) -> Double {
        Double(tick) * Double(assembler.rate.denominator) / Double(assembler.rate.numerator)
    }

    /// The earliest time that the next frame may have, in seconds.
    var earliestPTS: Double { seconds(earliestTick) }

    var earliestTick: Int64 {
        // Pictures at times of their own may come before the end of the last.
        assembler.earliestTick == assembler.nextTick ? nextTick : assembler.earliestTick
    }

    func tick(_ seconds: Double) -> Int64 {
        Int64((seconds * Double(assembler.rate.numerator) / Double(assembler.rate.denominator)).rounded())
    }

    /// Brings the counters up to what the assembler has taken; how many frames that was.
    @discardableResult
    func countAccepted() -> Int64 {
        let frames = assembler.takeAcceptedFrames()
        progress.accepted(frames: frames, frameBytes: assembler.frameBytes, nextPTS: nextPTS)
        return frames
    }

    /// The next picture is to be a key frame.
    func askForKeyFrame() {
        // Not one of those that fill the gap before it.
        if awaited != nil { awaited!.isKeyFrame = true } else { renditions.forEach(conversion.askForKeyFrame) }
    }

    func requireKeyFrames() throws(StreamWriterError) { try requireKeyFrames(in: renditions) }

    func requireKeyFrames(in renditions: [OpenRendition]) throws(StreamWriterError) {
        guard isVideo else {
            throw StreamWriterError(
                .unsupportedValue, "stream \(index) is audio, and key frames are of video only; leave keyframe out", parameter: "keyframe")
        }
        for rendition in renditions { try rendition.requireKeyFrames() }
    }

    /// The one of that name; without one, the only one.
    func rendition(_ name: String?) throws(StreamWriterError) -> OpenRendition {
        if name == nil, renditions.count == 1 { return renditions[0] }
        if let found = renditions.first(where: { $0.name == name }) { return found }
        let names = renditions.compactMap(\.name)
        let message = if names.isEmpty {
            "stream \(index) has no renditions; leave rendition out"
        } else if let name {
            "stream \(index) has no rendition \(name.shortened())"
        } else {
            "stream \(index) has several renditions; say which in rendition"
        }
        throw StreamWriterError(.invalidParameter, message, parameter: "rendition", supported: names.isEmpty ? nil : names)
    }

    /// Converts frames here and encodes them; on a thread of the stream's own if `overlaps`. What samples give is written
    /// together.
    func encode(_ frames: [Frame], overlaps: Bool) throws(StreamWriterError) {
        for frame in frames {
            if dropsAsFull(frame) { continue }
            if gapRules.filling != .none || live.fills, frame.sampleCount == 0 { try keep(frame) }
            gaps.lasting = nil
            try encodeOne(frame, overlaps: overlaps, moreFollows: frames.count > 1)
        }
        guard frames.count > 1 else { return }
        for rendition in renditions { try rendition.pipeline.endGathering() }
    }

    func encodeOne(_ frame: Frame, overlaps: Bool, moreFollows: Bool = false) throws(StreamWriterError) {
        if isVideo {
            for rendition in renditions where rendition.takeKeyFrameRequest() { conversion.askForKeyFrame(in: rendition) }
        }
        // Several encoders of pictures are at work side by side.
        let overlaps = overlaps || live.neverWaits || isVideo && renditions.count > 1
        try failing { () throws(StreamWriterError) in try conversion.encode(frame, overlaps: overlaps, moreFollows: moreFollows) }
    }

    /// The ticks of a picture that is so many seconds long.
    func ticks(ofPicture duration: Double) throws(StreamWriterError) -> Int64 {
        guard isVideo else {
            throw StreamWriterError(
                .invalidParameter, "duration is for pictures: samples are as long as the sample rate says", parameter: "duration")
        }
        guard duration.isFinite, duration <= Limits.pts, tick(duration) > 0 else {
            throw StreamWriterError(
                .invalidParameter, "duration must be a number of seconds from \(seconds(1)), the stream's time base, to \(Int(Limits.pts))",
                parameter: "duration")
        }
        return tick(duration)
    }

    /// Throws where what is waiting is too little for an encoder. More may be sent then.
    func requireFinishable() throws(StreamWriterError) {
        let pending = assembler.pendingSamples
        guard pending > 0, let strict = renditions.first(where: { pending < $0.leastSamples }) else { return }
        throw StreamWriterError(
            .invalidSamples,
            "stream \(index) ends with a block of \(pending) samples, and \(strict.encoderName) takes no fewer than \(strict.leastSamples); send \(strict.leastSamples - pending) more, or choose another encoder")
    }

    func refusal(of sample: RefusedSample, in startTick: Int64) -> StreamWriterError {
        let encoderName = (renditions.first { $0.sampleBound.map { $0 <= sample.bound } ?? false } ?? renditions[0]).encoderName
        return StreamWriterError(
            .invalidSamples,
            "sample \(sample.tick - startTick) of the chunk is \(sample.value) in channel \(sample.channel), and \(encoderName) takes \(SampleBound.text(sample.bound)); the samples before it are kept",
            sample: .init(frame: sample.tick - startTick, channel: sample.channel))
    }

    // MARK: Encoders

    /// One more frame would have to wait for one of them.
    var isFull: Bool { renditions.contains(where: \.pipeline.isFull) }

    /// Waits until every frame has been given to them, or until the deadline.
    func waitUntilIdle(until deadline: Deadline) throws(StreamWriterError) {
        for rendition in renditions { try rendition.pipeline.waitUntilIdle(until: deadline) }
    }

    /// Has written what they have made of whole frames. What they hold back they go on holding.
    func flush() throws(StreamWriterError) {
        for rendition in renditions {
            try rendition.pipeline.withStage { stage throws(StreamWriterError) in try stage.endGathering() }
        }
    }

    /// Encodes what is waiting, a shorter last frame included, and empties the filters and the encoders.
    func finish() throws(StreamWriterError) {
        var frames: [Frame] = []
        try translating(.outOfMemory) { () throws(LibavError) in
            try assembler.finishShort(completing: &frames)
        }
        try encode(frames, overlaps: false)
        try endLasting()
        try failing { () throws(StreamWriterError) in try conversion.finish() }
        try drain()
        try failure.check()
    }

    /// Side by side: containers hold packets back until those of other tracks have come.
    private func drain() throws(StreamWriterError) {
        var threads: [WorkerThread] = []
        var here = [renditions[0]]
        for rendition in renditions.dropFirst() {
            do throws(SystemThread.Unavailable) {
                threads.append(try WorkerThread(name: "drain") { try? rendition.pipeline.drain() })
            } catch {
                here.append(rendition)
            }
        }
        defer { for thread in threads { thread.join() } }
        for rendition in here { try rendition.pipeline.drain() }
    }

    /// Lets the threads that wait for them see that the writer has failed.
    func wakeUp() { for rendition in renditions { rendition.pipeline.wakeUp() } }

    /// Ends their threads; frames that wait are dropped.
    func shutDown() { for rendition in renditions { rendition.pipeline.shutDown() } }

    /// Frees what libav has for the stream, whose threads have ended.
    func free() {
        conversion.free()
        for rendition in renditions { rendition.pipeline.free() }
    }

    /// What fails here fails the writer.
    private func failing(_ body: () throws(StreamWriterError) -> Void) throws(StreamWriterError) {
        do {
            try body()
        } catch {
            throw failure.record(error)
        }
    }
}
