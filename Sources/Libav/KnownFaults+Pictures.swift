internal import CLibav

extension KnownFaults {
    /// The largest sample of pictures with more than 8 bits where a larger one, which the words they lie in have room
    /// for, ends the process: an assertion of x264's (164, "cost >= 0", with subme 0 and 1). nil: any is taken.
    static func pictureBound(of settings: EncoderSettings) -> UInt16? {
        guard settings.codec.name.begins(with: "libx264"), settings.hardwareFrames == nil, case .video(let shape) = settings.input,
            let description = av_pix_fmt_desc_get(shape.format.id)
        else { return nil }
        let component = description.pointee.comp.0
        guard component.shift == 0, (9...15).contains(component.depth) else { return nil }
        return UInt16(1 << component.depth - 1)
    }
}

extension Frame {
    /// Whether a picture of 16-bit words has one that is larger.
    func hasWords(above bound: UInt16) -> Bool {
        let format = AVPixelFormat(pointer.pointee.format)
        guard let description = av_pix_fmt_desc_get(format) else { return false }
        let strides = [pointer.pointee.linesize.0, pointer.pointee.linesize.1, pointer.pointee.linesize.2]
        for (index, stride) in strides.enumerated() {
            let bytes = av_image_get_linesize(format, pointer.pointee.width, Int32(index))
            guard bytes > 0, let start = plane(index) else { continue }
            let shift = index == 0 ? 0 : Int32(description.pointee.log2_chroma_h)
            let rows = -(-pointer.pointee.height >> shift)
            for row in 0..<Int(rows) {
                let words = UnsafeRawBufferPointer(start: start + row * Int(stride), count: Int(bytes)).bindMemory(to: UInt16.self)
                var most: UInt16 = 0
                for word in words { most = max(most, word) }
                if most > bound { return true }
            }
        }
        return false
    }
}
