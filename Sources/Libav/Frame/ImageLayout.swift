internal import CLibav

/// Where the rows of a picture lie in one buffer.
package struct ImageLayout: Sendable {
    package struct Plane: Sendable {
        package let offset: Int
        /// Bytes from one row to the next.
        package let stride: Int
        /// Bytes of picture in a row.
        package let rowBytes: Int
        package let rows: Int
    }

    /// How rows are placed.
    package enum Packing: Sendable {
        /// Rows and planes start where SIMD code likes them.
        case aligned
        /// No gaps at all: `av_image_copy_to_buffer` with an alignment of 1.
        case tight
    }

    package let format: PixelFormat
    package let width: Int
    package let height: Int
    package let planes: [Plane]
    /// Bytes of a buffer for it, with rows and bytes beyond the picture: there are filters and encoders
    /// that read what would be the next row, or fill a block of 16.
    package let bufferBytes: Int
    /// Bytes of picture: what a body carries for one frame.
    package let imageBytes: Int

    private static let alignment = 64
    /// Rows of this granularity stay as they are; copying them apart would cost more.
    private static let rowGranularity = 32
    private static let padding = 128
    private static let rowsBeyond = 16

    package init(format: PixelFormat, width: Int, height: Int, packing: Packing) throws(LibavError) {
        let rowBytes = try Self.rowBytes(format, width)
        var strides = rowBytes
        if packing == .aligned {
            strides = rowBytes.map { $0 % Self.rowGranularity == 0 ? $0 : Self.align($0) }
        }
        let chromaShift = av_pix_fmt_desc_get(format.id).map { Int($0.pointee.log2_chroma_h) } ?? 0
        var planes: [Plane] = []
        var end = 0
        for (index, bytes) in rowBytes.enumerated() where bytes > 0 {
            let isChroma = index == 1 || index == 2
            let rows = isChroma ? (height + (1 << chromaShift) - 1) >> chromaShift : height
            let offset = packing == .aligned ? Self.align(end) : end
            planes.append(Plane(offset: offset, stride: strides[index], rowBytes: bytes, rows: rows))
            end = offset + strides[index] * rows
        }
        self.format = format
        self.width = width
        self.height = height
        self.planes = planes
        self.bufferBytes = Self.align(end + Self.rowsBeyond * (planes.map(\.stride).max() ?? 0)) + Self.padding
        self.imageBytes = planes.reduce(0) { $0 + $1.rowBytes * $1.rows }
    }

    /// Whether the planes follow each other without a gap.
    package var isTight: Bool {
        var end = 0
        for plane in planes {
            if plane.offset != end || plane.stride != plane.rowBytes { return false }
            end += plane.rowBytes * plane.rows
        }
        return true
    }

    private static func align(_ value: Int) -> Int { (value + alignment - 1) & ~(alignment - 1) }

    private static func rowBytes(_ format: PixelFormat, _ width: Int) throws(LibavError) -> [Int] {
        var sizes: (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        let code = withUnsafeMutablePointer(to: &sizes) { tuple in
            tuple.withMemoryRebound(to: Int32.self, capacity: 4) {
                av_image_fill_linesizes($0, format.id, Int32(width))
            }
        }
        try check(code, "laying out a \(format.name) picture \(width) wide")
        return [sizes.0, sizes.1, sizes.2, sizes.3].map(Int.init)
    }
}
