internal import CLibav

/// Its destination, its options and its header, in that order.
extension Muxer {
    /// The destination is a descriptor of ours.
    package func attach(_ output: OutputIO) {
        self.output = output
        gate.output = output
        context.pointee.pb = output.context
        context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    }

    /// The destination is a URL. Takes the protocol's options out of `options`.
    package func openURL(_ url: String, _ options: inout Options) throws(LibavError) {
        let answer = gate.answer(for: url)
        if case .sink(let make) = answer {
            let sink = try gate.addSink(make, [:])
            destinationSink = sink
            context.pointee.pb = sink.context
            context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
            return
        }
        var callback = interruption.callback
        if let protocols = try OpenGate.protocols(in: answer) { options.set(Options.protocols, protocols) }
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
        guard let protocols = try OpenGate.protocols(in: gate.answer(for: url)) else { return }
        try check(av_opt_set(context, Options.protocols, protocols, 0), "opening the destination")
    }

    /// What the names of files are made of that the muxer opens itself. Before `initialize`.
    package func rename(_ url: String) {
        av_free(context.pointee.url)
        context.pointee.url = av_strdup(url)
    }

    /// What it is to say of a stream, if that is more than it knows. Bits a second.
    package func raiseBitRate(of stream: Int, to rate: Int) {
        let parameters = context.pointee.streams[stream]!.pointee.codecpar!
        parameters.pointee.bit_rate = max(parameters.pointee.bit_rate, Int64(rate))
    }

    private static let ignoringErrors = "ignore_io_errors"
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
        gate.isOpening = true
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
        try gate.noteOpen()
        settleStart()
        beginAwaitingStreams()
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
}
