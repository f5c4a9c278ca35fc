internal import CLibav

/// Contexts of libav by which it calls back to read and to write.
enum AVIO {
    /// Nil where there is no memory. `make` gets the buffer, which is the context's where it makes one.
    static func allocate(
        _ bufferBytes: Int, _ make: (UnsafeMutablePointer<UInt8>, Int32) -> UnsafeMutablePointer<AVIOContext>?
    ) -> UnsafeMutablePointer<AVIOContext>? {
        guard let buffer = av_malloc(bufferBytes) else { return nil }
        if let context = make(buffer.assumingMemoryBound(to: UInt8.self), Int32(bufferBytes)) { return context }
        av_free(buffer)
        return nil
    }

    static func free(_ context: UnsafeMutablePointer<AVIOContext>) {
        av_freep(&context.pointee.buffer)
        var context: UnsafeMutablePointer<AVIOContext>? = context
        avio_context_free(&context)
    }
}
