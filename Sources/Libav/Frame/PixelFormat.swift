internal import CLibav

/// A pixel format by libav's name for it.
package struct PixelFormat: Sendable, Hashable {
    let id: AVPixelFormat

    init(_ id: AVPixelFormat) { self.id = id }

    package init?(name: String) {
        let id = av_get_pix_fmt(name)
        guard id != AV_PIX_FMT_NONE else { return nil }
        self.init(id)
    }

    package static func == (a: PixelFormat, b: PixelFormat) -> Bool { a.id == b.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id.rawValue) }

    package var name: String { av_get_pix_fmt_name(id).map { String(cString: $0) } ?? "none" }

    private var flags: UInt64 { av_pix_fmt_desc_get(id).map { $0.pointee.flags } ?? 0 }

    /// In a GPU's memory: has no bytes to fill.
    package var isHardware: Bool { flags & UInt64(AV_PIX_FMT_FLAG_HWACCEL) != 0 }
    package var hasPalette: Bool { flags & UInt64(AV_PIX_FMT_FLAG_PAL) != 0 }

    /// Channels: 3 for RGB and for YUV.
    package var componentCount: Int { av_pix_fmt_desc_get(id).map { Int($0.pointee.nb_components) } ?? 0 }

    /// Names of the formats libav can lay out in memory, without hardware and paletted ones.
    package static var layoutNames: [String] {
        var names: [String] = []
        var descriptor: UnsafePointer<AVPixFmtDescriptor>?
        while let next = av_pix_fmt_desc_next(descriptor) {
            descriptor = next
            let format = PixelFormat(av_pix_fmt_desc_get_id(next))
            if !format.isHardware && !format.hasPalette { names.append(format.name) }
        }
        return names
    }
}

/// A sample format by libav's name for it (`flt` interleaved, `fltp` planar).
package struct AudioFormat: Sendable, Hashable {
    let id: AVSampleFormat

    init(_ id: AVSampleFormat) { self.id = id }

    package init?(name: String) {
        let id = av_get_sample_fmt(name)
        guard id != AV_SAMPLE_FMT_NONE else { return nil }
        self.init(id)
    }

    package static func == (a: AudioFormat, b: AudioFormat) -> Bool { a.id == b.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id.rawValue) }

    package var name: String { av_get_sample_fmt_name(id).map { String(cString: $0) } ?? "none" }
    package var bytesPerSample: Int { Int(av_get_bytes_per_sample(id)) }
}
