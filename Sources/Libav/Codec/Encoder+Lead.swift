internal import CLibav

// How far before its first frame an encoder's packets begin.
extension Encoder {
    /// In its time base: the samples it puts before the first, or the pictures that it reorders.
    package var lead: Int64 {
        switch settings.input {
        case .audio: Int64(max(context.pointee.initial_padding, vorbisPadding))
        case .video(let shape): Int64(reorderedPictures) * shape.frameTicks
        }
    }

    private var reorderedPictures: Int32 {
        // It does not say before it has seen a picture; these are most.
        if settings.codec.name == "libx265", context.pointee.max_b_frames != 0 { return max(2, context.pointee.has_b_frames) }
        return context.pointee.has_b_frames
    }

    /// libvorbis tells with its first packet, which is two halves of short blocks. How long those are is in
    /// the 29th byte of its first header, as a power of two (Vorbis I, 4.2.2).
    private var vorbisPadding: Int32 {
        guard settings.codec.name == "libvorbis", let headers = context.pointee.extradata,
            context.pointee.extradata_size > 3 + 28
        else { return 0 }
        // Xiph lacing: the number of headers less one, then the sizes of the first two.
        var start = 1
        for _ in 0..<2 {
            while start < 16, headers[start] == 255 { start += 1 }
            start += 1
        }
        return (1 << Int32(headers[start + 28] & 0xF)) / 2
    }
}
