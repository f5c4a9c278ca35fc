internal import CLibav

/// One picture or one block of samples. A class because the encoder and the queues share it;
/// one thread at a time.
package final class Frame: @unchecked Sendable {
    // Unchecked: handed from one thread to the next through locked queues, never shared.
    let pointer: UnsafeMutablePointer<AVFrame>

    package init() throws(LibavError) {
        pointer = try allocated(av_frame_alloc(), "allocating a frame")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = pointer
        av_frame_free(&pointer)
    }

    /// In the time base of the stream it belongs to; nil when not known.
    package var pts: Int64? {
        get { pointer.pointee.pts == clibav_no_pts ? nil : pointer.pointee.pts }
        set { pointer.pointee.pts = newValue ?? clibav_no_pts }
    }

    /// Whether the encoder is asked to make it a key frame; otherwise the encoder chooses.
    package var isKeyFrameWanted: Bool {
        get { pointer.pointee.pict_type == AV_PICTURE_TYPE_I }
        set { pointer.pointee.pict_type = newValue ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE }
    }

    /// As it was set; 0 before.
    package private(set) var duration: Int64 = 0

    package func setDuration(_ ticks: Int64) {
        duration = ticks
        clibav_set_frame_duration(pointer, ticks)
    }

    /// Samples per channel; 0 for pictures.
    package var sampleCount: Int {
        get { Int(pointer.pointee.nb_samples) }
        set { pointer.pointee.nb_samples = Int32(newValue) }
    }

    /// Whether it is what a graph that gives `output` said it would be.
    package func fits(_ output: MediaFormat) -> Bool {
        let frame = pointer.pointee
        switch output {
        case .video(let shape):
            return frame.format == shape.format.id.rawValue && frame.width == Int32(shape.width)
                && frame.height == Int32(shape.height)
        case .audio(let shape):
            return frame.format == shape.format.id.rawValue && Int(frame.ch_layout.nb_channels) == shape.layout.channels
        }
    }

    /// The first byte of a plane, and of the next one.
    package func plane(_ index: Int) -> UnsafeMutableRawPointer? {
        withUnsafePointer(to: &pointer.pointee.data) { tuple in
            tuple.withMemoryRebound(to: UnsafeMutablePointer<UInt8>?.self, capacity: 8) {
                UnsafeMutableRawPointer($0[index])
            }
        }
    }

    func setPlane(_ index: Int, _ data: UnsafeMutablePointer<UInt8>, stride: Int) {
        withUnsafeMutablePointer(to: &pointer.pointee.data) { tuple in
            tuple.withMemoryRebound(to: UnsafeMutablePointer<UInt8>?.self, capacity: 8) { $0[index] = data }
        }
        withUnsafeMutablePointer(to: &pointer.pointee.linesize) { tuple in
            tuple.withMemoryRebound(to: Int32.self, capacity: 8) { $0[index] = Int32(stride) }
        }
    }

    /// Where a picture lies when it is one buffer without gaps in libav's own order.
    func contiguousImage(bytes: Int) -> UnsafeMutablePointer<UInt8>? {
        let frame = pointer.pointee
        guard let buffer = frame.buf.0, frame.buf.1 == nil, let start = frame.data.0 else { return nil }
        let end = buffer.pointee.data + buffer.pointee.size
        guard buffer.pointee.data <= start, start + bytes <= end else { return nil }
        guard let tight = try? ImageLayout(
            format: PixelFormat(AVPixelFormat(frame.format)), width: Int(frame.width),
            height: Int(frame.height), packing: .tight)
        else { return nil }
        for (index, expected) in tight.planes.enumerated() {
            guard plane(index) == UnsafeMutableRawPointer(start + expected.offset) else { return nil }
        }
        let strides = [frame.linesize.0, frame.linesize.1, frame.linesize.2, frame.linesize.3]
        guard zip(tight.planes, strides).allSatisfy({ $0.stride == Int($1) }) else { return nil }
        return start
    }
}
