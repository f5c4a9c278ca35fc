internal import CLibav
import Glibc
import Synchronization

/// A container being written. One thread at a time; only `bytesWritten` is for any.
package final class Muxer {
    /// Packets from this size on go to the destination without a copy into the output's buffer.
    private static let directBytes = 128 * 1024
    /// While more packets are waiting, small writes gather up to this size.
    private static let gatherBytes: Int32 = 32 * 1024

    package let format: OutputFormat
    let context: UnsafeMutablePointer<AVFormatContext>
    let interruption: Interruption
    let gate: OpenGate
    private let urlBytesWritten = Atomic<Int64>(0)
    var output: OutputIO?
    var encoderTimeBases: [Fraction] = []
    /// How far before its first frame each stream's packets may begin, in its encoder's time base.
    var leads: [Int64] = []
    /// What is added to each stream's times, in its time base in the file.
    var shifts: [Int64] = []
    var ownsURL = false
    /// The destination, where it is memory.
    var memory: MemoryFile?
    /// The destination, where it is a sink.
    var destinationSink: SinkIO?
    /// The client leaves it to libav how a container without times before zero begins.
    var movesStart = true
    /// Between the last byte and the end of the connection.
    package var settlingTime = Duration.zero
    var hasPackets = false
    /// It goes on where another has ended: its first packet is not at zero.
    package var resumes = false
    /// Bytes of packets that it may keep in memory; nil: it keeps none.
    private let mostKept: Int64?
    /// What waits for every stream to begin; nil: they have, or the container does not ask for it.
    var early: [Packet]?
    /// What each stream has been given, by the container's times.
    package private(set) var tallies: [PacketTally] = []
    /// How long the last packet of each stream was, in its time base in the file.
    var lastDurations: [Int64] = []
    /// An assertion failed in it: nothing of it may be used again.
    private var isBroken = false

    /// `opener` is asked about the URL and about everything the muxer itself opens: segments,
    /// playlists.
    package init(
        format: OutputFormat, url: String?, interruption: Interruption,
        opener: (@Sendable (String) -> OpenAnswer)? = nil
    ) throws(LibavError) {
        var context: UnsafeMutablePointer<AVFormatContext>?
        try check(
            avformat_alloc_output_context2(&context, format.pointer, nil, url),
            "allocating the muxer \(format.name)")
        self.context = try allocated(context, "allocating the muxer \(format.name)")
        self.format = format
        self.interruption = interruption
        mostKept = KnownFaults.keepsFragments(format.name) ? Self.mostKeptBytes : nil
        gate = OpenGate(self.context, opener ?? { _ in .granted(protocols: nil) })
        self.context.pointee.interrupt_callback = interruption.callback
    }

    deinit {
        gate.abandon()
        if isBroken { return }
        if ownsURL { avio_closep(&context.pointee.pb) }
        avformat_free_context(context)
    }

    /// The size of the output so far. Any thread.
    package var bytesWritten: Int64 {
        output?.bytesWritten ?? urlBytesWritten.load(ordering: .relaxed)
    }

    /// Whether a failure was the destination's rather than the muxer's.
    package func isDestinations(_ error: LibavError) -> Bool {
        if gate.hasFailed { return true }
        // One that opens its destination itself calls options it can't use invalid.
        guard let io = context.pointee.pb else { return error.code != clibav_error_invalid }
        // Seeking to where no file can be is the muxer's own doing.
        return io.pointee.error < 0 && io.pointee.error != clibav_error_invalid
    }

    // MARK: Streams

    /// Adds a stream for packets of `parameters`; its index.
    package func addStream(_ parameters: StreamParameters) throws(LibavError) -> Int {
        let stream = try allocated(avformat_new_stream(context, nil), "adding a stream")
        try parameters.apply(to: stream)
        encoderTimeBases.append(parameters.timeBase)
        leads.append(parameters.lead)
        tallies.append(PacketTally())
        lastDurations.append(0)
        return Int(stream.pointee.index)
    }

    package func setMetadata(_ metadata: [String: String]) {
        av_dict_free(&context.pointee.metadata)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            av_dict_set(&context.pointee.metadata, key, value, 0)
        }
    }

    // MARK: Packets

    /// Seconds that packets wait at most for those of other streams; nil for as long as it takes. After
    /// `initialize`, which sets it to what the client says.
    package var interleaveSeconds: Double? {
        get {
            let delta = context.pointee.max_interleave_delta
            return delta > 0 ? Double(delta) / Double(AV_TIME_BASE) : nil
        }
        set { context.pointee.max_interleave_delta = newValue.map { Int64($0 * Double(AV_TIME_BASE)) } ?? 0 }
    }

    /// Whether libav itself writes packets that have waited so long: it does not while a stream of these, which
    /// have packets that are not shown, may be the one that lacks.
    package var letsPacketsGo: Bool {
        !encoderTimeBases.indices.contains {
            let codec = context.pointee.streams[$0]!.pointee.codecpar.pointee.codec_id
            return [AV_CODEC_ID_VP8, AV_CODEC_ID_VP9, AV_CODEC_ID_AV1].contains(codec)
        }
    }

    /// What it takes of a stream's times. After the header.
    package func times(of stream: Int) -> KnownFaults.Times {
        let (index, stream) = (stream, context.pointee.streams[stream]!.pointee)
        let codec = stream.codecpar.pointee
        var times = KnownFaults.times(
            of: format.name, Fraction(stream.time_base), hasBlocks: codec.block_align > 0,
            isMPEG4: codec.codec_id == AV_CODEC_ID_MPEG4)
        times.tick = tick(of: index)
        return times
    }

    /// After the header.
    func tick(of stream: Int) -> Fraction? {
        guard isVideo(stream), format.pointer.pointee.flags & AVFMT_TS_NONSTRICT == 0 else { return nil }
        return Fraction(context.pointee.streams[stream]!.pointee.time_base)
    }

    /// Writes a packet, its times in its encoder's time base. It stays as it is, and may go to other muxers too.
    /// `gathers` says that more follow at once, so that small writes may wait for them.
    package func write(_ given: Packet, gathers: Bool) throws(LibavError) {
        let index = given.stream
        guard encoderTimeBases.indices.contains(index) else {
            throw .invalid("writing a packet: it is of stream \(index), and there are \(encoderTimeBases.count), counted from 0")
        }
        hasPackets = true
        // libav keeps what it is given, or leaves it empty.
        let packet = try given.reference()
        let stream = context.pointee.streams[index]!
        let timeBase = Fraction(stream.pointee.time_base)
        packet.rescale(from: encoderTimeBases[index], to: timeBase)
        packet.shift(by: shifts[index])
        if packet.byteCount == 0 && KnownFaults.losesEmptyPackets(format.name) { try fillEmpty(packet) }
        tallies[index].add(packet, timeBase)
        lastDurations[index] = packet.duration
        if early == nil { try pass(packet, gathers: gathers) } else { try keep(packet) }
    }

    /// Gives it to libav.
    func pass(_ packet: Packet, gathers: Bool) throws(LibavError) {
        if let io = context.pointee.pb {
            io.pointee.direct = packet.byteCount >= Self.directBytes ? 1 : 0
            io.pointee.min_packet_size = gathers ? Self.gatherBytes : 0
        }
        let code = try unbroken(GuardedCall.write(packet.pointer, to: context), "writing a packet")
        context.pointee.pb?.pointee.direct = 0
        try checkGateFirst(code, "writing a packet")
        countURLBytes()
        try requireMemory()
    }

    private func fillEmpty(_ packet: Packet) throws(LibavError) {
        let codec = context.pointee.streams[packet.stream]!.pointee.codecpar.pointee
        let header = UnsafeBufferPointer(start: codec.extradata, count: Int(codec.extradata_size))
        guard codec.codec_id == AV_CODEC_ID_THEORA, let repetition = TheoraRepetition(extradata: header) else { return }
        try packet.replaceBytes(repetition.bytes)
    }

    /// A fragment or a segment is in memory until it is whole. What there is no memory for libav would leave out of it
    /// without a word.
    private func requireMemory() throws(LibavError) {
        guard let mostKept, tallies.reduce(0, { $0 + $1.bytes }) - bytesWritten > mostKept else { return }
        throw .outOfMemory(
            "keeping a fragment of more than \(mostKept) bytes in memory, as \(format.name) does until it is whole (key frames nearer to each other and shorter segments make smaller ones)")
    }

    /// A quarter of what the process may have, as growing takes up to half as much again, beside what is there; and as
    /// much as libav counts in 31 bits, likewise.
    private static var mostKeptBytes: Int64 {
        let most: Int64 = 1 << 30
        return max(40 << 20, min(most, MemoryLimit.bytes.map { Int64($0 / 4) } ?? most))
    }

    /// Writes the packets held back for interleaving.
    package func writeHeldPackets() throws(LibavError) {
        try passEarly()
        let code = try unbroken(GuardedCall.write(nil, to: context), "writing held packets")
        try checkGateFirst(code, "writing held packets")
        countURLBytes()
    }

    /// Sends what is buffered to the destination.
    package func flush() throws(LibavError) {
        let doing = "flushing the muxer \(format.name)"
        // Fragments that hold nothing of a stream yet read a packet that is not there.
        let haveAllBegun = tallies.allSatisfy { $0.packets > 0 }
        if haveAllBegun && KnownFaults.mayBeFlushed(format.name) { try check(unbroken(GuardedCall.flush(context), doing), doing) }
        try sendGathered()
    }

    /// Sends what small writes have gathered.
    package func sendGathered() throws(LibavError) {
        guard let io = context.pointee.pb else { return countURLBytes() }
        avio_flush(io)
        try destinationSink?.check()
        try check(io.pointee.error, "writing to the destination")
        countURLBytes()
    }

    // MARK: Details

    func isVideo(_ index: Int) -> Bool {
        context.pointee.streams[index]!.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
    }

    func unbroken(_ call: @autoclosure () -> Int32, _ doing: String) throws(LibavError) -> Int32 {
        if isBroken { throw .asserted(doing) }
        let code = call()
        guard code == clibav_error_asserted else { return code }
        isBroken = true
        throw .asserted(doing)
    }

    /// What went wrong at the gate says it better than the call in which it did.
    func checkGateFirst(_ code: Int32, _ doing: String) throws(LibavError) {
        try gate.check()
        if code < 0 { try destinationSink?.check() }
        try check(code, doing)
    }

    func countURLBytes() {
        if output != nil { return }
        let own = ownsURL ? context.pointee.pb?.pointee.bytes_written ?? 0 : 0
        urlBytesWritten.store(own + gate.bytesWritten, ordering: .relaxed)
    }
}
