internal import CLibav

/// The picture before once more, as a packet that has bytes. libtheora's encoder says it by a packet without any,
/// which Ogg's muxer leaves out since FFmpeg 7, and before that where it would be a last page of its own.
struct TheoraRepetition {
    let bytes: [UInt8]

    /// `extradata` begins with the length of the identification header, and that header (Theora specification, 6.2).
    init?(extradata: UnsafeBufferPointer<UInt8>) {
        let header = extradata.dropFirst(2)
        guard header.count >= 42, let start = header.indices.first else { return nil }
        func byte(_ offset: Int) -> Int { Int(header[start + offset]) }
        let (columns, rows) = (byte(10) << 8 | byte(11), byte(12) << 8 | byte(13))
        guard columns > 0, rows > 0 else { return nil }
        self.init(macroblockColumns: columns, rows: rows, pixelFormat: byte(41) >> 3 & 3)
    }

    /// `pixelFormat`: 0 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    init(macroblockColumns columns: Int, rows: Int, pixelFormat: Int) {
        func superblocks(_ width: Int, _ height: Int) -> Int { ((width + 3) / 4) * ((height + 3) / 4) }
        // In blocks, of which a macroblock has two by two.
        let luma = (columns * 2, rows * 2)
        let chroma = (pixelFormat == 3 ? luma.0 : columns, pixelFormat == 0 ? rows : luma.1)
        let count = superblocks(luma.0, luma.1) + 2 * superblocks(chroma.0, chroma.1)
        var bits = Bits()
        // A frame (0) that goes by the one before (1); its quality, and no other one (7.1).
        bits.append(0b01_111111_0, 9)
        // No superblock is coded in part, and of the others none is coded (7.3).
        bits.append(zeros: count)
        bits.append(zeros: count)
        // How the modes of macroblocks, of which there are none, are written (7.4), and their motion (7.5).
        bits.append(0b111_0, 4)
        // The tables that there are no coefficients in (7.7.3).
        bits.append(0, 16)
        bytes = bits.bytes
    }

    private struct Bits {
        private(set) var bytes: [UInt8] = []
        private var count = 0

        mutating func append(_ value: Int, _ width: Int) {
            for shift in stride(from: width - 1, through: 0, by: -1) {
                if count % 8 == 0 { bytes.append(0) }
                bytes[bytes.count - 1] |= UInt8(value >> shift & 1) << UInt8(7 - count % 8)
                count += 1
            }
        }

        /// So many bits that are zero, as runs (7.2.1, table 7.7).
        mutating func append(zeros: Int) {
            var left = zeros
            while left > 0 {
                // The bit's value is said again after a run of the most there may be.
                append(0, 1)
                let length = min(left, Self.longest)
                let run = Self.runs.last { $0.start <= length }!
                append(run.code, run.codeBits)
                append(length - run.start, run.offsetBits)
                left -= length
            }
        }

        private static let longest = 4129
        private static let runs: [(start: Int, code: Int, codeBits: Int, offsetBits: Int)] = [
            (1, 0b0, 1, 0), (2, 0b10, 2, 1), (4, 0b110, 3, 1), (6, 0b1110, 4, 2), (10, 0b11110, 5, 3), (18, 0b111110, 6, 4),
            (34, 0b111111, 6, 12),
        ]
    }
}

extension Packet {
    /// Everything but its bytes stays.
    func replaceBytes(_ bytes: [UInt8]) throws(LibavError) {
        let new = try Packet()
        try check(av_new_packet(new.pointer, Int32(bytes.count)), "allocating a packet")
        bytes.withUnsafeBytes { new.pointer.pointee.data.update(from: $0.bindMemory(to: UInt8.self).baseAddress!, count: bytes.count) }
        try check(av_packet_copy_props(new.pointer, pointer), "copying what is said of a packet")
        new.pointer.pointee.stream_index = pointer.pointee.stream_index
        av_packet_unref(pointer)
        av_packet_move_ref(pointer, new.pointer)
    }
}
