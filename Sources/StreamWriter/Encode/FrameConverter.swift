import Libav

/// Makes what the encoder takes out of what the client sends, where they differ: another sample
/// format, a filter graph, an upload to the GPU. On the thread that receives, so that it overlaps
/// the encoder's work. One thread at a time.
final class FrameConverter {
    private let plan: EncodePlan
    private let calls: CallTracker
    private let samples: SampleConverter?
    private var graph: FilterGraph?
    /// What the filters said they would give: a filter may change its mind on the way.
    private let output: MediaFormat?
    /// How long a picture is unless it says so itself; nil where what it says is not kept.
    private let ownTicks: Int64?
    private var hasFrames = false
    /// Which of the pictures that went into the filters came out.
    private(set) var tally = PictureTally()
    /// Of the pictures in the filters that are not as long as their rate says, by their tags.
    private var durations: [Int64: Int64] = [:]
    /// Converted without filters, and not taken yet.
    private var ready: Frame?
    /// The filters may have more for what was put in.
    private var mayHaveMore = false
    private var keyFrames = KeyFrameRequests()
    /// Nil where the client or the encoder says where key frames are.
    private var segments: SegmentKeyFrames?

    init(_ parts: PreparedStream, _ segments: SegmentKeyFrames?) {
        self.segments = segments
        plan = parts.plan
        calls = parts.calls.filters
        samples = parts.converter
        graph = parts.graph
        output = graph?.output
        // Where filters change the rate, or what times are counted in, pictures are as long as the new rate says.
        if case .video(let given)? = plan.filtering?.input, case .video(let wanted) = plan.settings.input,
            given.frameRate == wanted.frameRate, plan.inputTimeBase == plan.settings.timeBase
        {
            ownTicks = given.frameTicks
        } else {
            ownTicks = nil
        }
    }

    /// What the next picture becomes is to be a key frame.
    func askForKeyFrame() { keyFrames.askForNext() }

    /// Puts a frame in. Take all that comes out before the next.
    func begin(_ input: Frame) throws(StreamWriterError) {
        if case .video = plan.settings.input {
            let pts = plan.inputTimeBase.rescale(input.pts ?? 0, to: plan.settings.timeBase)
            input.tag = keyFrames.enter(pts: pts)
        }
        if plan.filtering != nil {
            guard let graph else { return }
            hasFrames = true
            // Filters that change the rate need to know where a frame ends.
            if input.sampleCount > 0 { input.setDuration(Int64(input.sampleCount)) }
            if input.sampleCount == 0 {
                tally.take()
                if let ownTicks, input.duration != ownTicks { durations[input.tag] = input.duration }
            }
            try encoding { () throws(LibavError) in try graph.push(input) }
            mayHaveMore = true
        } else if let gpu = plan.settings.hardwareFrames {
            ready = try encoding { () throws(LibavError) in try gpu.upload(input) }
        } else if let samples {
            ready = try encoding { () throws(LibavError) in try samples.convert(input) }
        } else {
            ready = input
        }
    }

    /// There is no more input: what the filters still hold comes out next.
    func finish() throws(StreamWriterError) {
        tally.end()
        guard let graph, hasFrames else { return }
        try encoding { () throws(LibavError) in try graph.finish() }
        mayHaveMore = true
    }

    /// The next frame for the encoder, its pts in its time base; nil when there is none until more is
    /// put in.
    func next() throws(StreamWriterError) -> Frame? {
        guard let frame = try nextConverted() else { return nil }
        if case .video = plan.settings.input {
            let isAskedFor = keyFrames.leave(number: frame.tag, pts: frame.pts ?? .min)
            let beginsSegment = frame.pts.map { segments?.isDue($0, plan.settings.timeBase) == true } ?? false
            frame.isKeyFrameWanted = isAskedFor || beginsSegment
        }
        return frame
    }

    private func nextConverted() throws(StreamWriterError) -> Frame? {
        if let frame = ready {
            ready = nil
            return frame
        }
        guard mayHaveMore, let graph else { return nil }
        switch try encoding({ () throws(LibavError) in try graph.pull() }) {
        case .frame(let frame): return try finished(frame, of: graph)
        // Some end before their input does (trim): what follows comes to nothing.
        case .needsInput, .drained:
            mayHaveMore = false
            return nil
        }
    }

    func free() { calls.tracking { graph = nil } }

    private func finished(_ frame: Frame, of graph: FilterGraph) throws(StreamWriterError) -> Frame {
        var frame = frame
        // Encoders read as many rows and samples as they were opened for.
        guard let output, frame.fits(output) else {
            throw StreamWriterError(
                .encodingFailed, "the filters changed the size or the form of what they give on the way",
                parameter: "filter_desc")
        }
        let tag = frame.tag
        if let gpu = plan.settings.hardwareFrames {
            frame = try encoding { () throws(LibavError) in try gpu.upload(frame) }
        }
        frame.pts = frame.pts.map { graph.timeBase.rescale($0, to: plan.settings.timeBase) }
        if frame.sampleCount == 0 {
            tally.give(tag)
            keepDuration(of: tag, frame)
        }
        return frame
    }

    /// A picture that says how long it is stays so.
    private func keepDuration(of tag: Int64, _ frame: Frame) {
        if durations.isEmpty { return }
        if let duration = durations[tag] { frame.setDuration(duration) }
        durations = durations.filter { $0.key >= tag }
    }

    private func encoding<T>(_ body: () throws(LibavError) -> T) throws(StreamWriterError) -> T {
        try translating(.encodingFailed) { () throws(LibavError) in try calls.tracking(body) }
    }
}
