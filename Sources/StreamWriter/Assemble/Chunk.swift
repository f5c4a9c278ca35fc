import Libav

/// Raw bytes of one stream on their way into frames. One thread at a time. A chunk that is let
/// go of without `finish` keeps its whole frames.
public final class Chunk {
    private let writer: StreamWriter
    private let index: Int
    let stream: OpenStream
    let startTick: Int64
    private let filling: StreamFilling?
    private let droppedBefore: Int64
    /// How long the chunk's last picture is, if it says so; then each waits for whether another comes.
    private let lastTicks: Int64?
    private var held: Frame?
    var frames: Int64 = 0
    /// Bytes of a frame that is left out and has not come whole.
    var skippedBytes = 0
    /// Of what comes late: when it began to, and where the chunk was then.
    var lateness: (since: ContinuousClock.Instant, frames: Int64)?
    /// How far the chunk's time was moved, since it would have gone on being late.
    var delay: Int64 = 0
    /// Where bytes of a stream lie that others fill up, until it is their turn; made with the first.
    var buffer: UnsafeMutableRawBufferPointer?
    private(set) var regions: [UnsafeMutableRawBufferPointer] = []
    private var completed: [Frame] = []
    private var isFinished = false

    /// `start`: where the first frame would go that comes too late to go there.
    init(writer: StreamWriter, index: Int, stream: OpenStream, start: Int64?, lastTicks: Int64?) {
        self.lastTicks = lastTicks
        self.writer = writer
        self.index = index
        self.stream = stream
        startTick = start ?? stream.nextTick
        filling = writer.filling
        droppedBefore = stream.progress.current.framesDroppedLate
    }

    deinit {
        release()
        buffer?.deallocate()
    }

    /// Fills up to `limit` bytes of the stream's next frames; how many it did. `read` gets the
    /// regions that come next, fills their beginning and returns how many bytes it wrote, 0 at
    /// the end. What it throws is thrown on, and the chunk can go on. `atHand` says, where the limit does not, how many
    /// more bytes are here already: samples that come one by one are not worth a thread of the encoder's own.
    public func fill(
        upTo limit: Int, atHand: () -> Int = { .max }, _ read: ([UnsafeMutableRawBufferPointer]) throws -> Int
    ) throws -> Int {
        try requireUnfinished()
        if stream.live.takesTurns { return try fillInTurns(upTo: limit, atHand: atHand, read) }
        var total = 0
        while total < limit {
            try prepareRegions(limit - total)
            let count = try read(regions)
            precondition(
                count >= 0 && count <= regions.reduce(0) { $0 + $1.count }, "read past its regions")
            if count == 0 { break }
            total += count
            // A picture takes longer to encode than to hand over.
            try advance(count, remaining: stream.isVideo ? limit - total : min(limit - total, atHand()))
        }
        return total
    }

    /// Fills from memory.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(StreamWriterError) {
        try requireUnfinished()
        if stream.live.takesTurns { return try take(bytes, remaining: 0) }
        var done = 0
        while done < bytes.count {
            try prepareRegions(bytes.count - done)
            let start = done
            for region in regions {
                region.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<(done + region.count)]))
                done += region.count
            }
            try advance(done - start, remaining: bytes.count - done)
        }
    }

    /// Ends the chunk: drops a frame or sample that is not whole, and waits until the others
    /// have been given to the encoder.
    public func finish() throws(StreamWriterError) -> ChunkReceipt {
        try requireUnfinished()
        defer { release() }
        let (dropped, endPTS) = try stream.live.inTurn { () throws(StreamWriterError) in
            let dropped = stream.assembler.dropPartial() + skippedBytes
            try endLast()
            return (dropped, stream.nextPTS)
        }
        // A client that would rather lose frames than wait is not held until the last have been encoded.
        try stream.waitUntilIdle(until: stream.live.neverWaits ? .after(Limits.liveReceiptWait) : .never)
        let progress = stream.progress.current
        return ChunkReceipt(
            frames: frames, startPTS: stream.seconds(startTick), endPTS: endPTS,
            droppedBytes: dropped, offset: progress.offset,
            framesEncoded: progress.framesEncoded, bytesWritten: writer.bytesWritten,
            framesDroppedLate: progress.framesDroppedLate - droppedBefore, dropsLate: stream.live.dropsLate)
    }

    /// Gives the last picture its duration.
    private func endLast() throws(StreamWriterError) {
        guard let picture = held, let lastTicks else { return }
        held = nil
        try stream.encode(last: picture, ticks: lastTicks)
    }

    private func requireUnfinished() throws(StreamWriterError) {
        try writer.checkNotFailed()
        guard isFinished else { return }
        throw StreamWriterError(.wrongState, "the chunk is finished")
    }

    func prepareRegions(_ limit: Int) throws(StreamWriterError) {
        // Of a required output; the stream itself would go on.
        try writer.failureOfOutputs.check()
        try writer.requireRoom()
        try writer.requireOthers(beside: stream)
        regions.removeAll(keepingCapacity: true)
        try translating(.outOfMemory) { () throws(LibavError) in
            try stream.assembler.appendRegions(upTo: stream.limit(limit), to: &regions)
        }
    }

    func advance(_ count: Int, remaining: Int) throws(StreamWriterError) {
        completed.removeAll(keepingCapacity: true)
        let count = try stream.settleTime(with: count)
        try translating(.outOfMemory) { () throws(LibavError) in
            try stream.assembler.advance(count, completing: &completed)
        }
        frames += stream.countAccepted()
        if lastTicks != nil, let last = completed.popLast() {
            if let held { completed.insert(held, at: 0) }
            held = last
        }
        let enough = stream.assembler.bytesWorthAThread
        try stream.encode(completed, overlaps: remaining >= enough || count >= enough)
        if let refused = stream.assembler.takeRefused() { throw stream.refusal(of: refused, in: startTick) }
        if frames > 0 { try filling?.advanced(stream, from: stream.seconds(startTick)) }
    }

    private func release() {
        guard !isFinished else { return }
        isFinished = true
        stream.live.inTurn {
            _ = stream.assembler.dropPartial()
            if let held { try? stream.encode([held], overlaps: true) }
        }
        held = nil
        writer.endChunk(index)
    }
}
