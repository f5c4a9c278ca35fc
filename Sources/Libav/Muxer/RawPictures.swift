import Bytewise
internal import CLibav
import Synchronization

/// Raw pictures of one size in a container that tells their pixel format by a tag. For many formats it has none, or one
/// that readers take for another format or for other gaps between lines. So a picture is written, and read back.
package struct RawPictures: Sendable {
    private let container: OutputFormat
    private let demuxer: String
    package let width: Int
    private let height: Int
    private let tag: CodecTag?

    /// Nil where the container has no tags, or libav does not read it.
    package init?(in container: OutputFormat, width: Int, height: Int, tag: CodecTag? = nil) {
        guard container.hasCodecTags, !container.opensItself, !container.isDevice else { return nil }
        demuxer = Self.demuxers[container.name] ?? container.name
        guard av_find_input_format(demuxer) != nil else { return nil }
        self.container = container
        self.width = width
        // Lines are alike but for what planes of chroma share.
        self.height = min(height, 4 + height % 4)
        self.tag = tag
    }

    /// The same in another container.
    package func within(_ container: OutputFormat) -> RawPictures? { RawPictures(in: container, width: width, height: height) }

    /// Where it has not the muxer's name.
    private static let demuxers: [String: String] = [
        "3g2": "mov", "3gp": "mov", "asf_stream": "asf", "avif": "mov", "f4v": "mov", "ipod": "mov", "ismv": "mov", "mp4": "mov", "psp": "mov",
        "webm": "matroska",
    ]

    private struct Trial: Hashable {
        let container: String
        let format: PixelFormat
        let size: [Int]
        let tag: CodecTag?
    }

    private static let results = Mutex<[Trial: Bool]>([:])

    /// Whether a picture of that format comes back as it was. The range of YUV is not looked at.
    package func keep(_ format: PixelFormat) -> Bool {
        let trial = Trial(container: container.name, format: format, size: [width, height], tag: tag)
        if let known = Self.results.withLock({ $0[trial] }) { return known }
        let result = (try? comesBack(format)) ?? false
        _ = Log.take()
        Self.results.withLock { $0[trial] = result }
        return result
    }

    /// Those that there are.
    package static var formats: [PixelFormat] { PixelFormat.layoutNames.compactMap { PixelFormat(name: $0) } }

    private func comesBack(_ format: PixelFormat) throws(LibavError) -> Bool {
        guard let codec = Codec(named: "rawvideo") else { return false }
        let shape = VideoShape(format: format, width: width, height: height, frameRate: Fraction(25, 1))
        var settings = EncoderSettings(codec: codec, input: .video(shape))
        settings.codecTag = tag
        let encoder = try Encoder(settings)
        let frame = try picture(format)
        let sent = try frame.imageBytes()
        try encoder.send(frame)
        guard case .packet(let packet) = try encoder.receive() else { return false }
        let file = try Muxer.file(container, of: StreamParameters(encoder, StreamPresentation(metadata: [:])), packet)
        guard let found = try Demuxer(file, format: demuxer).firstPicture() else { return false }
        let read = found.pointer.pointee
        // FFmpeg 7 has the full range of YUV beside its format.
        let isSame = PixelFormat(AVPixelFormat(read.format)).withoutRange == format.withoutRange
        guard isSame, Int(read.width) == width, Int(read.height) == height else { return false }
        return try found.imageBytes() == sent
    }

    /// No line of it is as another.
    private func picture(_ format: PixelFormat) throws(LibavError) -> Frame {
        let layout = try ImageLayout(format: format, width: width, height: height, packing: .tight)
        let frame = try FramePool(layout: layout).take()
        var state: UInt32 = 1
        for (index, plane) in layout.planes.enumerated() {
            let bytes = UnsafeMutableRawBufferPointer(start: frame.plane(index)!, count: plane.rowBytes * plane.rows)
            for place in bytes.indices {
                state = state &* 1_664_525 &+ 1_013_904_223
                bytes[place] = UInt8(state >> 24)
            }
        }
        if let limit = format.sampleLimit { frame.bound(to: limit, layout) }
        frame.pts = 0
        return frame
    }
}

extension StreamParameters {
    /// What its pictures are where they are raw.
    package var rawPictures: (format: PixelFormat, width: Int, height: Int, tag: CodecTag?)? {
        let parameters = codec.pointer.pointee
        guard parameters.codec_id == AV_CODEC_ID_RAWVIDEO else { return nil }
        return (PixelFormat(AVPixelFormat(parameters.format)), Int(parameters.width), Int(parameters.height), CodecTag(value: parameters.codec_tag))
    }
}

extension PixelFormat {
    fileprivate var withoutRange: PixelFormat { name.without(prefix: "yuvj").flatMap { PixelFormat(name: "yuv" + $0) } ?? self }
}

extension Frame {
    /// Of a picture, line by line without gaps.
    fileprivate func imageBytes() throws(LibavError) -> [UInt8] {
        let (format, width, height) = (AVPixelFormat(pointer.pointee.format), pointer.pointee.width, pointer.pointee.height)
        var bytes = [UInt8](repeating: 0, count: Int(try check(av_image_get_buffer_size(format, width, height, 1), "laying out a picture")))
        let (data, strides) = (pointer.pointee.data, pointer.pointee.linesize)
        let planes = [UnsafePointer(data.0), UnsafePointer(data.1), UnsafePointer(data.2), UnsafePointer(data.3)]
        let code = bytes.withUnsafeMutableBufferPointer {
            av_image_copy_to_buffer($0.baseAddress, Int32($0.count), planes, [strides.0, strides.1, strides.2, strides.3], format, width, height, 1)
        }
        try check(code, "copying a picture")
        return bytes
    }
}
