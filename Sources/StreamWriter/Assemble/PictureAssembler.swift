import Libav

/// Fills the rows of pooled pictures.
final class PictureAssembler: FrameAssembler {
    let frameBytes: Int
    var rate: Rational { timing.rate }
    /// A frame's time after the last, unless its chunk said otherwise; exact over any number of frames.
    var nextTick: Int64 { base + rounded(framesFromBase) }
    var earliestTick: Int64 { timing.isFree ? lastTick + 1 : nextTick }
    var lastOwnTick: Int64? { timing.isFree ? lastTick : nil }
    private let timing: VideoTiming
    private var base: Int64 = 0
    private var framesFromBase: Int64 = 0
    private var lastTick: Int64 = -1
    var bytesWorthAThread: Int { frameBytes }

    /// A plane of the body, in its order.
    private struct Plane {
        /// Nil goes nowhere.
        let target: Int?
        let rowBytes: Int
        let rows: Int
        let stride: Int
        var bytes: Int { rowBytes * rows }
    }

    private let pool: FramePool
    /// What samples are held to before filters see them.
    private let sampleLimit: UInt16?
    /// Of pictures that are handed on as whole numbers.
    private let wholeNumbers: FramePool?
    private let planes: [Plane]
    private let scratch: UnsafeMutableRawBufferPointer?
    private var current: Frame?
    /// Bytes of the current picture that are there.
    private var filled = 0
    private var accepted: Int64 = 0

    init(
        input: ImageInput, width: Int, height: Int, packing: ImageLayout.Packing, timing: VideoTiming,
        boundsSamples: Bool
    ) throws(LibavError) {
        sampleLimit = boundsSamples ? input.frameFormat.sampleLimit : nil
        let layout = try ImageLayout(
            format: input.filledFormat, width: width, height: height, packing: packing)
        pool = try FramePool(layout: layout)
        if input.filledFormat == input.frameFormat {
            wholeNumbers = nil
        } else {
            wholeNumbers = try FramePool(layout: ImageLayout(format: input.frameFormat, width: width, height: height, packing: packing))
        }
        planes = input.order.map { target in
            let plane = layout.planes[target ?? 0]
            return Plane(
                target: target, rowBytes: plane.rowBytes, rows: plane.rows,
                stride: target == nil ? plane.rowBytes : plane.stride)
        }
        frameBytes = planes.reduce(0) { $0 + $1.bytes }
        let unwanted = planes.filter { $0.target == nil }.map(\.bytes).max()
        scratch = unwanted.map { .allocate(byteCount: $0, alignment: 64) }
        self.timing = timing
    }

    deinit { scratch?.deallocate() }

    func appendRegions(
        upTo limit: Int, to regions: inout [UnsafeMutableRawBufferPointer]
    ) throws(LibavError) {
        let frame = try openFrame()
        var skip = filled
        var left = limit
        for plane in planes {
            if skip >= plane.bytes {
                skip -= plane.bytes
                continue
            }
            let start = plane.target.map { frame.plane($0)! } ?? scratch!.baseAddress!
            let whole = plane.stride == plane.rowBytes
            // A plane without gaps is one long row.
            let rowBytes = whole ? plane.bytes : plane.rowBytes
            var row = skip / rowBytes
            var column = skip % rowBytes
            while row < (whole ? 1 : plane.rows) {
                guard left > 0, regions.count < Limits.regionsPerRead else { return }
                let count = min(left, rowBytes - column)
                let address = start + row * plane.stride + column
                regions.append(UnsafeMutableRawBufferPointer(start: address, count: count))
                left -= count
                row += 1
                column = 0
            }
            skip = 0
        }
    }

    func advance(_ count: Int, completing frames: inout [Frame]) throws(LibavError) {
        filled += count
        guard filled == frameBytes, let whole = current else { return }
        let frame = try wholeNumbers.map { pool throws(LibavError) in try pool.take() } ?? whole
        if let wholeNumbers { whole.quantize(pool.layout, into: frame, wholeNumbers.layout) }
        if let sampleLimit { frame.bound(to: sampleLimit, pool.layout) }
        lastTick = nextTick
        frame.pts = lastTick
        countFrame()
        frame.setDuration(nextTick - lastTick)
        frames.append(frame)
        current = nil
        filled = 0
        accepted += 1
    }

    private func countFrame() {
        framesFromBase += 1
        // Where a number of frames is a whole number of ticks it begins anew, so that no product grows.
        if framesFromBase % Int64(timing.frameTicks.denominator) == 0 { go(to: nextTick) }
    }

    private func rounded(_ frames: Int64) -> Int64 {
        let (ticks, parts) = (Int64(timing.frameTicks.numerator), Int64(timing.frameTicks.denominator))
        return (frames * ticks + parts / 2) / parts
    }

    private func go(to tick: Int64) {
        base = tick
        framesFromBase = 0
    }

    var missingBytes: Int { frameBytes - filled }

    func takeBack(_ count: Int) -> [UInt8] { [] }

    func takeAcceptedFrames() -> Int64 {
        defer { accepted = 0 }
        return accepted
    }

    func dropPartial() -> Int {
        defer { filled = 0 }
        return filled
    }

    func jump(to tick: Int64, completing frames: inout [Frame]) { go(to: tick) }

    func fill(to tick: Int64, completing frames: inout [Frame]) { go(to: tick) }

    func prolongLast(to tick: Int64) { go(to: tick) }

    func finishShort(completing frames: inout [Frame]) {}

    private func openFrame() throws(LibavError) -> Frame {
        if let current { return current }
        let frame = try pool.take()
        current = frame
        return frame
    }
}
