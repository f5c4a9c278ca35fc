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

/// Looks for samples that an encoder does not take.
package enum SampleBound {
    /// The first that is no number, or larger than `bound`, up or down.
    package static func firstIndex<Sample: BinaryFloatingPoint>(
        beyond bound: Sample, in samples: UnsafeBufferPointer<Sample>
    ) -> Int? {
        // Without a way out of the loop it takes several at a time.
        var areTaken = true
        for sample in samples { areTaken = areTaken && sample.magnitude <= bound }
        return areTaken ? nil : samples.firstIndex { !($0.magnitude <= bound) }
    }
}
