internal import CLibav

/// Buffers of one size, used again once libav has let go of them. What was never written is zeros.
final class BufferPool: @unchecked Sendable {
    // Unchecked: AVBufferPool has its own lock.
    private let pool: OpaquePointer

    init(bytes: Int) throws(LibavError) {
        pool = try allocated(clibav_zeroed_pool(bytes), "allocating a buffer pool")
    }

    deinit {
        // libav frees the pool itself when the last buffer comes back.
        var pool: OpaquePointer? = pool
        av_buffer_pool_uninit(&pool)
    }

    func take() throws(LibavError) -> UnsafeMutablePointer<AVBufferRef> {
        try allocated(av_buffer_pool_get(pool), "allocating a frame's buffer")
    }
}

/// Fresh pictures to fill. An encoder may keep a reference to a frame it was given, so a frame
/// is never filled twice; its memory comes round again once nothing refers to it.
package final class FramePool: Sendable {
    package let layout: ImageLayout
    private let buffers: BufferPool

    package init(layout: ImageLayout) throws(LibavError) {
        self.layout = layout
        buffers = try BufferPool(bytes: layout.bufferBytes)
    }

    package func take() throws(LibavError) -> Frame {
        let frame = try Frame()
        let buffer = try buffers.take()
        frame.pointer.pointee.buf.0 = buffer
        frame.pointer.pointee.format = layout.format.id.rawValue
        frame.pointer.pointee.width = Int32(layout.width)
        frame.pointer.pointee.height = Int32(layout.height)
        frame.describeRange(layout.format)
        for (index, plane) in layout.planes.enumerated() {
            frame.setPlane(index, buffer.pointee.data + plane.offset, stride: plane.stride)
        }
        return frame
    }
}
