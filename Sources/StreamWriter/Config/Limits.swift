/// The bounds of what the library does. What a writer may cost within them is `WriterLimits`.
package enum Limits {
    /// What most encoders can say of a picture's side.
    static let dimension = 1...16_384
    /// FF_SANE_NB_CHANNELS of libav.
    static let channels = 1...512
    /// Up to the fastest converters there are. Below, filters divide by parts of a second that are empty.
    static let sampleRate = 100...768_000
    /// Above, the millisecond time base of flv and Matroska can't tell pictures apart.
    static let frameRate = 1000.0
    /// Seconds; far beyond any recording, far within 64-bit ticks.
    static let pts = 1e9
    /// The longest gap that is filled where the container can't hold one.
    static let filledSeconds = 3600.0
    /// An hour at 30 a second.
    static let filledPictures = 108_000.0
    /// Seconds; far below what any container tells apart, and what times up to `pts` have 64 bits for.
    static let leastTimeBase = 1e-9
    static let bFrames = 1000
    static let qscale = 10_000.0
    static let bufferBytes = 1...(64 << 20)

    /// Frames that filters may make of one, or of what they hold at the end; with more there is no end
    /// to be seen.
    static let framesOfOne = 250_000

    /// Frames waiting for a stream's encoder, while the next one is received.
    static let queuedFrames = 2
    /// Of a stream, wanted and not out of the filters yet.
    static let pendingKeyFrames = 1_024
    static let queuedSampleBlocks = 64
    /// Audio is received this much at a time.
    static let slabBytes = 64 * 1024
    /// A piece of a chunk shorter than this many blocks is encoded where it is received.
    static let blocksWorthAThread = 8
    /// So many blocks that are waiting already are encoded before what they give is written: fewer writes,
    /// and a live listener waits no longer than for these.
    static let gatheredBlocks = 8
    /// Regions offered to one `read`: one `readv` takes 1024.
    static let regionsPerRead = 512

    /// More than may be between what was taken and what was written.
    static let bytesUnderWay: Int64 = 128 << 20

    /// Packets waiting for the muxer.
    static let queuedPackets = 256
    static let queuedPacketBytes = 32 << 20
    /// Of each track, before an output with a thread of its own.
    static let queuedOutputPackets = 1024
    /// How long an output that lacks packets waits for a key frame to come by itself, in the stream's seconds.
    static let keyFrameSeconds = 10.0
    /// Packets held back so that streams interleave.
    package static let heldBytes = 32 << 20
    package static let heldSeconds = 10.0
    /// The same on their way to a live destination, unless the client says otherwise (`max_interleave_delta`).
    static let liveHeldSeconds = 1.0
    /// Milliseconds that bytes of a live body may wait for more.
    static let latency = 10_000.0
    /// What players of sound do not notice, and a wake-up for each piece as most sources have it.
    static let latencyOfAudio = 20.0
    /// Far below `idleSeconds`, and below what the encoder's queue holds.
    static let latencyKeptLive = 100.0
    /// Seconds that a stream may be behind before it is filled up.
    static let idleSeconds = 0.5
    /// How long one that has just sent something is waited for, where nothing is played at once.
    static let idleWait = Duration.seconds(0.5)
    /// Seconds in which what comes late must show that it catches up, and how many times as fast as time goes that is.
    static let catchingUp = 1.0
    static let catchingUpRate = 1.25
    /// Received at once of a stream that other threads fill up.
    static let turnBytes = 256 << 10
    /// How long a receipt waits for frames that are being encoded, where frames are dropped rather than waited for.
    static let liveReceiptWait = Duration.milliseconds(100)
    /// How soon after its time is over libav gives an opening up.
    static let openingGrace = Duration.seconds(2)
}
