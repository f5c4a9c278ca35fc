internal import CLibav

extension PixelFormat {
    private var descriptor: AVPixFmtDescriptor? { av_pix_fmt_desc_get(id)?.pointee }

    /// Of one channel's value in memory.
    package var componentBytes: Int {
        guard let descriptor else { return 1 }
        return (Int(descriptor.comp.0.depth) + 7) / 8
    }

    package var isBigEndian: Bool { has(AV_PIX_FMT_FLAG_BE) }
    package var isFloat: Bool { has(AV_PIX_FMT_FLAG_FLOAT) }
    /// Channels lie apart from each other, not side by side in each pixel.
    package var isPlanar: Bool { has(AV_PIX_FMT_FLAG_PLANAR) }

    private func has(_ flag: Int32) -> Bool { descriptor.map { $0.flags & UInt64(flag) != 0 } ?? false }
}
