import Bytewise
import Libav

/// Frames in, packets out. One thread at a time.
final class EncodeStage {
    private let settings: EncoderSettings
    private let fan: PacketFan
    private let counter: RenditionCounter
    private let calls: CallTracker
    private var encoder: Encoder?
    private var lastFramePTS: Int64 = -1
    /// A picture that was wanted as a key frame was dropped: the next one is it.
    private var owesKeyFrame = false
    private var firstFramePTS: Int64?
    private var packets: Int64 = 0
    /// How far before its first frame the encoder's packets may begin.
    private let lead: Int64
    /// How long a picture is unless it says so itself.
    private let pictureTicks: Int64
    /// Of pictures that do, by their times, until their packets come.
    private var durations: [Int64: Int64] = [:]
    /// Where the picture that is shown last ends.
    private var shownEnd: Int64 = 0
    /// The container has times of decoding, which are to last as long as what is shown.
    private let spansEnd: Bool
    /// The last packet was told that more follow.
    private var isGathering = false

    init(_ parts: PreparedRendition, fan: PacketFan, counter: RenditionCounter, spansEnd: Bool) {
        self.spansEnd = spansEnd
        settings = parts.encoder.settings
        encoder = parts.encoder
        lead = parts.encoder.lead
        if case .video(let shape) = settings.input { pictureTicks = shape.frameTicks } else { pictureTicks = 1 }
        calls = parts.calls
        self.fan = fan
        self.counter = counter
    }

    /// Encodes a frame, its pts in the encoder's time base; what became of it. With `moreFollows` what comes out
    /// may wait to be written together with what the next gives, or for `endGathering`.
    func encode(_ frame: Frame, moreFollows: Bool) throws(StreamWriterError) -> EncodedFrame {
        if frame.isKeyFrameWanted { owesKeyFrame = true }
        guard let pts = ascendingPTS(frame) else { return .dropped }
        if owesKeyFrame { frame.isKeyFrameWanted = true }
        owesKeyFrame = false
        frame.pts = pts
        lastFramePTS = pts
        firstFramePTS = firstFramePTS ?? pts
        let duration = frame.sampleCount > 0 ? Int64(frame.sampleCount) : frame.duration > 0 ? frame.duration : pictureTicks
        frame.setDuration(duration)
        if frame.sampleCount == 0, duration != pictureTicks { durations[pts] = duration }
        guard let encoder else { return .dropped }
        if let packet = try encoding({ () throws(LibavError) in try encoder.sendThrough(frame) }) {
            try submit(packet, moreFollows: moreFollows)
        } else {
            try encoding { () throws(LibavError) in try encoder.send(frame) }
            try receivePackets(encoder, moreFollows: moreFollows)
        }
        shownEnd = max(shownEnd, pts + duration)
        return .encoded(frames: max(1, frame.sampleCount), from: seconds(pts), to: seconds(pts + duration))
    }

    func change(to rate: EncoderRate) {
        guard let encoder else { return }
        calls.tracking { encoder.change(to: rate) }
        counter.changed(bitRate: rate.bitRate)
    }

    private func seconds(_ ticks: Int64) -> Double {
        Double(ticks) * Double(settings.timeBase.numerator) / Double(settings.timeBase.denominator)
    }

    /// Has everything written that came out so far.
    func endGathering() throws(StreamWriterError) {
        guard isGathering else { return }
        isGathering = false
        try fan.sendGathered()
    }

    /// Gets everything out that was put in. No frame may follow: an encoder that has ended would have to be
    /// opened again, and would put its delay into the middle.
    func finish() throws(StreamWriterError) {
        guard let encoder, firstFramePTS != nil else { return }
        try encoding { () throws(LibavError) in try encoder.send(nil) }
        var last: Packet?
        while case .packet(let packet) = try encoding({ () throws(LibavError) in try encoder.receive() }) {
            prepare(packet)
            if let last { try send(last, moreFollows: false) }
            last = packet
        }
        guard let last else { return }
        try end(with: last)
        try send(last, moreFollows: false)
    }

    private func end(with packet: Packet) throws(StreamWriterError) {
        guard case .video = settings.input else { return }
        if settings.codec.name.isSame(as: "libwebp_anim") {
            let milliseconds = Fraction(1, 1_000)
            let length = settings.timeBase.rescale(shownEnd, to: milliseconds) - settings.timeBase.rescale(firstFramePTS ?? 0, to: milliseconds)
            return try encoding { () throws(LibavError) in try packet.endAnimation(at: length) }
        }
        // Where pictures are out of order the last that is decoded is not the last that is shown, and its time of
        // decoding goes by those of the first.
        guard spansEnd, let pts = packet.pts, let dts = packet.dts, dts + packet.duration + lead < shownEnd, pts < shownEnd
        else { return }
        packet.dts = max(dts, pts)
        packet.duration = shownEnd - pts
    }

    /// Frees the encoder, which may take its time.
    func free() { calls.tracking { encoder = nil } }

    /// Filters may bend time, but an encoder takes it in one direction only: a picture whose
    /// time is taken is dropped, samples are moved up by what was rounding.
    private func ascendingPTS(_ frame: Frame) -> Int64? {
        let pts = frame.pts ?? lastFramePTS + 1
        if pts > lastFramePTS { return pts }
        return frame.sampleCount > 0 ? lastFramePTS + 1 : nil
    }

    private func receivePackets(_ encoder: Encoder, moreFollows: Bool) throws(StreamWriterError) {
        while true {
            let output = try encoding { () throws(LibavError) in try encoder.receive() }
            guard case .packet(let packet) = output else { return }
            try submit(packet, moreFollows: moreFollows)
        }
    }

    private func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        prepare(packet)
        try send(packet, moreFollows: moreFollows)
    }

    private func prepare(_ packet: Packet) {
        // Not every encoder says how long; the last frame would have no duration then.
        if case .video = settings.input {
            if let pts = packet.pts, let own = durations.removeValue(forKey: pts) { packet.duration = own }
            if packet.duration == 0 { packet.duration = pictureTicks }
        }
        holdToStart(packet)
    }

    private func send(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        counter.packetMade(bytes: packet.byteCount)
        try fan.submit(packet, moreFollows: moreFollows)
        isGathering = moreFollows
    }

    /// An encoder that reorders pictures dates its first packets back by the time from the first picture to
    /// those that follow, however long that is. Where they begin was settled for pictures without gaps.
    private func holdToStart(_ packet: Packet) {
        defer { packets += 1 }
        let early = lead - packets * pictureTicks
        guard early > 0, case .video = settings.input, let firstFramePTS, let dts = packet.dts else { return }
        packet.dts = max(dts, firstFramePTS - early)
    }

    private func encoding<T>(_ body: () throws(LibavError) -> T) throws(StreamWriterError) -> T {
        try translating(.encodingFailed) { () throws(LibavError) in try calls.tracking(body) }
    }
}
