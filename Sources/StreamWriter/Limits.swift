/// The bounds of what a writer takes.
package enum Limits {
    static let dimension = 1...16_384
    static let pixels = 16_384 * 16_384
    static let channels = 1...64
    static let sampleRate = 1...768_000
    static let frameRate = 1000.0
    /// Seconds; far beyond any recording, far within 64-bit ticks.
    static let pts = 1e9
    static let streams = 64
    static let bFrames = 1000
    static let qscale = 10_000.0
    static let bufferBytes = 1...(64 << 20)

    /// Frames waiting for a stream's encoder, while the next one is received.
    static let queuedFrames = 2
    static let queuedSampleBlocks = 64
    /// Audio is received this much at a time.
    static let slabBytes = 64 * 1024
    /// A piece of a chunk shorter than this many blocks is encoded where it is received.
    static let blocksWorthAThread = 8
    /// Regions offered to one `read`: one `readv` takes 1024.
    static let regionsPerRead = 512

    /// Packets waiting for the muxer.
    static let queuedPackets = 256
    static let queuedPacketBytes = 32 << 20
    /// Packets held back so that streams interleave.
    package static let heldBytes = 32 << 20
    package static let heldSeconds = 10.0

    static let threadStackBytes = 1 << 20
}
