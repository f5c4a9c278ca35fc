internal import CLibav

extension Frame {
    /// Another frame of the same buffers, whose time is its own.
    package func reference() throws(LibavError) -> Frame {
        let copy = try Frame()
        try check(av_frame_ref(copy.pointer, pointer), "sharing a frame")
        if duration != 0 { copy.setDuration(duration) }
        return copy
    }

    /// A number that filters hand on from the frame they made theirs of; 0 for none.
    package var tag: Int64 {
        get { Int64(Int(bitPattern: pointer.pointee.opaque)) }
        set { pointer.pointee.opaque = UnsafeMutableRawPointer(bitPattern: Int(newValue)) }
    }
}
