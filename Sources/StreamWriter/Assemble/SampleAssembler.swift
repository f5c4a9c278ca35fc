import Glibc
import Libav

/// Fills blocks of interleaved samples. Where one block ends and the next begins depends only
/// on the samples' positions, never on how they arrive.
final class SampleAssembler: FrameAssembler {
    let rate: Rational
    let frameBytes: Int
    var nextTick: Int64 { blockStart + Int64(filled / frameBytes) }
    var bytesWorthAThread: Int { pool.blocks * pool.blockBytes }

    private let pool: SampleSlabPool
    private let blockSamples: Int
    private let silence: Int32
    private let gate: SampleGate?
    /// Samples of silence before what follows a gap, a whole number of blocks.
    private let leadIn: Int
    private var slab: SampleSlab?
    /// The block of the slab that is being filled, and how many of its bytes are there.
    private var block = 0
    private var filled = 0
    /// Position of the block's first sample.
    private var blockStart: Int64 = 0
    /// Whole samples of the block that have been counted as taken.
    private var counted = 0
    private var accepted: Int64 = 0
    private var refused: RefusedSample?
    /// A block has been completed.
    private var hasBegun = false

    /// Samples of floats beyond `bound`, up or down, are not taken. `leadIn`: how many samples of what came before
    /// filters and encoder put into one packet with what comes next.
    init(shape: AudioShape, blockSamples: Int, bound: Float? = nil, leadIn: Int = 0) throws(LibavError) {
        pool = try SampleSlabPool(shape: shape, blockSamples: blockSamples, slabBytes: Limits.slabBytes)
        self.blockSamples = blockSamples
        self.leadIn = (leadIn + blockSamples - 1) / blockSamples * blockSamples
        frameBytes = shape.bytesPerFrame
        rate = Rational(shape.sampleRate, 1)!
        gate = bound.flatMap { SampleGate(bound: $0, format: shape.format) }
        // Unsigned samples are silent in the middle.
        silence = shape.format.name == "u8" ? 0x80 : 0
    }

    func appendRegions(
        upTo limit: Int, to regions: inout [UnsafeMutableRawBufferPointer]
    ) throws(LibavError) {
        let slab = try openSlab()
        var left = limit
        if pool.stride == pool.blockBytes {
            // No gaps between the blocks: what is left of the slab is one region.
            let offset = block * pool.stride + filled
            let count = min(left, pool.blocks * pool.stride - offset)
            regions.append(UnsafeMutableRawBufferPointer(start: slab.base + offset, count: count))
            return
        }
        for index in block..<pool.blocks where left > 0 {
            let start = index == block ? filled : 0
            let count = min(left, pool.blockBytes - start)
            regions.append(
                UnsafeMutableRawBufferPointer(start: slab.base + index * pool.stride + start, count: count))
            left -= count
        }
    }

    func advance(_ count: Int, completing frames: inout [Frame]) throws(LibavError) {
        var left = count
        while left > 0 {
            let taken = min(left, pool.blockBytes - filled)
            if holdsRefused(taken) { return }
            filled += taken
            left -= taken
            countWhole()
            if filled == pool.blockBytes { try completeBlock(&frames) }
        }
    }

    var pendingSamples: Int { filled / frameBytes }

    func takeRefused() -> RefusedSample? {
        defer { refused = nil }
        return refused
    }

    /// Whether one of the next `count` bytes of the block completes a sample that is not taken. What is whole
    /// before it is.
    private func holdsRefused(_ count: Int) -> Bool {
        guard let gate, let slab,
            let found = gate.first(in: slab.base + block * pool.stride, bytes: filled..<(filled + count))
        else { return false }
        let channels = frameBytes / gate.sampleBytes
        let frame = found.index / channels
        refused = RefusedSample(
            tick: blockStart + Int64(frame), channel: found.index % channels, value: found.value, bound: gate.bound)
        filled = frame * frameBytes
        countWhole()
        return true
    }

    var missingBytes: Int { frameBytes - filled % frameBytes }

    func takeBack(_ count: Int) -> [UInt8] {
        let partial = dropPartial()
        guard let slab else { return [] }
        return Array(UnsafeRawBufferPointer(start: slab.base + block * pool.stride + filled, count: partial + count))
    }

    func takeAcceptedFrames() -> Int64 {
        defer { accepted = 0 }
        return accepted
    }

    func dropPartial() -> Int {
        let partial = filled % frameBytes
        filled -= partial
        return partial
    }

    /// A gap within the block is silence; beyond it time jumps at the block's end. What an encoder still holds then
    /// is in one packet with what follows, at the time of the first: that is silence, too.
    func jump(to tick: Int64, completing frames: inout [Frame]) throws(LibavError) {
        guard tick > nextTick else { return }
        if filled > 0 {
            let end = min(tick, blockStart + Int64(blockSamples))
            pad(Int(end - nextTick))
            if filled == pool.blockBytes { try completeBlock(&frames) }
        }
        guard filled == 0 else { return }
        blockStart = hasBegun ? max(blockStart, tick - Int64(leadIn)) : tick
        while nextTick < tick { try fill(to: tick, completing: &frames) }
    }

    func fill(to tick: Int64, completing frames: inout [Frame]) throws(LibavError) {
        // As many as there are in what is received at a time.
        for _ in 0..<pool.blocks where nextTick < tick {
            _ = try openSlab()
            pad(Int(min(tick, blockStart + Int64(blockSamples)) - nextTick))
            if filled == pool.blockBytes { try completeBlock(&frames) }
        }
    }

    func finishShort(completing frames: inout [Frame]) throws(LibavError) {
        if filled > 0 { try completeBlock(&frames) }
    }

    private func openSlab() throws(LibavError) -> SampleSlab {
        if let slab, block < pool.blocks { return slab }
        let fresh = try pool.take()
        slab = fresh
        block = 0
        return fresh
    }

    private func countWhole() {
        let whole = filled / frameBytes
        accepted += Int64(whole - counted)
        counted = whole
    }

    private func pad(_ samples: Int) {
        guard let slab, samples > 0 else { return }
        memset(slab.base + block * pool.stride + filled, silence, samples * frameBytes)
        filled += samples * frameBytes
        counted += samples
    }

    private func completeBlock(_ frames: inout [Frame]) throws(LibavError) {
        guard let slab else { return }
        let samples = filled / frameBytes
        let frame = try slab.frame(block: block, samples: samples)
        frame.pts = blockStart
        frames.append(frame)
        hasBegun = true
        blockStart += Int64(samples)
        block += 1
        if block == pool.blocks { self.slab = nil }
        filled = 0
        counted = 0
    }
}

/// Looks at samples of floats as they come.
private struct SampleGate {
    let bound: Float
    let sampleBytes: Int

    /// Nil: samples of the format are all within bounds.
    init?(bound: Float, format: AudioFormat) {
        guard format.name == "flt" || format.name == "dbl" else { return nil }
        self.bound = bound
        sampleBytes = format.bytesPerSample
    }

    /// The first sample that is not taken, of those whose last byte is one of `bytes` of a block.
    func first(in block: UnsafeMutableRawPointer, bytes: Range<Int>) -> (index: Int, value: Double)? {
        let range = bytes.lowerBound / sampleBytes..<bytes.upperBound / sampleBytes
        let samples = UnsafeRawBufferPointer(start: block + range.lowerBound * sampleBytes, count: range.count * sampleBytes)
        if sampleBytes == 4 {
            let samples = samples.assumingMemoryBound(to: Float.self)
            return SampleBound.firstIndex(beyond: bound, in: samples).map { (range.lowerBound + $0, Double(samples[$0])) }
        }
        let values = samples.assumingMemoryBound(to: Double.self)
        return SampleBound.firstIndex(beyond: Double(bound), in: values).map { (range.lowerBound + $0, values[$0]) }
    }
}
