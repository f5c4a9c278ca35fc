import Libav

/// Gathers the bytes of chunks into frames. One thread at a time.
protocol FrameAssembler: AnyObject {
    /// Bytes of one picture, or of one sample of every channel.
    var frameBytes: Int { get }
    /// Ticks a second: samples, or frames unless the stream has a time base of its own.
    var rate: Rational { get }
    /// Where the next frame or sample goes, in 1/rate, unless its chunk says otherwise.
    var nextTick: Int64 { get }
    /// Where it may go at the earliest.
    var earliestTick: Int64 { get }
    /// Of the last picture, where pictures are at times of their own; -1 before the first.
    var lastOwnTick: Int64? { get }
    /// The last frame ends at `tick`.
    func prolongLast(to tick: Int64)
    /// How many bytes make it worth encoding on another thread.
    var bytesWorthAThread: Int { get }

    /// Appends the regions that the next bytes go to, of at most `limit` bytes.
    func appendRegions(upTo limit: Int, to regions: inout [UnsafeMutableRawBufferPointer]) throws(LibavError)
    /// `count` bytes of the regions have been filled: appends the frames that are complete now.
    func advance(_ count: Int, completing frames: inout [Frame]) throws(LibavError)
    /// Bytes that the next frame or sample lacks.
    var missingBytes: Int { get }
    /// Takes a sample back of which the last `count` bytes have just come, for it to be put behind what its time needs
    /// first; empty for a picture, which is where it is whatever its time.
    func takeBack(_ count: Int) -> [UInt8]
    /// Whole frames or samples of the input taken since the last call.
    func takeAcceptedFrames() -> Int64
    /// Drops the bytes of an unfinished frame or sample; how many.
    func dropPartial() -> Int
    /// The next frame goes to `tick`, which is not before `nextTick`. Appends what must go first.
    func jump(to tick: Int64, completing frames: inout [Frame]) throws(LibavError)
    /// A step of the way to `tick` with silence in between; `nextTick` says how far it came. Only for samples:
    /// pictures are repeated once they are frames.
    func fill(to tick: Int64, completing frames: inout [Frame]) throws(LibavError)
    /// A sample that the encoder does not take, which ended the last call of `advance` before it; once.
    func takeRefused() -> RefusedSample?
    /// Samples of a frame that is not whole yet.
    var pendingSamples: Int { get }
    /// Appends a frame that is shorter than the others, if one is waiting.
    func finishShort(completing frames: inout [Frame]) throws(LibavError)
}

extension FrameAssembler {
    func takeRefused() -> RefusedSample? { nil }
    var pendingSamples: Int { 0 }
    var earliestTick: Int64 { nextTick }
    var lastOwnTick: Int64? { nil }
    func prolongLast(to tick: Int64) {}
}

struct RefusedSample {
    /// Of its sample frame, in 1/rate.
    let tick: Int64
    let channel: Int
    let value: Double
    /// What would have been taken, up and down.
    let bound: Float
}
