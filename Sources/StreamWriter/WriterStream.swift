import Libav

/// A stream of an open writer.
final class WriterStream: @unchecked Sendable {
    // Unchecked: `assembler` is used by the one chunk in progress, or by the writer when there is none.
    let assembler: any FrameAssembler
    let pipeline: EncodePipeline
    let progress: ProgressCounter

    init(_ parts: StreamParts, sink: PacketSink, progress: ProgressCounter, failure: Failure) {
        assembler = parts.assembler
        self.progress = progress
        let isAudio = parts.description.kind == .audio
        pipeline = EncodePipeline(
            stage: EncodeStage(parts, sink: sink, progress: progress), progress: progress,
            failure: failure,
            capacity: isAudio ? Limits.queuedSampleBlocks : Limits.queuedFrames)
    }

    /// Seconds.
    var nextPTS: Double { seconds(assembler.nextTick) }

    func seconds(_ tick: Int64) -> Double {
        Double(tick) * Double(assembler.rate.denominator) / Double(assembler.rate.numerator)
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

    /// Encodes what is waiting, a shorter last frame included, and empties the encoder.
    func drain() throws(StreamWriterError) {
        var frames: [AssembledFrame] = []
        try translating(.outOfMemory) { () throws(LibavError) in
            try assembler.finishShort(completing: &frames)
        }
        try pipeline.submit(frames, overlaps: false)
        try pipeline.withStage { stage throws(StreamWriterError) in try stage.drain() }
    }
}
