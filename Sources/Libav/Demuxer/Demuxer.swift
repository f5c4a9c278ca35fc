internal import CLibav
import Glibc

/// A finished output being read back: its packets, as the container holds them. One thread at a time.
package final class Demuxer {
    private let context: UnsafeMutablePointer<AVFormatContext>
    /// libav's input as long as `context` is there.
    private let reader: AnyObject
    private let io: UnsafeMutablePointer<AVIOContext>
    private let packet: Packet

    /// Borrows the descriptor, a file's that is open for reading, for as long as this lives. `format` is libav's
    /// name of the demuxer. Nothing but the descriptor is opened, whatever the file names. Packets are as they are
    /// stored; with `parses` an elementary stream is cut into its packets; with `fillsIn` times that the container
    /// leaves out are made up for.
    package convenience init(
        descriptor: Int32, format: String, parses: Bool, fillsIn: Bool
    ) throws(LibavError) {
        let reader = try OutputReader(descriptor: descriptor)
        try self.init(reader, reader.context, format: format, parses: parses, fillsIn: fillsIn)
    }

    /// The same of a file that was written to memory, as players take it.
    convenience init(_ file: MemoryFile, format: String) throws(LibavError) {
        let reader = try file.reader()
        try self.init(reader, reader.context, format: format, parses: true, fillsIn: true)
    }

    /// `io` is the reader's.
    private init(
        _ reader: AnyObject, _ io: UnsafeMutablePointer<AVIOContext>, format: String, parses: Bool, fillsIn: Bool
    ) throws(LibavError) {
        let doing = "reading the output back as \(format)"
        guard let input = av_find_input_format(format) else {
            throw LibavError(code: clibav_error_demuxer_not_found, doing: doing)
        }
        self.reader = reader
        self.io = io
        packet = try Packet()
        let context = try allocated(avformat_alloc_context(), doing)
        context.pointee.pb = io
        context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_DISCARD_CORRUPT
        if !parses { context.pointee.flags |= AVFMT_FLAG_NOPARSE }
        if !fillsIn { context.pointee.flags |= AVFMT_FLAG_NOFILLIN }
        context.pointee.io_open = { _, _, _, _, _ in clibav_error_refused }
        var options: OpaquePointer?
        defer { av_dict_free(&options) }
        // What players leave out by an edit list was written all the same.
        if format == "mov" { av_dict_set(&options, "ignore_editlist", "1", 0) }
        var opened: UnsafeMutablePointer<AVFormatContext>? = context
        // Frees the context when it fails.
        try check(avformat_open_input(&opened, nil, input, &options), doing)
        self.context = context
    }

    deinit {
        var context: UnsafeMutablePointer<AVFormatContext>? = context
        avformat_close_input(&context)
    }

    /// Of the streams known so far, in the container's order: some containers tell of a stream by its first packet.
    package var media: [Codec.Media] {
        (0..<Int(context.pointee.nb_streams)).map { stream in
            if isCover(stream) { return .other }
            return switch context.pointee.streams[stream]!.pointee.codecpar.pointee.codec_type {
            case AVMEDIA_TYPE_AUDIO: .audio
            case AVMEDIA_TYPE_VIDEO: .video
            default: .other
            }
        }
    }

    /// Hands every packet to `body` with the time base of its stream.
    package func readAll(_ body: (Packet, Fraction) throws(LibavError) -> Void) throws(LibavError) {
        while true {
            let code = av_read_frame(context, packet.pointer)
            if code == clibav_error_eof { break }
            try check(code, "reading a packet of the output back")
            defer { av_packet_unref(packet.pointer) }
            let stream = context.pointee.streams[packet.stream]!
            try body(packet, Fraction(stream.pointee.time_base))
        }
        // A file that can't be read to its end has one for libav too.
        try check(io.pointee.error, "reading the output back")
    }

    /// The first picture of the first stream, as players decode it; nil: none comes.
    func firstPicture() throws(LibavError) -> Frame? {
        let doing = "decoding a picture of the output"
        try check(avformat_find_stream_info(context, nil), doing)
        guard context.pointee.nb_streams > 0 else { return nil }
        let decoder = try Decoder(context.pointee.streams[0]!.pointee.codecpar)
        try check(av_read_frame(context, packet.pointer), doing)
        defer { av_packet_unref(packet.pointer) }
        try decoder.send(packet)
        try decoder.send(nil)
        return try decoder.receive()
    }

    /// Whether one of the streams is a picture that stands for the file.
    package var hasCover: Bool { (0..<Int(context.pointee.nb_streams)).contains(where: isCover) }

    private func isCover(_ stream: Int) -> Bool {
        context.pointee.streams[stream]!.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0
    }

    /// Keys that the container has for the file itself.
    package var fileKeys: [String] { entries(of: context.pointee.metadata).map(\.key) }

    /// Of the file, of its programs (MPEG-TS), and of its streams where the file has no such key: ogg keeps all of it
    /// there.
    package var metadata: [String: String] {
        let ofPrograms = (0..<Int(context.pointee.nb_programs)).flatMap { entries(of: context.pointee.programs[$0]!.pointee.metadata) }
        let ofStreams = (0..<Int(context.pointee.nb_streams)).flatMap { metadata(of: $0) }
        return Dictionary((entries(of: context.pointee.metadata) + ofPrograms + ofStreams).map { ($0.key, $0.value) }) { first, _ in first }
    }

    private func metadata(of stream: Int) -> [(key: String, value: String)] { entries(of: context.pointee.streams[stream]!.pointee.metadata) }

    /// Of each of the streams, in the container's order.
    package var streamMetadata: [[String: String]] {
        (0..<Int(context.pointee.nb_streams)).map { stream in
            Dictionary(metadata(of: stream).map { ($0.key, $0.value) }) { first, _ in first }
        }
    }

    /// Of the streams; nil where the container has none.
    package var codecTags: [CodecTag?] {
        (0..<Int(context.pointee.nb_streams)).map { CodecTag(value: context.pointee.streams[$0]!.pointee.codecpar.pointee.codec_tag) }
    }
}
