import Libav

/// A stream of an open writer.
final class OpenStream: @unchecked Sendable {
    // Unchecked: `assembler` and `converter` are used by the one chunk in progress, or by the
    // writer when there is none.
    let assembler: any FrameAssembler
    private let converter: FrameConverter
    let pipeline: EncodePipeline
    let progress: ProgressCounter
    private let failure: FirstFailure
    private let leastSamples: Int
    let index: Int
    /// Pictures a second.
    let frameRate: Double
    let isVideo: Bool
    let takesKeyFrames: Bool
    let encoderName: String
    let live: LiveState
    let gapRules: GapRules
    var gaps = GapState()
    /// Of the next frame, where a chunk has said it and brought none yet.
    var awaited: AwaitedFrame?

    init(
        _ parts: PreparedStream, fan: PacketFan, progress: ProgressCounter, failure: FirstFailure, formats: [OutputFormat],
        segments: SegmentKeyFrames?, isLive: Bool
    ) {
        live = LiveState(parts, isLive: isLive)
        gapRules = GapRules(formats, of: parts.description.kind, countsSamples: parts.encoder.countsSamples)
        assembler = parts.assembler
        converter = FrameConverter(parts, segments)
        self.progress = progress
        self.failure = failure
        encoderName = parts.description.encoder
        leastSamples = parts.leastSamples
        index = parts.description.index
        let isAudio = parts.description.kind == .audio
        isVideo = !isAudio
        takesKeyFrames = parts.encoder.takesKeyFrames
        frameRate = parts.description.inputRate.doubleValue
        pipeline = EncodePipeline(
            stage: EncodeStage(
                parts, fan: fan, progress: progress, spansEnd: formats.contains { OutputFormat.movFamily.contains($0.name) }),
            progress: progress,
            failure: failure,
            capacity: isAudio ? Limits.queuedSampleBlocks : Limits.queuedFrames)
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
        if awaited != nil { awaited!.isKeyFrame = true } else { converter.askForKeyFrame() }
    }

    func requireKeyFrames() throws(StreamWriterError) {
        guard isVideo else {
            throw StreamWriterError(
                .unsupportedValue, "stream \(index) is audio, and key frames are of video only; leave keyframe out", parameter: "keyframe")
        }
        guard takesKeyFrames else {
            throw StreamWriterError(
                .unsupportedValue,
                "\(encoderName) makes key frames by itself only, and none that it is asked for; leave keyframe out, set codec_config.gop_size, or choose another encoder",
                parameter: "keyframe")
        }
    }

    /// Converts frames here and encodes them; on a thread of the stream's own if `overlaps`.
    func encode(_ frames: [Frame], overlaps: Bool) throws(StreamWriterError) {
        for frame in frames {
            if dropsAsFull(frame) { continue }
            if gapRules.filling != .none || live.fills, frame.sampleCount == 0 { try keep(frame) }
            gaps.lasting = nil
            try encodeOne(frame, overlaps: overlaps)
        }
    }

    func encodeOne(_ frame: Frame, overlaps: Bool) throws(StreamWriterError) {
        if isVideo, live.takeKeyFrameRequest() { converter.askForKeyFrame() }
        try failing { () throws(StreamWriterError) in try converter.begin(frame) }
        try submitConverted(overlaps: overlaps || live.neverWaits)
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

    /// What `progress` has of the converter's tally.
    private var counted = (dropped: 0, repeated: 0)

    /// One by one: filters may make more of one frame than there is memory for.
    private func submitConverted(overlaps: Bool) throws(StreamWriterError) {
        var count = 0
        while let frame = try nextConverted() {
            count += 1
            guard count <= Limits.framesOfOne else { throw failure.record(.endlessFilters) }
            try pipeline.submit([frame], overlaps: overlaps)
        }
        let tally = converter.tally
        progress.filtered(dropped: tally.dropped - counted.dropped, repeated: tally.repeated - counted.repeated)
        counted = (tally.dropped, tally.repeated)
    }

    private func nextConverted() throws(StreamWriterError) -> Frame? {
        do {
            return try converter.next()
        } catch {
            throw failure.record(error)
        }
    }

    /// Throws where what is waiting is too little for the encoder. More may be sent then.
    func requireFinishable() throws(StreamWriterError) {
        let pending = assembler.pendingSamples
        guard pending > 0, pending < leastSamples else { return }
        throw StreamWriterError(
            .invalidSamples,
            "stream \(index) ends with a block of \(pending) samples, and \(encoderName) takes no fewer than \(leastSamples); send \(leastSamples - pending) more, or choose another encoder")
    }

    func refusal(of sample: RefusedSample, in startTick: Int64) -> StreamWriterError {
        StreamWriterError(
            .invalidSamples,
            "sample \(sample.tick - startTick) of the chunk is \(sample.value) in channel \(sample.channel), and \(encoderName) takes \(SampleBound.text(sample.bound)); the samples before it are kept",
            sample: .init(frame: sample.tick - startTick, channel: sample.channel))
    }

    /// Has written what the encoder has made of whole frames. What it holds back it goes on holding.
    func flush() throws(StreamWriterError) {
        try pipeline.withStage { stage throws(StreamWriterError) in try stage.endGathering() }
    }

    /// Encodes what is waiting, a shorter last frame included, and empties the filters and the encoder.
    func finish() throws(StreamWriterError) {
        var frames: [Frame] = []
        try translating(.outOfMemory) { () throws(LibavError) in
            try assembler.finishShort(completing: &frames)
        }
        try encode(frames, overlaps: false)
        try endLasting()
        try failing { () throws(StreamWriterError) in try converter.finish() }
        try submitConverted(overlaps: false)
        try pipeline.withStage { stage throws(StreamWriterError) in try stage.finish() }
    }

    /// Frees what libav has for the stream, whose thread has ended.
    func free() {
        converter.free()
        pipeline.free()
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

extension StreamWriterError {
    fileprivate static let endlessFilters = StreamWriterError(
        .encodingFailed, "the filters made \(Limits.framesOfOne) frames of one and did not come to an end",
        parameter: "filter_desc")
}
