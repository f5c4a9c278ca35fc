import Libav

/// What a finished writer made.
public struct WriterSummary: Sendable, Equatable {
    public struct Stream: Sendable, Equatable {
        public let frames: Int64
        public let framesEncoded: Int64
        public let framesDropped: Int64
        public let framesRepeated: Int64
        public let packets: Int64
        /// What its time was changed in.
        public let warnings: [Warning]
        package let kind: StreamDescription.Kind
        /// What the container was given.
        package let written: PacketTally
    }

    public let bytesWritten: Int64
    /// Seconds from the first frame of all streams to the end of the last, as they were encoded.
    public let duration: Double
    public let streams: [Stream]
}

extension WriterSummary.Stream {
    init(_ progress: StreamProgress, of stream: StreamDescription, written: PacketTally, secondsLate: Double) {
        kind = stream.kind
        self.written = written
        frames = progress.frames
        framesEncoded = progress.framesEncoded
        framesDropped = progress.framesDropped
        framesRepeated = progress.framesRepeated
        packets = progress.packets
        var found: [Warning] = []
        if framesDropped > 0 {
            found.append(
                Warning(.framesDropped, parameter: "encoder_frame_rate", "\(framesDropped) of \(frames) pictures are not in the output: its rate or filter_desc left them out."))
        }
        if framesRepeated > 0 {
            found.append(
                Warning(.framesRepeated, parameter: "encoder_frame_rate", "\(framesRepeated) pictures of the output repeat the one before: its rate or filter_desc asks for more than came."))
        }
        if progress.filledSeconds > 0 {
            let filler = stream.kind == .audio ? "silence" : "a picture that stands still"
            found.append(
                Warning(.gapFilled, parameter: "pts", "\(progress.filledSeconds) s that nothing was sent for are \(filler), since the container can't leave them out."))
        }
        if secondsLate > Limits.heldSeconds {
            found.append(
                Warning(.streamsApart, "In the file it lies up to \(secondsLate) s of time behind other streams, since it came so much later: sent later, or held back by an encoder that looks ahead. What plays it from a disc or over a network seeks to and fro. Streams that are sent side by side lie side by side."))
        }
        warnings = found
    }
}
