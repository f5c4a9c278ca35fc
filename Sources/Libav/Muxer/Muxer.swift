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
    private let interruption: Interruption
    private let gate: OpenGate
    private let urlBytesWritten = Atomic<Int64>(0)
    private var output: OutputIO?
    private var encoderTimeBases: [Fraction] = []
    /// How far before its first frame each stream's packets may begin, in its encoder's time base.
    private var leads: [Int64] = []
    /// What is added to each stream's times, in its time base in the file.
    private var shifts: [Int64] = []
    private var ownsURL = false
    /// The client leaves it to libav how a container without times before zero begins.
    private var movesStart = true
    /// Between the last byte and the end of the connection.
    package var settlingTime = Duration.zero
    private var hasPackets = false
    /// Bytes of packets that it may keep in memory; nil: it keeps none.
    private let mostKept: Int64?
    /// What each stream has been given, by the container's times.
    package private(set) var tallies: [PacketTally] = []
    /// How long the last packet of each stream was, in its time base in the file.
    private var lastDurations: [Int64] = []
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
        mostKept = KnownFaults.keepsFragments(format.name) ? Self.mostKeptBytes() : nil
        gate = OpenGate(self.context, opener ?? { _ in .granted(protocols: nil) })
        self.context.pointee.interrupt_callback = interruption.callback
    }

    deinit {
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

    // MARK: Before the header

    /// Adds a stream for what `encoder` makes; its index.
    package func addStream(
        _ encoder: Encoder, _ presentation: StreamPresentation
    ) throws(LibavError) -> Int {
        let stream = try allocated(avformat_new_stream(context, nil), "adding a stream")
        try check(
            avcodec_parameters_from_context(stream.pointee.codecpar, encoder.context), "adding a stream")
        try check(clibav_copy_side_data(stream, encoder.context), "adding a stream")
        stream.pointee.time_base = encoder.timeBase.rational
        if case .video(let shape) = encoder.settings.input {
            stream.pointee.avg_frame_rate = shape.frameRate.rational
            stream.pointee.sample_aspect_ratio = encoder.context.pointee.sample_aspect_ratio
        }
        try presentation.apply(to: stream)
        encoderTimeBases.append(encoder.timeBase)
        leads.append(encoder.lead)
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

    /// The destination is a descriptor of ours.
    package func attach(_ output: OutputIO) {
        self.output = output
        gate.output = output
        context.pointee.pb = output.context
        context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    }

    /// The destination is a URL. Takes the protocol's options out of `options`.
    package func openURL(_ url: String, _ options: inout Options) throws(LibavError) {
        var callback = interruption.callback
        if let protocols = try gate.protocols(for: url) { options.set(Options.protocols, protocols) }
        try check(
            avio_open2(&context.pointee.pb, url, AVIO_FLAG_WRITE, &callback, &options.dictionary),
            "opening the destination")
        ownsURL = true
        // rtp looks three times for a free port beside its own, for RTCP, and crashes later when there was none.
        var port: Int64 = 0
        if av_opt_get_int(context.pointee.pb, "local_rtcpport", AV_OPT_SEARCH_CHILDREN, &port) >= 0, port < 0 {
            throw .invalid("opening the destination: this machine has no two free ports side by side, for RTP and RTCP")
        }
    }

    /// The destination is a URL or a name that the muxer opens itself, some of it past the gate.
    package func reachOnly(_ url: String) throws(LibavError) {
        guard let protocols = try gate.protocols(for: url) else { return }
        try check(av_opt_set(context, Options.protocols, protocols, 0), "opening the destination")
    }

    private static let ignoringErrors = "ignore_io_errors"
    private static let lastDelay = "final_delay"
    private static let avoidingNegativeTimes = "avoid_negative_ts"

    /// Takes the muxer's options out of `options`.
    package func initialize(_ options: inout Options) throws(LibavError) {
        let doing = "opening the muxer \(format.name)"
        let keys = options.leftovers
        // Then the client has said what is to happen when a destination fails.
        gate.forgives = keys.contains { $0 == Self.ignoringErrors } || ["tee", "fifo"].contains(format.name)
        for key in keys {
            // libav takes its demuxing options here too, and does nothing with them.
            guard let option = av_opt_find(context, key, nil, 0, 0) else { continue }
            guard option.pointee.flags & AV_OPT_FLAG_ENCODING_PARAM != 0 else {
                throw LibavError(code: clibav_error_option_not_found, doing: doing, option: key)
            }
        }
        movesStart = !keys.contains(Self.avoidingNegativeTimes)
        try checkGateFirst(avformat_init_output(context, &options.dictionary), doing)
        keepStartOfFragments()
    }

    /// Fragments behind a head that was written before any packet came begin at zero, each stream for itself,
    /// unless they are said to go on from others: then their own times are kept.
    private func keepStartOfFragments() {
        // Times before zero, which they have no room for, must have been moved.
        guard movesStart, context.pointee.avoid_negative_ts > 0 || beginsWithPicture,
            hasFlag(context, "empty_moov", in: "movflags"), !hasFlag(context, "delay_moov", in: "movflags")
        else { return }
        av_opt_set(context, "movflags", "+frag_discont", AV_OPT_SEARCH_CHILDREN)
    }

    /// A picture that is decoded before it is shown is told of by offsets back from its decoding time rather than by an
    /// earlier one, as CMAF and Smooth Streaming have it; so libav leaves all times as they are.
    private var beginsWithPicture: Bool {
        hasFlag(context, "negative_cts_offsets", in: "movflags") && hasFlag(context, "empty_moov", in: "movflags")
            && !hasFlag(context, "delay_moov", in: "movflags")
    }

    /// The option that has the muxer reserve more than so many bytes of memory or output; nil when none
    /// does. Before `initialize`.
    package func reservation(above most: Int, in options: borrowing Options) -> String? {
        ["reserve_index_space", "moov_size", "metadata_header_padding", "pes_payload_size"].first { option in
            guard let entry = av_dict_get(options.dictionary, option, nil, 0) else { return false }
            var bytes: Int64 = 0
            return av_opt_set(context, option, entry.pointee.value, AV_OPT_SEARCH_CHILDREN) >= 0
                && av_opt_get_int(context, option, AV_OPT_SEARCH_CHILDREN, &bytes) >= 0 && bytes > most
        }
    }

    package func writeHeader() throws(LibavError) {
        try checkGateFirst(avformat_write_header(context, nil), "writing the header of \(format.name)")
        settleStart()
        countURLBytes()
    }

    /// Where a container takes no times before zero, libav moves all streams by what the first packet lacks; a
    /// stream that begins earlier and comes later is then left before zero. The delays of all encoders are
    /// known here, so all streams are moved by the longest at once.
    private func settleStart() {
        shifts = encoderTimeBases.map { _ in 0 }
        guard movesStart, context.pointee.avoid_negative_ts > 0 || beginsWithPicture else { return }
        // What the first packet is must not move anything any more.
        if !beginsWithPicture { context.pointee.avoid_negative_ts = AVFMT_AVOID_NEG_TS_MAKE_NON_NEGATIVE }
        let timeBases = encoderTimeBases.indices.map { context.pointee.streams[$0]!.pointee.time_base }
        let starts = encoderTimeBases.indices.map { index in
            let isLate = isVideo(index) && (beginsWithPicture || KnownFaults.shiftsByPresentation(format.name))
            let lead = max(0, leads[index] - Int64(clibav_padding_below_zero(context, Int32(index))))
            return isLate ? 0 : av_rescale_q(-lead, encoderTimeBases[index].rational, timeBases[index])
        }
        guard let first = starts.indices.min(by: { av_compare_ts(starts[$0], timeBases[$0], starts[$1], timeBases[$1]) < 0 })
        else { return }
        shifts = timeBases.map { av_rescale_q_rnd(-starts[first], timeBases[first], $0, AV_ROUND_UP) }
    }

    private func isVideo(_ index: Int) -> Bool {
        context.pointee.streams[index]!.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
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
        let stream = context.pointee.streams[stream]!.pointee
        let codec = stream.codecpar.pointee
        return KnownFaults.times(
            of: format.name, Fraction(stream.time_base), hasBlocks: codec.block_align > 0,
            isMPEG4: codec.codec_id == AV_CODEC_ID_MPEG4)
    }

    /// Takes the packet, its times in its encoder's time base. `gathers` says that more follow
    /// at once, so that small writes may wait for them.
    package func write(_ packet: Packet, gathers: Bool) throws(LibavError) {
        let isFirst = !hasPackets
        hasPackets = true
        let index = packet.stream
        let stream = context.pointee.streams[index]!
        let timeBase = Fraction(stream.pointee.time_base)
        packet.rescale(from: encoderTimeBases[index], to: timeBase)
        packet.shift(by: shifts[index])
        if isFirst && movesStart && KnownFaults.beginsWithFirstPacket(format.name) { packet.beginAtZero(isVideo: isVideo(index)) }
        if packet.byteCount == 0 && KnownFaults.losesEmptyPackets(format.name) { try fillEmpty(packet) }
        tallies[index].add(packet, timeBase)
        lastDurations[index] = packet.duration
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
    private static func mostKeptBytes() -> Int64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0 else { return 1 << 30 }
        return max(40 << 20, min(1 << 30, Int64(clamping: limit.rlim_cur / 4)))
    }

    /// Writes the packets held back for interleaving.
    package func writeHeldPackets() throws(LibavError) {
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

    /// Ends the container and closes the destination.
    package func finish() throws(LibavError) {
        let isSilent = tallies.map { $0.packets == 0 }
        if let missing = KnownFaults.missingStream(in: format.name, isSilent: isSilent, isAudio: tallies.indices.map { !isVideo($0) }) {
            throw .invalid("writing the trailer of \(format.name): stream \(missing) has no packet, and each must have one")
        }
        tellLastDuration()
        let code = try unbroken(GuardedCall.writeTrailer(of: context), "writing the trailer of \(format.name)")
        try gate.check()
        // Some muxers refuse to end what they got no packet for; that is no failure of ours.
        if hasPackets { try check(code, "writing the trailer of \(format.name)") }
        try sendGathered()
        if ownsURL {
            ownsURL = false
            wait(settlingTime)
            try check(avio_closep(&context.pointee.pb), "closing the destination")
        }
        try output?.close()
    }

    /// Where a picture lasts until the next, an option says how long the last one does.
    private func tellLastDuration() {
        guard let ticks = lastDurations.first, ticks > 0, let stream = context.pointee.streams[0] else { return }
        let duration = av_mul_q(AVRational(num: Int32(clamping: ticks), den: 1), stream.pointee.time_base)
        switch format.name {
        case "gif":
            var given: Int64 = 0
            guard av_opt_get_int(context, Self.lastDelay, AV_OPT_SEARCH_CHILDREN, &given) >= 0, given < 0 else { return }
            let hundredths = av_rescale_q(1, duration, AVRational(num: 1, den: 100))
            av_opt_set_int(context, Self.lastDelay, min(hundredths, Int64(UInt16.max)), AV_OPT_SEARCH_CHILDREN)
        case "apng":
            var given = AVRational()
            guard av_opt_get_q(context, Self.lastDelay, AV_OPT_SEARCH_CHILDREN, &given) >= 0, given.num == 0 else { return }
            var delay = AVRational()
            _ = av_reduce(&delay.num, &delay.den, Int64(duration.num), Int64(duration.den), Int64(UInt16.max))
            av_opt_set_q(context, Self.lastDelay, delay, AV_OPT_SEARCH_CHILDREN)
        default: break
        }
    }

    private func wait(_ time: Duration) {
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline && !interruption.isRequested { usleep(10_000) }
    }

    /// Sends what small writes have gathered.
    package func sendGathered() throws(LibavError) {
        guard let io = context.pointee.pb else { return countURLBytes() }
        avio_flush(io)
        try check(io.pointee.error, "writing to the destination")
        countURLBytes()
    }

    // MARK: Details

    private func unbroken(_ call: @autoclosure () -> Int32, _ doing: String) throws(LibavError) -> Int32 {
        if isBroken { throw .asserted(doing) }
        let code = call()
        guard code == clibav_error_asserted else { return code }
        isBroken = true
        throw .asserted(doing)
    }

    /// What went wrong at the gate says it better than the call in which it did.
    private func checkGateFirst(_ code: Int32, _ doing: String) throws(LibavError) {
        try gate.check()
        try check(code, doing)
    }

    private func countURLBytes() {
        if output != nil { return }
        let own = ownsURL ? context.pointee.pb?.pointee.bytes_written ?? 0 : 0
        urlBytesWritten.store(own + gate.bytesWritten, ordering: .relaxed)
    }
}
