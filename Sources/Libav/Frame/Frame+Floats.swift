internal import CLibav

extension Frame {
    /// Makes whole numbers of a picture of floats from 0 to 1, as NumPy's `(array.clip(0, 1) * most).round()` does,
    /// and 0 of what is no number. `target` has the same planes, of one byte or of two (little-endian).
    package func quantize(_ floats: ImageLayout, into target: Frame, _ layout: ImageLayout) {
        let isWide = layout.planes[0].rowBytes > floats.planes[0].rowBytes / 4
        let most: Float = isWide ? 65_535 : 255
        for (index, planes) in zip(floats.planes, layout.planes).enumerated() {
            guard let source = plane(index), let destination = target.plane(index) else { continue }
            for row in 0..<planes.0.rows {
                let values = UnsafeBufferPointer(
                    start: (source + row * planes.0.stride).assumingMemoryBound(to: UInt32.self), count: planes.0.rowBytes / 4)
                let start = destination + row * planes.1.stride
                if isWide {
                    Self.quantize(values, most, floats.format.isBigEndian, into: start.assumingMemoryBound(to: UInt16.self))
                } else {
                    Self.quantize(values, most, floats.format.isBigEndian, into: start.assumingMemoryBound(to: UInt8.self))
                }
            }
        }
    }

    /// Beyond it floats have no fractions: adding it rounds to the nearest, and to the even one between two.
    private static let roundingBias: Float = 12_582_912

    @inline(__always)
    private static func quantize<Sample: FixedWidthInteger>(
        _ values: UnsafeBufferPointer<UInt32>, _ most: Float, _ isBigEndian: Bool, into samples: UnsafeMutablePointer<Sample>
    ) {
        for index in values.indices {
            let value = Float(bitPattern: isBigEndian ? values[index].byteSwapped : values[index])
            // Comparisons with NaN are false.
            let bounded: Float = value > 0 ? (value < 1 ? value : 1) : 0
            let rounded = (bounded * most + roundingBias) - roundingBias
            samples[index] = Sample(truncatingIfNeeded: Int32(rounded))
        }
    }
}
