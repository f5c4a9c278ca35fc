internal import CLibav

/// Changes the sample format and nothing else: same rate, same channels, so a block in is a
/// block out with no delay. swresample does the work, as it would inside a filter graph, but for what it does wrong.
package final class SampleConverter {
    /// Nil where it is done here.
    private let context: OpaquePointer?
    private let output: AudioShape
    private let buffers: BufferPool
    private let planeBytes: Int
    private let isPlanar: Bool

    package init(from input: AudioShape, to format: AudioFormat, blockSamples: Int) throws(LibavError) {
        output = AudioShape(format: format, layout: input.layout, sampleRate: input.sampleRate)
        isPlanar = av_sample_fmt_is_planar(format.id) != 0
        let rowBytes = blockSamples * format.bytesPerSample * (isPlanar ? 1 : input.layout.channels)
        planeBytes = (rowBytes + 63) & ~63
        buffers = try BufferPool(bytes: planeBytes * (isPlanar ? input.layout.channels : 1) + 64)
        if Self.overflows(from: input.format, to: format) {
            self.context = nil
            return
        }
        var context: OpaquePointer?
        var layout = input.layout.layout
        let rate = Int32(input.sampleRate)
        let code = withUnsafeMutablePointer(to: &layout) { layout in
            swr_alloc_set_opts2(
                &context, layout, format.id, rate, layout, input.format.id, rate, 0, nil)
        }
        try check(code, "setting up a sample converter")
        let allocatedContext = try allocated(context, "setting up a sample converter")
        do {
            try check(swr_init(allocatedContext), "setting up a sample converter")
        } catch {
            swr_free(&context)
            throw error
        }
        self.context = allocatedContext
    }

    deinit {
        var context: OpaquePointer? = context
        swr_free(&context)
    }

    /// Whether swresample makes of samples at full scale, and beyond, those of the other sign.
    package static func overflows(from source: AudioFormat, to target: AudioFormat) -> Bool { source.isFloat && target.bits == 64 }

    /// A frame of up to `blockSamples`; of any number where `overflows`.
    package func convert(_ input: Frame) throws(LibavError) -> Frame {
        guard let context else { return try input.wideSamples(output) }
        let result = try Frame()
        let frame = result.pointer
        output.apply(to: frame)
        result.sampleCount = input.sampleCount
        result.pts = input.pts
        let buffer = try buffers.take()
        frame.pointee.buf.0 = buffer
        try layOut(result, buffer.pointee.data)
        let converted = frame.pointee.extended_data.withMemoryRebound(
            to: UnsafeMutablePointer<UInt8>?.self, capacity: output.layout.channels
        ) { planes in
            var source = UnsafePointer<UInt8>(input.pointer.pointee.data.0)
            return withUnsafeMutablePointer(to: &source) {
                swr_convert(context, planes, Int32(input.sampleCount), $0, Int32(input.sampleCount))
            }
        }
        try check(converted, "converting samples")
        return result
    }

    private func layOut(_ result: Frame, _ data: UnsafeMutablePointer<UInt8>) throws(LibavError) {
        let frame = result.pointer
        let planes = isPlanar ? output.layout.channels : 1
        if planes > 8 {
            // More planes than AVFrame has room for: libav frees this array with the frame.
            let array = try allocated(
                av_calloc(planes, MemoryLayout<UnsafeMutablePointer<UInt8>?>.size), "allocating a frame")
            frame.pointee.extended_data = array.assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self)
            for index in 0..<planes { frame.pointee.extended_data[index] = data + index * planeBytes }
        }
        for index in 0..<min(planes, 8) { result.setPlane(index, data + index * planeBytes, stride: planeBytes) }
    }
}
