internal import CLibav

extension Frame {
    /// The first sample of floats that is no number, or larger than `bound`, up or down.
    func firstSample(beyond bound: Float) -> Float? {
        let isPlanar: Bool
        switch AVSampleFormat(pointer.pointee.format) {
        case AV_SAMPLE_FMT_FLT: isPlanar = false
        case AV_SAMPLE_FMT_FLTP: isPlanar = true
        default: return nil
        }
        let channels = Int(pointer.pointee.ch_layout.nb_channels)
        let count = isPlanar ? sampleCount : sampleCount * channels
        for plane in 0..<(isPlanar ? channels : 1) {
            guard let start = pointer.pointee.extended_data[plane] else { continue }
            let samples = UnsafeRawBufferPointer(start: start, count: count * 4).assumingMemoryBound(to: Float.self)
            if let index = SampleBound.firstIndex(beyond: bound, in: samples) { return samples[index] }
        }
        return nil
    }

    /// A copy with silence behind its samples.
    func padded(by count: Int) throws(LibavError) -> Frame {
        let copy = try Frame()
        let (from, to) = (pointer, copy.pointer)
        to.pointee.format = from.pointee.format
        to.pointee.ch_layout = from.pointee.ch_layout
        to.pointee.sample_rate = from.pointee.sample_rate
        copy.sampleCount = sampleCount + count
        try check(av_frame_get_buffer(to, 0), "allocating a frame")
        copy.pts = pts
        copy.setDuration(Int64(copy.sampleCount))
        let format = AVSampleFormat(from.pointee.format)
        let (samples, channels) = (Int32(sampleCount), from.pointee.ch_layout.nb_channels)
        try check(
            av_samples_copy(to.pointee.extended_data, from.pointee.extended_data, 0, 0, samples, channels, format),
            "copying a frame")
        try check(
            av_samples_set_silence(to.pointee.extended_data, samples, Int32(count), channels, format), "copying a frame")
        return copy
    }
}

/// Looks for samples that an encoder does not take. Sound of floats goes through it: 0.1 ns a sample, as the loops
/// compare bit patterns, which are in the order of magnitudes (NaN is above infinity), several at a time.
package enum SampleBound {
    /// The first that is no number, or larger than `bound`, up or down.
    package static func firstIndex(beyond bound: Float, in samples: UnsafeBufferPointer<Float>) -> Int? {
        let most = Int32(bitPattern: bound.bitPattern)
        var signs = Int32(0)
        for sample in samples { signs |= most &- Int32(bitPattern: sample.magnitude.bitPattern) }
        return signs >= 0 ? nil : samples.firstIndex { !($0.magnitude <= bound) }
    }

    package static func firstIndex(beyond bound: Double, in samples: UnsafeBufferPointer<Double>) -> Int? {
        let most = Int64(bitPattern: bound.bitPattern)
        var signs = Int64(0)
        for sample in samples { signs |= most &- Int64(bitPattern: sample.magnitude.bitPattern) }
        return signs >= 0 ? nil : samples.firstIndex { !($0.magnitude <= bound) }
    }

    /// What is taken: "samples from -2.0 to 2.0".
    package static func text(_ bound: Float) -> String {
        bound < .greatestFiniteMagnitude ? "samples from \(-bound) to \(bound)" : "finite samples only"
    }
}
