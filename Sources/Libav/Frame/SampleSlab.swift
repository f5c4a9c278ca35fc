internal import CLibav

/// A run of audio blocks in one buffer, so that one read can fill many of them; each becomes a
/// frame that refers to its part of the buffer.
package final class SampleSlab: @unchecked Sendable {
    // Unchecked: filled by one thread; the frames only read.
    package let base: UnsafeMutableRawPointer
    /// Bytes from one block to the next.
    package let stride: Int
    package let blocks: Int
    private let buffer: UnsafeMutablePointer<AVBufferRef>
    private let shape: AudioShape

    fileprivate init(_ buffer: UnsafeMutablePointer<AVBufferRef>, _ pool: SampleSlabPool) {
        self.buffer = buffer
        base = UnsafeMutableRawPointer(buffer.pointee.data)
        stride = pool.stride
        blocks = pool.blocks
        shape = pool.shape
    }

    deinit {
        var buffer: UnsafeMutablePointer<AVBufferRef>? = buffer
        av_buffer_unref(&buffer)
    }

    /// Block `index` as a frame of `samples` samples per channel, interleaved.
    package func frame(block index: Int, samples: Int) throws(LibavError) -> Frame {
        let frame = try Frame()
        shape.apply(to: frame.pointer)
        frame.sampleCount = samples
        frame.pointer.pointee.buf.0 = try allocated(av_buffer_ref(buffer), "sharing a buffer")
        frame.setPlane(0, buffer.pointee.data + index * stride, stride: samples * shape.bytesPerFrame)
        return frame
    }
}

/// Slabs of one size.
package final class SampleSlabPool: Sendable {
    package let shape: AudioShape
    package let blockBytes: Int
    package let stride: Int
    package let blocks: Int
    private let buffers: BufferPool

    /// `blockSamples` samples per channel in a block, as many blocks as come to about `slabBytes`.
    package init(shape: AudioShape, blockSamples: Int, slabBytes: Int) throws(LibavError) {
        self.shape = shape
        blockBytes = blockSamples * shape.bytesPerFrame
        stride = (blockBytes + 63) & ~63
        blocks = max(1, slabBytes / stride)
        // Some read a whole frame where the last one is short.
        buffers = try BufferPool(bytes: stride * (blocks + 1) + 64)
    }

    package func take() throws(LibavError) -> SampleSlab {
        SampleSlab(try buffers.take(), self)
    }
}
