import Libav

/// What a stream's containers need of the gaps in its time: what one needs the others have, too.
struct GapRules {
    let filling: GapFilling
    /// A picture that lasts longer than its rate says is there more than once.
    let fillsDurations: Bool
    /// The container tells how long the last picture is.
    let keepsLastDuration: Bool

    /// Each with whether the encoder counts its samples.
    init(_ formats: [(format: OutputFormat, countsSamples: Bool)], of kind: StreamDescription.Kind) {
        let fillings = formats.map { $0.format.gapFilling(of: kind, countsSamples: $0.countsSamples) }
        filling = fillings.contains(.all) ? .all : fillings.contains(.start) ? .start : .none
        fillsDurations = !formats.allSatisfy(\.format.takesPicturesAtAnyTime)
        keepsLastDuration = formats.allSatisfy(\.format.keepsLastDuration)
    }
}

/// What a stream knows of the gaps in its time.
struct GapState {
    /// What gaps are filled with.
    var picture: Frame?
    /// A gap before the first picture, which then fills it.
    var open: Range<Int64>?
    /// The picture that came last, if it lasts longer than the container tells, and where it ends.
    var lasting: (picture: Frame, end: Int64)?
}

/// A frame whose time is known before it has come.
struct AwaitedFrame {
    let tick: Int64
    var isKeyFrame = false
}

// What lies between frames, and behind the last.
extension OpenStream {
    /// The next frame goes to `tick`, once there is one: a time that no frame follows leaves nothing in the file.
    func awaitFrame(at tick: Int64) throws(StreamWriterError) {
        if fillsGap(upTo: tick) { try requireFillable(from: assembler.nextTick, to: tick, "pts") }
        let isKeyFrame = awaited?.isKeyFrame ?? false
        awaited = tick == assembler.nextTick && !isKeyFrame ? nil : AwaitedFrame(tick: tick, isKeyFrame: isKeyFrame)
    }

    /// How many bytes may be received at once: a sample whose time is awaited comes alone.
    func limit(_ bytes: Int) -> Int { awaited == nil ? bytes : min(bytes, assembler.missingBytes) }

    /// `count` bytes have come. Where they make the frame whole whose time is awaited, time goes on to
    /// there first. How many bytes there are in the assembler's regions then.
    func settleTime(with count: Int) throws(StreamWriterError) -> Int {
        guard let awaited, count == assembler.missingBytes else { return count }
        let sample = assembler.takeBack(count)
        self.awaited = nil
        try jump(to: awaited.tick)
        if awaited.isKeyFrame { askForKeyFrame() }
        if sample.isEmpty { return count }
        var regions: [UnsafeMutableRawBufferPointer] = []
        try translating(.outOfMemory) { () throws(LibavError) in
            try assembler.appendRegions(upTo: sample.count, to: &regions)
        }
        regions[0].copyBytes(from: sample)
        return sample.count
    }

    func fillsGap(upTo tick: Int64) -> Bool {
        let start = assembler.nextTick
        return tick > start && (gapRules.filling == .all || gapRules.filling == .start && start == 0 && progress.current.frames == 0)
    }

    /// What follows goes to `tick`. What lies before it is filled where the container can't leave it out.
    func jump(to tick: Int64) throws(StreamWriterError) {
        if fillsGap(upTo: tick) { return try fill(upTo: tick) }
        var frames: [Frame] = []
        try translating(.outOfMemory) { () throws(LibavError) in try assembler.jump(to: tick, completing: &frames) }
        try encode(frames, overlaps: false)
    }

    /// What follows goes to `tick`, and what lies before it is silence, or the picture before it.
    func fill(upTo tick: Int64) throws(StreamWriterError) {
        let start = assembler.nextTick
        guard tick > start else { return }
        while assembler.nextTick < tick {
            var frames: [Frame] = []
            try translating(.outOfMemory) { () throws(LibavError) in try assembler.fill(to: tick, completing: &frames) }
            try encode(frames, overlaps: true)
        }
        progress.filled(seconds: seconds(tick - start))
        guard isVideo else { return }
        if let picture = gaps.picture { try repeatPicture(picture, in: start..<tick) } else { gaps.open = (gaps.open?.lowerBound ?? start)..<tick }
    }

    /// The picture may have to fill a gap, before it or after it.
    func keep(_ picture: Frame) throws(StreamWriterError) {
        let copy = try reference(to: picture)
        if let gap = gaps.open {
            gaps.open = nil
            try repeatPicture(copy, in: gap)
        }
        gaps.picture = copy
    }

    private func repeatPicture(_ picture: Frame, in gap: Range<Int64>) throws(StreamWriterError) {
        // Where only the start is filled, what comes behind a picture keeps its time.
        let isOnce = gapRules.filling == .start && gap.lowerBound == 0
        let step = isOnce ? gap.upperBound : frameTicks
        for tick in stride(from: gap.lowerBound, to: gap.upperBound, by: Int(step)) {
            try encodeAgain(picture, at: tick, ticks: step)
        }
    }

    private func encodeAgain(_ picture: Frame, at tick: Int64, ticks: Int64) throws(StreamWriterError) {
        let copy = try reference(to: picture)
        copy.pts = tick
        copy.setDuration(ticks)
        try encodeOne(copy, overlaps: true)
    }

    private func reference(to picture: Frame) throws(StreamWriterError) -> Frame {
        try translating(.outOfMemory) { () throws(LibavError) in try picture.reference() }
    }

    /// How long a picture is by its rate.
    var frameTicks: Int64 {
        max(1, Int64((1 / (frameRate / Double(assembler.rate.numerator) * Double(assembler.rate.denominator))).rounded()))
    }

    // MARK: The last picture

    /// Encodes a chunk's last picture, which lasts so many ticks.
    func encode(last picture: Frame, ticks: Int64) throws(StreamWriterError) {
        let end = (picture.pts ?? 0) + ticks
        if gapRules.fillsDurations {
            try encode([picture], overlaps: true)
            // The container may hold it once more where it would not hold a gap.
            if gaps.picture == nil { gaps.picture = try reference(to: picture) }
            try fill(upTo: end)
        } else {
            picture.setDuration(ticks)
            assembler.prolongLast(to: end)
            let copy = try reference(to: picture)
            try encode([picture], overlaps: true)
            if !gapRules.keepsLastDuration && seconds(ticks - frameTicks) >= Self.leastRemainder { gaps.lasting = (copy, end) }
        }
        countAccepted()
    }

    /// Seconds: no container of those counts in more.
    private static let leastRemainder = 0.001

    /// Where nothing tells how long the last picture is, it is there once more at its end.
    func endLasting() throws(StreamWriterError) {
        guard let (picture, end) = gaps.lasting else { return }
        gaps.lasting = nil
        try encodeAgain(picture, at: end - frameTicks, ticks: frameTicks)
    }

    // MARK: Bounds

    /// A picture of so many ticks must not be longer than may be filled.
    func requireFillable(duration ticks: Int64) throws(StreamWriterError) {
        guard gapRules.fillsDurations else { return }
        try requireFillable(from: nextTick, to: nextTick + ticks, "duration")
    }

    /// The most seconds that are filled.
    var mostFilled: Double {
        isVideo ? min(Limits.filledSeconds, Limits.filledPictures / frameRate) : Limits.filledSeconds
    }

    private func requireFillable(from start: Int64, to end: Int64, _ parameter: String) throws(StreamWriterError) {
        guard seconds(end - start) > mostFilled else { return }
        throw StreamWriterError(
            .invalidParameter,
            "\(parameter) leaves a gap of \(seconds(end - start)) s in stream \(index), which the container can't hold; at most \(mostFilled) s are filled, so go on before \(seconds(start) + mostFilled), or choose a container that keeps times (matroska, mp4)",
            parameter: parameter)
    }
}
