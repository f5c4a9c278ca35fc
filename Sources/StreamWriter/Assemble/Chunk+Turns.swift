// Chunks of streams that other threads fill up. Their bytes wait in a buffer of the chunk's own until it is its turn: in
// a frame they could not lie where time may go on meanwhile.
extension Chunk {
    func fillInTurns(
        upTo limit: Int, atHand: () -> Int, _ read: ([UnsafeMutableRawBufferPointer]) throws -> Int
    ) throws -> Int {
        let buffer = self.buffer ?? .allocate(byteCount: Limits.turnBytes, alignment: 64)
        self.buffer = buffer
        var total = 0
        while total < limit {
            let region = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, limit - total)])
            let count = try read([region])
            precondition(count >= 0 && count <= region.count, "read past its regions")
            if count == 0 { break }
            total += count
            try take(UnsafeRawBufferPointer(rebasing: region[..<count]), remaining: min(limit - total, atHand()))
        }
        return total
    }

    /// Puts bytes that have come into the stream's frames, or leaves them out. `remaining`: how many more there are.
    func take(_ bytes: UnsafeRawBufferPointer, remaining: Int) throws(StreamWriterError) {
        try stream.live.inTurn { () throws(StreamWriterError) in
            var done = 0
            while done < bytes.count {
                let skipped = skipLate(bytes.count - done)
                done += skipped
                if skipped > 0 { continue }
                try prepareRegions(bytes.count - done)
                let start = done
                for region in regions {
                    region.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<(done + region.count)]))
                    done += region.count
                }
                // Pictures come in many pieces, each worth a thread.
                try advance(done - start, remaining: stream.isVideo ? .max : remaining + bytes.count - done)
            }
        }
    }

    /// Leaves out what is of frames whose time has passed; how many of `count` bytes that is.
    private func skipLate(_ count: Int) -> Int {
        let frameBytes = stream.assembler.frameBytes
        let late = skippedBytes > 0 ? 1 : framesLate
        guard late > 0 else { return 0 }
        // What has come of the first of them.
        skippedBytes += stream.assembler.dropPartial()
        let skipped = min(count, Int(min(late, Int64(count / frameBytes + 1))) * frameBytes - skippedBytes)
        skippedBytes += skipped
        let whole = Int64(skippedBytes / frameBytes)
        skippedBytes %= frameBytes
        frames += whole
        stream.countDroppedLate(taken: whole)
        return skipped
    }

    /// How many of the next frames are late. Those that were held up on their way come faster than time goes, and catch
    /// up. A source that had stopped does not: then time goes on with what it sends.
    private var framesLate: Int64 {
        let late = stream.framesLate(of: startTick + delay, after: frames)
        guard late > 0 else {
            lateness = nil
            return 0
        }
        guard let begun = lateness else {
            lateness = (.now, frames)
            return late
        }
        let elapsed = (ContinuousClock.now - begun.since).inSeconds
        if elapsed < Limits.catchingUp { return late }
        lateness = nil
        if Double(frames - begun.frames) / stream.frameRate > elapsed * Limits.catchingUpRate { return late }
        delay += stream.ticksLate(of: startTick + delay, after: frames)
        return 0
    }
}
