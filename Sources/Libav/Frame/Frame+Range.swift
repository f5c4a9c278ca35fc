internal import CLibav

extension PixelFormat {
    /// The largest value of a sample, where samples have two bytes of their own and could hold larger ones.
    package var sampleLimit: UInt16? {
        guard let descriptor = av_pix_fmt_desc_get(id)?.pointee, isPlanar, !isFloat else { return nil }
        let component = descriptor.comp.0
        guard component.step == 2, component.shift == 0, (9...15).contains(component.depth) else { return nil }
        return 1 << UInt16(component.depth) - 1
    }
}

extension Frame {
    /// Brings samples beyond `limit` down to it. Filters take a sample for an index into tables that end
    /// there. The frame must have no other reference.
    package func bound(to limit: UInt16, _ layout: ImageLayout) {
        let isSwapped = layout.format.isBigEndian
        for (index, plane) in layout.planes.enumerated() {
            guard let start = self.plane(index) else { continue }
            for row in 0..<plane.rows {
                let samples = UnsafeMutableBufferPointer(
                    start: (start + row * plane.stride).assumingMemoryBound(to: UInt16.self), count: plane.rowBytes / 2)
                if isSwapped {
                    for index in samples.indices { samples[index] = min(samples[index].byteSwapped, limit).byteSwapped }
                } else {
                    for index in samples.indices { samples[index] = min(samples[index], limit) }
                }
            }
        }
    }
}
