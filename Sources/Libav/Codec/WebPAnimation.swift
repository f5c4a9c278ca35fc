internal import CLibav

extension Packet {
    /// Of a whole animation, as libwebp's encoder makes it: has its last picture end so many milliseconds after the
    /// first begins. The library makes it as long as the others are on average. (WebP Container Specification,
    /// "Animation": the 24 bits behind a frame's place and size are how long it is.)
    package func endAnimation(at milliseconds: Int64) throws(LibavError) {
        try check(av_packet_make_writable(pointer), "writing an animation's end")
        guard let data = pointer.pointee.data else { return }
        let bytes = UnsafeMutableBufferPointer(start: data, count: byteCount)
        var chunk = Self.riffHeader
        var last: Int?
        var before: Int64 = 0
        while chunk + Self.chunkHeader <= bytes.count {
            let size = Int(Self.number(in: bytes, at: chunk + 4, bytes: 4))
            if bytes[chunk..<(chunk + 4)].elementsEqual("ANMF".utf8), chunk + Self.chunkHeader + Self.frameHeader <= bytes.count {
                if let last { before += Self.number(in: bytes, at: last, bytes: 3) }
                last = chunk + Self.chunkHeader + Self.placeAndSize
            }
            // Chunks have an even number of bytes.
            chunk += Self.chunkHeader + size + size % 2
        }
        guard let last else { return }
        let duration = min(max(0, milliseconds - before), 1 << 24 - 1)
        for index in 0..<3 { bytes[last + index] = UInt8(truncatingIfNeeded: duration >> (8 * Int64(index))) }
    }

    private static let riffHeader = 12
    private static let chunkHeader = 8
    private static let frameHeader = 16
    private static let placeAndSize = 12

    /// The lowest byte first.
    private static func number(in bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int, bytes count: Int) -> Int64 {
        (0..<count).reduce(0) { $0 | Int64(bytes[start + $1]) << (8 * Int64($1)) }
    }
}
