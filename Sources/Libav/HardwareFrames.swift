internal import CLibav

/// Pictures in a GPU's memory.
package final class HardwareFrames: @unchecked Sendable {
    // Unchecked: AVBufferRef counts atomically, and the contexts are not changed after `init`.
    private let frames: UnsafeMutablePointer<AVBufferRef>

    init(_ frames: UnsafeMutablePointer<AVBufferRef>) { self.frames = frames }

    deinit {
        var frames: UnsafeMutablePointer<AVBufferRef>? = frames
        av_buffer_unref(&frames)
    }

    func reference() -> UnsafeMutablePointer<AVBufferRef>? { av_buffer_ref(frames) }
}
