internal import CLibav

/// All that a muxer needs to know of a stream, without the encoder whose packets it is to take. Never changes.
package final class StreamParameters: @unchecked Sendable {
    // Unchecked: libav's parameters are behind a pointer, and only read once this is made.
    let codec: CodecParameters
    /// What the encoder says of the whole stream.
    let sideData: [SideData]
    /// Of the packets' times.
    package let timeBase: Fraction
    /// How far before its first frame the packets may begin, in `timeBase`.
    package let lead: Int64
    /// Of pictures, on average; nil where it is not known.
    package let frameRate: Fraction?
    /// Of one pixel; 0/1 where it is not known.
    package let sampleAspectRatio: Fraction
    package let presentation: StreamPresentation
    /// The encoder's name: "libx264".
    package let encoderName: String
    /// The encoder was told to keep its headers out of its packets (`EncoderSettings.usesGlobalHeader`).
    package let hasGlobalHeader: Bool

    package convenience init(_ encoder: Encoder, _ presentation: StreamPresentation) throws(LibavError) {
        let codec = try CodecParameters()
        try check(avcodec_parameters_from_context(codec.pointer, encoder.context), "telling what an encoder makes")
        // Kept beside them, as streams have it in one FFmpeg and parameters in the other.
        clibav_clear_side_data(codec.pointer)
        var frameRate: Fraction?
        if case .video(let shape) = encoder.settings.input { frameRate = shape.frameRate }
        self.init(
            codec: codec, sideData: Self.sideData(of: encoder.context), timeBase: encoder.timeBase, lead: encoder.lead, frameRate: frameRate,
            sampleAspectRatio: Fraction(encoder.context.pointee.sample_aspect_ratio), presentation: presentation,
            encoderName: encoder.settings.codec.name,
            hasGlobalHeader: encoder.context.pointee.flags & AV_CODEC_FLAG_GLOBAL_HEADER != 0)
    }

    init(
        codec: CodecParameters, sideData: [SideData], timeBase: Fraction, lead: Int64, frameRate: Fraction?, sampleAspectRatio: Fraction,
        presentation: StreamPresentation, encoderName: String, hasGlobalHeader: Bool
    ) {
        self.codec = codec
        self.sideData = sideData
        self.timeBase = timeBase
        self.lead = lead
        self.frameRate = frameRate
        self.sampleAspectRatio = sampleAspectRatio
        self.presentation = presentation
        self.encoderName = encoderName
        self.hasGlobalHeader = hasGlobalHeader
    }

    /// The same stream, as another container tells of it.
    package func presented(as presentation: StreamPresentation) -> StreamParameters {
        StreamParameters(
            codec: codec, sideData: sideData, timeBase: timeBase, lead: lead, frameRate: frameRate, sampleAspectRatio: sampleAspectRatio,
            presentation: presentation, encoderName: encoderName, hasGlobalHeader: hasGlobalHeader)
    }

    package var media: Codec.Media { codec.media }

    /// What it is encoded as: "h264".
    package var codecName: String { codec.codecName }

    private static func sideData(of context: UnsafeMutablePointer<AVCodecContext>) -> [SideData] {
        (0..<Int(context.pointee.nb_coded_side_data)).map { index in
            let data = context.pointee.coded_side_data[index]
            return SideData(
                type: data.type.rawValue, bytes: Array(UnsafeBufferPointer(start: data.data, count: Int(data.size))))
        }
    }

    /// Makes `stream` one of these parameters.
    func apply(to stream: UnsafeMutablePointer<AVStream>) throws(LibavError) {
        try check(avcodec_parameters_copy(stream.pointee.codecpar, codec.pointer), "adding a stream")
        for data in sideData {
            let bytes = try allocated(
                clibav_new_stream_side_data(stream, AVPacketSideDataType(data.type), data.bytes.count), "adding a stream")
            UnsafeMutableRawBufferPointer(start: bytes, count: data.bytes.count).copyBytes(from: data.bytes)
        }
        stream.pointee.time_base = timeBase.rational
        if media == .video {
            if let frameRate { stream.pointee.avg_frame_rate = frameRate.rational }
            stream.pointee.sample_aspect_ratio = sampleAspectRatio.rational
        }
        try presentation.apply(to: stream)
    }
}
