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
