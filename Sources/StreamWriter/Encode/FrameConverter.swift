import Libav

/// Makes what encoders take out of what the client sends, where they differ: another sample
/// format, a filter graph, an upload to the GPU. On the thread that receives, so that it overlaps
/// the encoders' work. One thread at a time.
final class FrameConverter {
    private let settings: EncoderSettings
    private let calls: CallTracker
    private let samples: SampleConverter?
    private let filters: FilterPass?
    /// Of frames that come out of filters, here or before; nil where there are none.
    private let filteredTimeBase: Fraction?
    /// How long a picture is unless it says so itself; nil where what it says is not kept.
    private let ownTicks: Int64?
    /// Which of the pictures that went into the filters came out.
    private(set) var tally = PictureTally()
    /// Of the pictures in the filters that are not as long as their rate says, by their tags.
    private var durations: [Int64: Int64] = [:]
    /// Converted without filters, and not taken yet.
    private var ready: Frame?

    /// `front`: filters that the frames come through before.
    init(_ branch: PreparedBranch, behind front: FilterPass?, _ calls: CallTracker) {
        let plan = branch.plan
        settings = plan.settings
        self.calls = calls
        samples = branch.converter
        filters = branch.graph.map { FilterPass($0, calls, pictures: branch.pictures) }
        filteredTimeBase = filters?.timeBase ?? front?.timeBase
        // Where filters change the rate, or what times are counted in, pictures are as long as the new rate says.
        if case .video(let given) = plan.input, case .video(let wanted) = plan.settings.input,
            given.frameRate == wanted.frameRate, plan.inputTimeBase == plan.settings.timeBase
        {
            ownTicks = given.frameTicks
        } else {
            ownTicks = nil
        }
    }

    /// A picture of the client's is to go through filters, here or before. Its tag is how many did with it.
    func note(_ input: Frame) {
        guard filteredTimeBase != nil, input.sampleCount == 0 else { return }
        tally.take()
        if let ownTicks, input.duration != ownTicks { durations[input.tag] = input.duration }
    }

    /// Puts a frame in. Take all that comes out before the next.
    func push(_ frame: Frame) throws(StreamWriterError) {
        if let filters {
            try filters.push(frame)
        } else if let gpu = settings.hardwareFrames {
            ready = try encoding { () throws(LibavError) in try gpu.upload(frame) }
        } else if let samples {
            ready = try encoding { () throws(LibavError) in try samples.convert(frame) }
        } else {
            ready = frame
        }
    }

    /// There is no more input: what the filters still hold comes out next.
    func finish() throws(StreamWriterError) {
        tally.end()
        try filters?.finish()
    }

    /// The next frame for the encoders, its pts in their time base; nil when there is none until more is
    /// put in.
    func next() throws(StreamWriterError) -> Frame? {
        if let frame = ready {
            ready = nil
            return finished(frame)
        }
        guard let frame = try filters?.next() else { return nil }
        if let samples { return finished(try encoding { () throws(LibavError) in try samples.convert(frame) }) }
        guard let gpu = settings.hardwareFrames else { return finished(frame) }
        return finished(try encoding { () throws(LibavError) in try gpu.upload(frame) })
    }

    func free() { filters?.free() }

    private func finished(_ frame: Frame) -> Frame {
        guard let filteredTimeBase else { return frame }
        frame.pts = frame.pts.map { filteredTimeBase.rescale($0, to: settings.timeBase) }
        if frame.sampleCount == 0 {
            tally.give(frame.tag)
            keepDuration(of: frame.tag, frame)
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
