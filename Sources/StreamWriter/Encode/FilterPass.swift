import Libav

/// A filter graph that frames go through. One thread at a time.
final class FilterPass {
    private var graph: FilterGraph?
    /// Does what the graph would.
    private var pictures: PictureConverter?
    /// What it made of the last frame, not taken yet.
    private var picture: Frame?
    private let calls: CallTracker
    /// What the filters said they would give: a filter may change its mind on the way.
    private let output: MediaFormat
    let timeBase: Fraction
    private var hasFrames = false
    /// The filters may have more for what was put in.
    private var mayHaveMore = false

    init(_ graph: FilterGraph, _ calls: CallTracker, pictures: PictureConverter? = nil) {
        self.graph = graph
        self.pictures = pictures
        self.calls = calls
        output = graph.output
        timeBase = graph.timeBase
    }

    /// Puts a frame in. Take all that comes out before the next.
    func push(_ frame: Frame) throws(StreamWriterError) {
        guard let graph else { return }
        if let pictures, pictures.takes(frame) {
            picture = try encoding { () throws(LibavError) in try pictures.convert(frame) }
            return
        }
        hasFrames = true
        // Filters that change the rate need to know where a frame ends.
        if frame.sampleCount > 0 { frame.setDuration(Int64(frame.sampleCount)) }
        try encoding { () throws(LibavError) in try graph.push(frame) }
        mayHaveMore = true
    }

    /// There is no more input: what the filters still hold comes out next.
    func finish() throws(StreamWriterError) {
        guard let graph, hasFrames else { return }
        try encoding { () throws(LibavError) in try graph.finish() }
        mayHaveMore = true
    }

    /// The next frame that comes out, its pts in `timeBase`; nil when there is none until more is put in.
    func next() throws(StreamWriterError) -> Frame? {
        if let picture {
            self.picture = nil
            return picture
        }
        guard mayHaveMore, let graph else { return nil }
        switch try encoding({ () throws(LibavError) in try graph.pull() }) {
        case .frame(let frame):
            // Encoders read as many rows and samples as they were opened for.
            if frame.fits(output) { return frame }
            throw StreamWriterError(
                .encodingFailed, "the filters changed the size or the form of what they give on the way",
                parameter: "filter_desc")
        // Some end before their input does (trim): what follows comes to nothing.
        case .needsInput, .drained:
            mayHaveMore = false
            return nil
        }
    }

    func free() {
        calls.tracking { graph = nil }
        (pictures, picture) = (nil, nil)
    }

    private func encoding<T>(_ body: () throws(LibavError) -> T) throws(StreamWriterError) -> T {
        try translating(.encodingFailed) { () throws(LibavError) in try calls.tracking(body) }
    }
}
