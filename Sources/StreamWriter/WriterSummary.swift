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
        /// What the container was given: of the first output that has the stream.
        package internal(set) var written: PacketTally
    }

    /// What one of the writer's outputs was given.
    public struct Output: Sendable, Equatable {
        public let bytesWritten: Int64
        /// Indexes of its streams, in its own order.
        public let streams: [Int]
        /// By its own streams.
        let written: [PacketTally]
    }

    public let bytesWritten: Int64
    /// Seconds from the first frame of all streams to the end of the last, as they were encoded.
    public let duration: Double
    public let streams: [Stream]
    /// nil of one that has failed, and that the writer did without.
    public let outputs: [Output?]

    /// The same as one output alone has it, with its own streams; nil: it has failed.
    public func of(output index: Int) -> WriterSummary? {
        guard let output = outputs[index] else { return nil }
        let own = zip(output.streams, output.written).map { index, written in
            var stream = streams[index]
            stream.written = written
            return stream
        }
        return WriterSummary(bytesWritten: output.bytesWritten, duration: duration, streams: own, outputs: [output])
    }
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
        let filler = stream.kind == .audio ? "silence" : "a picture that stands still"
        if progress.idleSeconds > 0 {
            let seconds = (progress.idleSeconds * 1e6).rounded() / 1e6
            found.append(
                Warning(.gapFilled, parameter: "fill", "\(seconds) s are \(filler), since the stream sent nothing for them while time went on."))
        }
        if progress.framesDroppedLate > 0 {
            let frames = stream.kind == .audio ? "samples of each channel" : "pictures"
            found.append(
                Warning(
                    .lateDropped, parameter: "when_late",
                    "\(progress.framesDroppedLate) of \(progress.frames) \(frames) are not in the output: they came too late, or faster than they could be encoded and sent."))
        }
        let gaps = ((progress.filledSeconds - progress.idleSeconds) * 1e6).rounded() / 1e6
        if gaps > 0 {
            found.append(
                Warning(.gapFilled, parameter: "pts", "\(gaps) s that nothing was sent for are \(filler), since the container can't leave them out."))
        }
        if secondsLate > Limits.heldSeconds {
            found.append(
                Warning(.streamsApart, "In the file it lies up to \(secondsLate) s of time behind other streams, since it came so much later: sent later, or held back by an encoder that looks ahead. What plays it from a disc or over a network seeks to and fro. Streams that are sent side by side lie side by side."))
        }
        warnings = found
    }
}
