import Bytewise
import Libav

/// What a finished writer made.
public struct WriterSummary: Sendable, Equatable {
    public struct Stream: Sendable, Equatable {
        public let frames: Int64
        /// At least one.
        public let renditions: [Rendition]
        /// What its time was changed in.
        fileprivate let ownWarnings: [Warning]

        /// What every rendition has.
        public var framesEncoded: Int64 { renditions.map(\.framesEncoded).min()! }
        public var framesDropped: Int64 { renditions.map(\.framesDropped).max()! }
        public var framesRepeated: Int64 { renditions.map(\.framesRepeated).max()! }
        /// Of all together.
        public var packets: Int64 { renditions.reduce(0) { $0 + $1.packets } }
        /// Of one that has several renditions, those that are about all of them.
        public var warnings: [Warning] { (renditions.count == 1 ? renditions[0].warnings : []) + ownWarnings }
    }

    public struct Rendition: Sendable, Equatable {
        /// nil: the stream has no others.
        public let name: String?
        public let framesEncoded: Int64
        public let framesDropped: Int64
        public let framesRepeated: Int64
        public let packets: Int64
        public let warnings: [Warning]
    }

    /// What an output has of a stream.
    public struct Track: Sendable, Equatable {
        public let stream: Int
        /// nil: the stream has no others.
        public let rendition: String?
        package let kind: StreamDescription.Kind
        /// What the container was given: of the first output that has the stream.
        package internal(set) var written: PacketTally
    }

    /// What one of the writer's outputs was given.
    public struct Output: Sendable, Equatable {
        public let name: String
        public let bytesWritten: Int64
        public let tracks: [Track]
    }

    public let bytesWritten: Int64
    /// Seconds from the first frame of all streams to the end of the last, as they were encoded.
    public let duration: Double
    public let streams: [Stream]
    /// nil of one that has failed, or was ended before, and that the writer did without.
    public let outputs: [Output?]

    /// The same as one output alone has it; nil: it has failed.
    public func of(output index: Int) -> WriterSummary? { outputs[index].map(of) }

    /// Of the output of that name.
    public func of(outputNamed name: String) -> WriterSummary? {
        outputs.lazy.compactMap(\.self).first { $0.name.isSame(as: name) }.map(of)
    }

    private func of(_ output: Output) -> WriterSummary {
        WriterSummary(bytesWritten: output.bytesWritten, duration: duration, streams: streams, outputs: [output])
    }
}

extension WriterSummary.Rendition {
    fileprivate init(_ progress: RenditionProgress, _ frames: Int64, name: String?, secondsLate: Double) {
        self.name = name
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
        if secondsLate > Limits.heldSeconds {
            found.append(
                Warning(.streamsApart, "In the file it lies up to \(secondsLate) s of time behind other streams, since it came so much later: sent later, or held back by an encoder that looks ahead. What plays it from a disc or over a network seeks to and fro. Streams that are sent side by side lie side by side."))
        }
        warnings = found
    }
}

extension WriterSummary.Stream {
    /// `secondsLate`: of each rendition.
    init(_ progress: StreamProgress, of stream: StreamDescription, secondsLate: [Double]) {
        frames = progress.frames
        renditions = stream.renditions.enumerated().map { place, rendition in
            WriterSummary.Rendition(progress.rendition(place), progress.frames, name: rendition.name, secondsLate: secondsLate[place])
        }
        var found: [Warning] = []
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
        ownWarnings = found
    }
}
