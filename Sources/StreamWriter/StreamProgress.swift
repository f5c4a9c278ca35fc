/// How far a stream is. Frames are pictures, or samples per channel.
public struct StreamProgress: Sendable, Equatable {
    /// Taken from chunks.
    public var frames: Int64
    /// Of those, given to the encoder.
    public var framesEncoded: Int64
    /// Bytes taken, whole frames only: where an upload resumes.
    public var offset: Int64
    /// Seconds: where the next frame goes without a pts.
    public var nextPTS: Double
    public var packets: Int64
}
