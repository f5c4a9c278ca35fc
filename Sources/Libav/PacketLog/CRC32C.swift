/// The checksum of iSCSI, ext4 and S3 (Castagnoli's polynomial, RFC 3720 12.1), of bytes that come in pieces.
package struct CRC32C: Sendable {
    private var state: UInt32 = ~0

    package init() {}

    package var value: UInt32 { ~state }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        state = Self.tables.withUnsafeBufferPointer { Self.advance(state, start, bytes.count, $0.baseAddress!) }
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    private static let reversedPolynomial: UInt32 = 0x82F6_3B78

    /// For each of eight bytes what it does to the checksum from its place, so that eight are added at once.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ reversedPolynomial : value >> 1 }
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return tables
    }()

    private static func advance(
        _ state: UInt32, _ start: UnsafeRawPointer, _ count: Int, _ tables: UnsafePointer<UInt32>
    ) -> UInt32 {
        var state = state
        var place = 0
        while count - place >= 8 {
            let word = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: place, as: UInt64.self)) ^ UInt64(state)
            state = 0
            for byte in 0..<8 { state ^= tables[(7 - byte) << 8 | Int(truncatingIfNeeded: word >> UInt64(8 * byte) & 0xff)] }
            place += 8
        }
        while place < count {
            state = state >> 8 ^ tables[Int((state ^ UInt32(start.load(fromByteOffset: place, as: UInt8.self))) & 0xff)]
            place += 1
        }
        return state
    }
}
