internal import CLibav

extension Frame {
    /// Interleaved samples of floats as whole numbers of 64 bits, in a frame of the form `shape`. Those beyond -1 to 1 are
    /// clipped, and silence where they are no number: swresample's own conversion overflows, so that 1 becomes -1.
    func wideSamples(_ shape: AudioShape) throws(LibavError) -> Frame {
        let result = try Frame()
        shape.apply(to: result.pointer)
        result.sampleCount = sampleCount
        try check(av_frame_get_buffer(result.pointer, 0), "allocating a frame")
        result.pts = pts
        let count = sampleCount * shape.layout.channels
        guard count > 0, let source = plane(0), let target = result.plane(0)?.assumingMemoryBound(to: Int64.self) else { return result }
        if pointer.pointee.format == AV_SAMPLE_FMT_FLT.rawValue {
            let samples = source.assumingMemoryBound(to: Float.self)
            for index in 0..<count { target[index] = Self.wide(Double(samples[index])) }
        } else {
            let samples = source.assumingMemoryBound(to: Double.self)
            for index in 0..<count { target[index] = Self.wide(samples[index]) }
        }
        return result
    }

    @inline(__always)
    private static func wide(_ sample: Double) -> Int64 {
        // Comparisons with NaN are false.
        guard sample > -1 else { return sample <= -1 ? .min : 0 }
        return sample < 1 ? Int64((sample * 0x1p63).rounded(.toNearestOrEven)) : .max
    }
}
