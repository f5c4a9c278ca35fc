import Libav

/// Makes what the encoder takes out of what the client sends, where they differ: another sample
/// format, a filter graph, an upload to the GPU. On the thread that receives, so that it overlaps
/// the encoder's work. One thread at a time.
final class FrameConverter {
    private let plan: EncodePlan
    /// Samples per channel in the encoder's frames; 0 when it takes any number.
    private let frameSize: Int
    private let samples: SampleConverter?
    private var graph: FilterGraph?
    private var hasFrames = false

    init(_ parts: StreamParts) {
        plan = parts.plan
        frameSize = parts.encoder.frameSize
        samples = parts.converter
        graph = parts.graph
    }

    /// Appends the frames for the encoder, their pts in its time base. An input that gives none
    /// yet is counted with the next that does.
    func convert(
        _ input: AssembledFrame, to output: inout [AssembledFrame]
    ) throws(StreamWriterError) {
        if plan.filtering != nil {
            let graph = try openGraph()
            hasFrames = true
            // Filters that change the rate need to know where a frame ends.
            input.frame.setOwnDuration()
            try encoding { () throws(LibavError) in try graph.push(input.frame) }
            waiting += input.inputFrames
            try pull(graph, to: &output)
        } else if let gpu = plan.settings.hardwareFrames {
            let frame = try encoding { () throws(LibavError) in try gpu.upload(input.frame) }
            output.append(AssembledFrame(frame: frame, inputFrames: input.inputFrames))
        } else if let samples {
            let frame = try encoding { () throws(LibavError) in try samples.convert(input.frame) }
            output.append(AssembledFrame(frame: frame, inputFrames: input.inputFrames))
        } else {
            output.append(input)
        }
    }

    /// Appends what the filters still held. More frames may follow, through new ones.
    func drain(to output: inout [AssembledFrame]) throws(StreamWriterError) {
        guard let graph, hasFrames else { return }
        try encoding { () throws(LibavError) in try graph.finish() }
        try pull(graph, to: &output)
        self.graph = nil
        hasFrames = false
    }

    /// Input frames in the filters that have not been counted with an output.
    private(set) var waiting = 0

    /// Frames that went in and came to nothing: dropped by a filter.
    func takeDropped() -> Int {
        defer { waiting = 0 }
        return waiting
    }

    private func openGraph() throws(StreamWriterError) -> FilterGraph {
        if let graph { return graph }
        let graph = try plan.filtering!.build()
        if frameSize > 0 { graph.setFrameSize(frameSize) }
        self.graph = graph
        return graph
    }

    private func pull(
        _ graph: FilterGraph, to output: inout [AssembledFrame]
    ) throws(StreamWriterError) {
        while true {
            let pulled = try encoding { () throws(LibavError) in try graph.pull() }
            guard case .frame(var frame) = pulled else { return }
            if let gpu = plan.settings.hardwareFrames {
                frame = try encoding { () throws(LibavError) in try gpu.upload(frame) }
            }
            frame.pts = frame.pts.map { graph.timeBase.rescale($0, to: plan.settings.timeBase) }
            output.append(AssembledFrame(frame: frame, inputFrames: waiting))
            waiting = 0
        }
    }

    private func encoding<T>(_ body: () throws(LibavError) -> T) throws(StreamWriterError) -> T {
        try translating(.encodingFailed, body)
    }
}

extension Frame {
    /// One picture, or its samples: in the time base of the frame either way.
    func setOwnDuration() { setDuration(sampleCount == 0 ? 1 : Int64(sampleCount)) }
}
