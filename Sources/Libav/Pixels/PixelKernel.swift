internal import CLibav
internal import CPixels

/// One of CPixels' converters and its memory, which lies where libav's pictures do. One thread at a time.
final class PixelKernel {
    private let converter: OpaquePointer
    private var memory: UnsafeMutablePointer<AVBufferRef>?

    /// Nil where CPixels doesn't compute it, or there is no memory.
    init?(_ plan: cpixels_plan) {
        var plan = plan
        var memory = clibav_mapped_buffer(cpixels_bytes(&plan))
        guard let data = memory?.pointee.data, let converter = cpixels_prepare(&plan, data) else {
            av_buffer_unref(&memory)
            return nil
        }
        self.converter = converter
        self.memory = memory
    }

    deinit { av_buffer_unref(&memory) }

    func convert(_ source: Frame, into target: Frame) {
        cpixels_convert(
            converter, source.array(\.data, of: UnsafePointer<UInt8>?.self), source.strides,
            target.array(\.data, of: UnsafeMutablePointer<UInt8>?.self), target.strides)
    }
}

extension Frame {
    var strides: UnsafeMutablePointer<Int32> { array(\.linesize, of: Int32.self) }

    /// One of AVFrame's arrays, which are tuples to Swift.
    fileprivate func array<Array, Element>(_ field: KeyPath<AVFrame, Array>, of _: Element.Type) -> UnsafeMutablePointer<Element> {
        (UnsafeMutableRawPointer(pointer) + MemoryLayout<AVFrame>.offset(of: field)!).assumingMemoryBound(to: Element.self)
    }
}
