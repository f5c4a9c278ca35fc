import Libav

// What a stream does that is filled up while it sends nothing, or that leaves out what comes too late.
extension OpenStream {
    // MARK: Late

    /// How many of a chunk's next frames come too late: those whose time, by where the chunk began and how many frames of
    /// it there were, has been filled.
    func framesLate(of startTick: Int64, after frames: Int64) -> Int64 {
        guard live.dropsLate else { return 0 }
        let ticks = ticksLate(of: startTick, after: frames)
        if !isVideo { return max(0, ticks) }
        // Times of pictures are rounded.
        return ticks * 2 >= max(frameTicks, 2) ? 1 : 0
    }

    func ticksLate(of startTick: Int64, after frames: Int64) -> Int64 {
        let own = isVideo ? tick(seconds(startTick) + Double(frames) / frameRate) : startTick + frames
        return nextTick - own
    }

    /// Frames that have come and are left out.
    func countDroppedLate(taken frames: Int64) {
        progress.droppedLate(frames: frames)
        progress.accepted(frames: frames, frameBytes: assembler.frameBytes, nextPTS: nextPTS)
    }

    /// Whether a frame is left out, since it would have to wait for the encoder. Time goes on.
    func dropsAsFull(_ frame: Frame) -> Bool {
        guard live.neverWaits, isFull else { return false }
        progress.droppedLate(frames: Int64(max(1, frame.sampleCount)))
        return true
    }

    // MARK: Filling

    /// Nothing has come and nothing was filled.
    private var isUntouched: Bool { assembler.nextTick == 0 && awaited == nil && progress.current.frames == 0 }

    /// Samples that are filled at a time, where more would wait for the encoder.
    private static let silenceStep: Int64 = 1024

    /// Fills the stream, which sends nothing, up to `end` with silence or with its last picture. `start` is where it
    /// begins if it has not. Both in seconds. In the stream's turn.
    func fillIdle(upTo end: Double, from start: Double) throws(StreamWriterError) {
        if isVideo && gaps.picture == nil { return }
        // A sample of which only some bytes have come goes behind.
        let partial = assembler.takeBack(0)
        try fillWhole(upTo: end, from: start)
        try putBack(partial)
        countAccepted()
    }

    private func putBack(_ partial: [UInt8]) throws(StreamWriterError) {
        guard !partial.isEmpty else { return }
        var regions: [UnsafeMutableRawBufferPointer] = []
        var none: [Frame] = []
        try translating(.outOfMemory) { () throws(LibavError) in
            try assembler.appendRegions(upTo: partial.count, to: &regions)
            regions[0].copyBytes(from: partial)
            try assembler.advance(partial.count, completing: &none)
        }
    }

    private func fillWhole(upTo end: Double, from start: Double) throws(StreamWriterError) {
        if isUntouched, start > 0 { try jump(to: tick(start)) }
        let last = tick(end)
        if let awaited, awaited.tick <= last { try beginAwaited(awaited) }
        let step = isVideo ? frameTicks : Self.silenceStep
        let from = assembler.nextTick
        let most = from + tick(mostFilled)
        var target = isVideo ? from + (last - from) / frameTicks * frameTicks : last
        target = min(target, most, awaited?.tick ?? .max)
        while assembler.nextTick < target {
            if live.isLive && isFull { break }
            try fill(upTo: live.isLive ? min(target, assembler.nextTick + step) : target)
        }
        progress.idled(seconds: seconds(assembler.nextTick - from))
    }

    /// Time goes on to where a chunk has said that its first frame goes, which has not come.
    private func beginAwaited(_ awaited: AwaitedFrame) throws(StreamWriterError) {
        self.awaited = nil
        if awaited.tick > assembler.nextTick { try jump(to: awaited.tick) }
        if awaited.isKeyFrame { askForKeyFrame() }
    }
}
