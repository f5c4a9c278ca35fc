internal import CLibav

/// Owns libav's parameters of a codec.
final class CodecParameters {
    let pointer: UnsafeMutablePointer<AVCodecParameters>

    init() throws(LibavError) {
        pointer = try allocated(avcodec_parameters_alloc(), "allocating a stream's parameters")
    }

    convenience init(copying other: UnsafePointer<AVCodecParameters>) throws(LibavError) {
        try self.init()
        try check(avcodec_parameters_copy(pointer, other), "copying a stream's parameters")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecParameters>? = pointer
        avcodec_parameters_free(&pointer)
    }

    var media: Codec.Media {
        switch pointer.pointee.codec_type {
        case AVMEDIA_TYPE_AUDIO: .audio
        case AVMEDIA_TYPE_VIDEO: .video
        default: .other
        }
    }

    var codecName: String { String(cString: avcodec_get_name(pointer.pointee.codec_id)) }

    var extradata: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: pointer.pointee.extradata, count: Int(pointer.pointee.extradata_size))
    }

    func setExtradata(_ bytes: some Collection<UInt8>) throws(LibavError) {
        av_freep(&pointer.pointee.extradata)
        pointer.pointee.extradata_size = 0
        if bytes.isEmpty { return }
        // Parsers read a little beyond the end, where zeros must be.
        let copy = try allocated(av_mallocz(bytes.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)), "copying a codec's headers")
        _ = UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).initializeMemory(as: UInt8.self, from: bytes)
        pointer.pointee.extradata = copy.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.extradata_size = Int32(bytes.count)
    }
}
