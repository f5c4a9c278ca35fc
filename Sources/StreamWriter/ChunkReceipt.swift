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
    /// Of the chunk's frames, those that were left out as they came too late or faster than they could be encoded.
    public let framesDroppedLate: Int64
    /// The stream leaves such frames out.
    public let dropsLate: Bool
}
