internal import CLibav

// A codec's parameters as bytes. Codecs and formats go by their names, as their numbers differ between releases of FFmpeg.
extension CodecParameters {
    private static let mostExtradata = 1 << 28
    private static let noFormat: Int32 = -1

    func encode(into writer: inout FieldWriter) throws(PacketLogError) {
        let codec = pointer.pointee
        // Its packets are pointers to frames.
        guard codec.codec_id != AV_CODEC_ID_WRAPPED_AVFRAME else {
            throw PacketLogError(.unsayable, "packets of wrapped_avframe are pictures in this process's memory, and can't be told by bytes")
        }
        writer.put(media.number)
        writer.put(codecName)
        writer.put(codec.codec_tag)
        writer.put(sized: extradata)
        writer.put(codec.bit_rate)
        for value in [codec.bits_per_coded_sample, codec.bits_per_raw_sample, codec.profile, codec.level] { writer.put(value) }
        writer.put(formatName)
        switch media {
        case .video: encodePicture(into: &writer)
        case .audio: encodeSound(into: &writer)
        case .other: break
        }
    }

    private var formatName: String {
        let format = pointer.pointee.format
        let name = media == .audio ? av_get_sample_fmt_name(AVSampleFormat(format)) : av_get_pix_fmt_name(AVPixelFormat(format))
        return name.map { String(cString: $0) } ?? ""
    }

    private func encodePicture(into writer: inout FieldWriter) {
        let codec = pointer.pointee
        writer.put(codec.width)
        writer.put(codec.height)
        writer.put(Fraction(codec.sample_aspect_ratio))
        for value in [
            codec.field_order.rawValue, codec.color_range.rawValue, codec.color_primaries.rawValue, codec.color_trc.rawValue,
            codec.color_space.rawValue, codec.chroma_location.rawValue,
        ] {
            writer.put(value)
        }
        writer.put(codec.video_delay)
        writer.put(Fraction(clibav_codec_frame_rate(pointer)))
    }

    private func encodeSound(into writer: inout FieldWriter) {
        let codec = pointer.pointee
        for value in [
            codec.sample_rate, codec.block_align, codec.frame_size, codec.initial_padding, codec.trailing_padding, codec.seek_preroll,
        ] {
            writer.put(value)
        }
        codec.ch_layout.encode(into: &writer)
    }

    convenience init(decoding reader: inout FieldReader) throws(PacketLogError) {
        do throws(LibavError) { try self.init() } catch { throw .outOfMemory(MemoryLayout<AVCodecParameters>.size, for: "a stream's parameters") }
        let media = try Codec.Media(number: reader.integer("the kind of media", in: 0...2))
        let name = try reader.text("the codec")
        guard let descriptor = avcodec_descriptor_get_by_name(name) else {
            throw .malformed("this FFmpeg knows no codec of the name \(name)")
        }
        pointer.pointee.codec_id = descriptor.pointee.id
        pointer.pointee.codec_type = descriptor.pointee.type
        guard descriptor.pointee.id != AV_CODEC_ID_WRAPPED_AVFRAME, self.media == media else {
            throw .malformed("the codec \(name) is not of the kind of media that is said")
        }
        pointer.pointee.codec_tag = try reader.integer("the codec's tag")
        try decodeExtradata(&reader)
        pointer.pointee.bit_rate = try reader.integer("the bit rate", in: 0...Int64.max / 16)
        pointer.pointee.bits_per_coded_sample = try reader.integer("the bits of a coded sample", in: 0...256)
        pointer.pointee.bits_per_raw_sample = try reader.integer("the bits of a sample", in: 0...256)
        pointer.pointee.profile = try reader.integer("the profile")
        pointer.pointee.level = try reader.integer("the level")
        try decodeFormat(reader.text("the format"))
        switch media {
        case .video: try decodePicture(&reader)
        case .audio: try decodeSound(&reader)
        case .other: break
        }
    }

    private func decodeExtradata(_ reader: inout FieldReader) throws(PacketLogError) {
        let bytes = try reader.sized("the codec's headers")
        guard bytes.count <= Self.mostExtradata else {
            throw .malformed("the codec's headers have \(bytes.count) bytes; they have at most \(Self.mostExtradata)")
        }
        do throws(LibavError) { try setExtradata(bytes) } catch { throw .outOfMemory(bytes.count, for: "a codec's headers") }
    }

    private func decodeFormat(_ name: String) throws(PacketLogError) {
        pointer.pointee.format = Self.noFormat
        if name.isEmpty { return }
        let format = media == .audio ? av_get_sample_fmt(name).rawValue : av_get_pix_fmt(name).rawValue
        guard format >= 0 else { throw .malformed("this FFmpeg knows no format of the name \(name)") }
        pointer.pointee.format = format
    }

    private func decodePicture(_ reader: inout FieldReader) throws(PacketLogError) {
        let width: Int32 = try reader.integer("the width")
        let height: Int32 = try reader.integer("the height")
        guard av_image_check_size(UInt32(bitPattern: width), UInt32(bitPattern: height), 0, nil) >= 0 else {
            throw .malformed("\(width)x\(height) is no size of a picture")
        }
        pointer.pointee.width = width
        pointer.pointee.height = height
        pointer.pointee.sample_aspect_ratio = try reader.fraction("the pixels' aspect ratio").rational
        // Tables are indexed by these.
        func number<T: RawRepresentable>(_ field: String, below end: T) throws(PacketLogError) -> UInt32 where T.RawValue == UInt32 {
            try reader.integer(field, in: 0...(end.rawValue - 1))
        }
        pointer.pointee.field_order = try AVFieldOrder(reader.integer("the order of fields", in: 0...AV_FIELD_BT.rawValue))
        pointer.pointee.color_range = try AVColorRange(number("the range of colours", below: AVCOL_RANGE_NB))
        pointer.pointee.color_primaries = try AVColorPrimaries(number("the colours' primaries", below: AVCOL_PRI_NB))
        pointer.pointee.color_trc = try AVColorTransferCharacteristic(number("the colours' transfer", below: AVCOL_TRC_NB))
        pointer.pointee.color_space = try AVColorSpace(number("the colours' space", below: AVCOL_SPC_NB))
        pointer.pointee.chroma_location = try AVChromaLocation(number("the place of chroma", below: AVCHROMA_LOC_NB))
        pointer.pointee.video_delay = try reader.integer("the pictures that are reordered", in: 0...1024)
        clibav_set_codec_frame_rate(pointer, try reader.fraction("the codec's frame rate").rational)
    }

    private func decodeSound(_ reader: inout FieldReader) throws(PacketLogError) {
        let most = Int32.max / 16
        pointer.pointee.sample_rate = try reader.integer("the sample rate", in: 1...Int32.max)
        pointer.pointee.block_align = try reader.integer("the bytes of a block", in: 0...most)
        pointer.pointee.frame_size = try reader.integer("the samples of a frame", in: 0...most)
        pointer.pointee.initial_padding = try reader.integer("the samples before the first", in: 0...most)
        pointer.pointee.trailing_padding = try reader.integer("the samples behind the last", in: 0...most)
        pointer.pointee.seek_preroll = try reader.integer("the samples to decode before others", in: 0...most)
        try pointer.pointee.ch_layout.decode(&reader)
        clibav_set_old_channels(pointer)
    }
}

extension Codec.Media {
    var number: UInt8 {
        switch self {
        case .audio: 1
        case .video: 2
        case .other: 0
        }
    }

    init(number: UInt8) {
        switch number {
        case 1: self = .audio
        case 2: self = .video
        default: self = .other
        }
    }
}
