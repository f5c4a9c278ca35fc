internal import CLibav

extension FilterGraph {
    /// What filters say about the pictures they give.
    package struct PictureTraits: Sendable {
        package var color: ColorDescription
        package var fieldOrder: FieldOrder
    }

    /// What the filters make of a black picture; nil when they give none. Before 7.1 libav only tells by a
    /// frame. Uses the graph up.
    package func trial(of input: MediaFormat) throws(LibavError) -> PictureTraits? {
        guard case .video(let shape) = input else { return nil }
        let frame = try Frame()
        frame.pointer.pointee.format = shape.format.id.rawValue
        frame.pointer.pointee.width = Int32(shape.width)
        frame.pointer.pointee.height = Int32(shape.height)
        frame.describeRange(shape.format)
        frame.pts = 0
        try check(av_frame_get_buffer(frame.pointer, 0), "allocating a frame")
        clibav_make_black(frame.pointer)
        try push(frame)
        try finish()
        guard case .frame(let first) = try pull() else { return nil }
        return PictureTraits(color: ColorDescription(of: first.pointer), fieldOrder: FieldOrder(of: first.pointer))
    }
}
