/// How far a stream is. Frames are pictures, or samples per channel.
public struct StreamProgress: Sendable, Equatable {
    /// Taken from chunks.
    public var frames: Int64 = 0
    /// Seconds in gaps that were filled with silence or with a picture.
    public var filledSeconds = 0.0
    /// Of those, the seconds for which the stream's `fill` stands in.
    public var idleSeconds = 0.0
    /// Taken from chunks and left out, as they came too late or faster than they could be encoded.
    public var framesDroppedLate: Int64 = 0
    /// Bytes taken, whole frames only: where an upload resumes.
    public var offset: Int64 = 0
    /// Seconds: where the next frame goes without a pts.
    public var nextPTS = 0.0
    /// Of all renditions together: what every one of them has of frames, and the sums of packets and bytes.
    public internal(set) var encoded = RenditionProgress()
    /// Of each, where there are several.
    public internal(set) var renditions: [RenditionProgress] = []

    public var framesEncoded: Int64 { encoded.framesEncoded }
    public var framesDropped: Int64 { encoded.framesDropped }
    public var framesRepeated: Int64 { encoded.framesRepeated }
    public var bitRate: Int? { encoded.bitRate }
    public var packets: Int64 { encoded.packets }
    public var bytesEncoded: Int64 { encoded.bytesEncoded }
    public var encodedSpan: ClosedRange<Double>? { encoded.encodedSpan }

    public func rendition(_ index: Int) -> RenditionProgress { renditions.isEmpty ? encoded : renditions[index] }
}

/// How far one of a stream's renditions is.
public struct RenditionProgress: Sendable, Equatable {
    /// Given to the encoder, after filters and changes of the rate.
    public internal(set) var framesEncoded: Int64 = 0
    /// Pictures that were taken and not given to the encoder.
    public internal(set) var framesDropped: Int64 = 0
    /// Pictures that were given to the encoder again.
    public internal(set) var framesRepeated: Int64 = 0
    /// Bits a second that the encoder was last given; nil: those that it was opened with.
    public internal(set) var bitRate: Int?
    public internal(set) var packets: Int64 = 0
    /// Of those packets.
    public internal(set) var bytesEncoded: Int64 = 0
    /// Seconds, of what was given to the encoder: from the first frame to the end of the last.
    public internal(set) var encodedSpan: ClosedRange<Double>?

    mutating func note(_ frame: EncodedFrame) {
        switch frame {
        case .dropped: framesDropped += 1
        case .encoded(let frames, let start, let end):
            framesEncoded += Int64(frames)
            let span = encodedSpan ?? start...end
            encodedSpan = span.lowerBound...max(span.upperBound, end)
        }
    }

    /// Of several of a stream, the first of which stands for what can't be added up.
    static func total(of renditions: [RenditionProgress]) -> RenditionProgress {
        var total = renditions[0]
        for other in renditions.dropFirst() {
            total.framesEncoded = min(total.framesEncoded, other.framesEncoded)
            total.framesDropped = max(total.framesDropped, other.framesDropped)
            total.framesRepeated = max(total.framesRepeated, other.framesRepeated)
            total.packets += other.packets
            total.bytesEncoded += other.bytesEncoded
            guard let span = other.encodedSpan else { continue }
            let known = total.encodedSpan ?? span
            total.encodedSpan = min(known.lowerBound, span.lowerBound)...max(known.upperBound, span.upperBound)
        }
        return total
    }
}
