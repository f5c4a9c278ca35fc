/// How far a stream is. Frames are pictures, or samples per channel.
public struct StreamProgress: Sendable, Equatable {
    /// Taken from chunks.
    public var frames: Int64 = 0
    /// Given to the encoder, after filters and changes of the rate.
    public var framesEncoded: Int64 = 0
    /// Pictures that were taken and not given to the encoder.
    public var framesDropped: Int64 = 0
    /// Pictures that were given to the encoder again.
    public var framesRepeated: Int64 = 0
    /// Seconds in gaps that were filled with silence or with a picture.
    public var filledSeconds = 0.0
    /// Of those, the seconds for which the stream's `fill` stands in.
    public var idleSeconds = 0.0
    /// Taken from chunks and left out, as they came too late or faster than they could be encoded.
    public var framesDroppedLate: Int64 = 0
    /// Bits a second that the encoder was last given; nil: those that it was opened with.
    public var bitRate: Int?
    /// Bytes taken, whole frames only: where an upload resumes.
    public var offset: Int64 = 0
    /// Seconds: where the next frame goes without a pts.
    public var nextPTS = 0.0
    public var packets: Int64 = 0
    /// Of those packets.
    public var bytesEncoded: Int64 = 0
    /// Seconds, of what was given to the encoder: from the first frame to the end of the last.
    public var encodedSpan: ClosedRange<Double>?
}
