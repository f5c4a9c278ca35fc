/// What was chosen for a stream.
public struct StreamDescription: Sendable, Equatable {
    public enum Kind: String, Sendable { case audio, video }

    public let index: Int
    public let kind: Kind
    public let encoder: String
    public let encoderFormat: String
    public let encoderSampleRate: Int?
    public let encoderNumChannels: Int?
    /// Samples per channel in one encoded frame; nil when the encoder takes any number.
    public let frameSize: Int?
    public let encoderFrameRate: Rational?
    public let encoderWidth: Int?
    public let encoderHeight: Int?
    /// Of the encoder: 1/sample rate or 1/frame rate.
    public let timeBase: Rational
    /// Bytes of one raw frame, or of one sample of every channel.
    public let inputFrameBytes: Int
    /// Frames or samples a second of the input.
    public let inputRate: Rational
    public let bitRate: Int?
}

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

/// What became of a chunk.
public struct ChunkReceipt: Sendable, Equatable {
    /// Whole frames taken from this chunk.
    public let frames: Int64
    /// Seconds, of the chunk's first frame and of the end of its last.
    public let startPTS: Double
    public let endPTS: Double
    /// Bytes of a frame left unfinished.
    public let droppedBytes: Int
    /// Bytes taken for the stream so far.
    public let offset: Int64
    public let framesEncoded: Int64
    public let bytesWritten: Int64
}

/// What a finished writer made.
public struct WriterSummary: Sendable, Equatable {
    public struct Stream: Sendable, Equatable {
        public let frames: Int64
        public let framesEncoded: Int64
        public let packets: Int64
    }

    public let bytesWritten: Int64
    /// Seconds to the end of the longest stream.
    public let duration: Double
    public let streams: [Stream]
}
