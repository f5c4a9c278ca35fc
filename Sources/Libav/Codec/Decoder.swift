internal import CLibav

/// libav's own decoder, for looking at what was encoded. One thread at a time.
final class Decoder {
    private let context: UnsafeMutablePointer<AVCodecContext>

    /// `name`: where a codec has several; nil: libav's first.
    init(_ parameters: UnsafePointer<AVCodecParameters>, named name: String? = nil) throws(LibavError) {
        let doing = "opening a decoder"
        let found = name.map { avcodec_find_decoder_by_name($0) } ?? avcodec_find_decoder(parameters.pointee.codec_id)
        guard let codec = found else { throw .invalid("\(doing): there is none") }
        context = try allocated(avcodec_alloc_context3(codec), doing)
        // What throws from here on is freed by `deinit`.
        try check(avcodec_parameters_to_context(context, parameters), doing)
        context.pointee.thread_count = 1
        try check(avcodec_open2(context, codec, nil), doing)
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
    }

    /// Nil: no packet follows.
    func send(_ packet: Packet?) throws(LibavError) { try check(avcodec_send_packet(context, packet?.pointer), "decoding") }

    /// Nil: it wants another packet, or has ended.
    func receive() throws(LibavError) -> Frame? {
        let frame = try Frame()
        return avcodec_receive_frame(context, frame.pointer) >= 0 ? frame : nil
    }
}
