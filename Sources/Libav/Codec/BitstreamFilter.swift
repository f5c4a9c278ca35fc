internal import CLibav

/// Changes how packets are written down, without decoding them. One thread at a time.
package final class BitstreamFilter {
    /// What `receive` has to say; neither of the last two is a failure.
    package enum Output {
        case packet(Packet)
        case needsInput
        case drained
    }

    package let name: String
    private let context: UnsafeMutablePointer<AVBSFContext>
    /// What the packets it makes are.
    package let output: StreamParameters

    /// A filter of libav's by its name, for packets of `input`. An option that it does not have is an error.
    package init(_ name: String, _ options: [String: String] = [:], _ input: StreamParameters) throws(LibavError) {
        let doing = "opening the bitstream filter \(name)"
        guard let filter = av_bsf_get_by_name(name) else {
            throw LibavError(code: clibav_error_bitstream_filter_not_found, doing: doing)
        }
        var made: UnsafeMutablePointer<AVBSFContext>?
        try check(av_bsf_alloc(filter, &made), doing)
        let context = try allocated(made, doing)
        do throws(LibavError) {
            try check(avcodec_parameters_copy(context.pointee.par_in, input.codec.pointer), doing)
            context.pointee.time_base_in = input.timeBase.rational
            for (key, value) in options.sorted(by: { $0.key < $1.key }) {
                let code = av_opt_set(context, key, value, AV_OPT_SEARCH_CHILDREN)
                if code < 0 { throw LibavError(code: code, doing: "setting the option \(key) of the bitstream filter \(name)", option: key) }
            }
            try check(av_bsf_init(context), doing)
            output = try Self.output(of: context, input)
        } catch {
            av_bsf_free(&made)
            throw error
        }
        self.name = name
        self.context = context
    }

    deinit {
        var context: UnsafeMutablePointer<AVBSFContext>? = context
        av_bsf_free(&context)
    }

    private static func output(
        of context: UnsafeMutablePointer<AVBSFContext>, _ input: StreamParameters
    ) throws(LibavError) -> StreamParameters {
        let timeBase = Fraction(context.pointee.time_base_out)
        return StreamParameters(
            codec: try CodecParameters(copying: context.pointee.par_out), sideData: input.sideData, timeBase: timeBase,
            lead: input.timeBase.rescale(input.lead, to: timeBase), frameRate: input.frameRate,
            sampleAspectRatio: input.sampleAspectRatio, presentation: input.presentation, encoderName: input.encoderName,
            hasGlobalHeader: input.hasGlobalHeader)
    }

    /// Takes a packet, which stays as it is; nil says there are no more. Take all packets before the next.
    package func send(_ packet: Packet?) throws(LibavError) {
        let own = try packet?.reference()
        try check(av_bsf_send_packet(context, own?.pointer), "filtering with \(name)")
    }

    package func receive() throws(LibavError) -> Output {
        let packet = try Packet()
        let code = av_bsf_receive_packet(context, packet.pointer)
        if code == clibav_error_again { return .needsInput }
        if code == clibav_error_eof { return .drained }
        try check(code, "filtering with \(name)")
        return .packet(packet)
    }

    /// Forgets what it was given, also that there was to be no more.
    package func flush() { av_bsf_flush(context) }
}
