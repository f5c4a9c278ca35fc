/// A packet whose bytes are coming.
struct PacketFilling {
    let packet: Packet
    /// Its memory that is not filled yet, in order.
    private(set) var regions: [UnsafeMutableRawBufferPointer]

    init(_ packet: Packet) {
        self.packet = packet
        regions = packet.bodyPieces
    }

    var missingBytes: Int { regions.reduce(0) { $0 + $1.count } }

    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        for piece in next(bytes.count) {
            piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(piece.count)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        }
    }

    /// Of the memory that is not filled yet the next `count` bytes, which count as filled from here on.
    mutating func next(_ count: Int) -> [UnsafeMutableRawBufferPointer] {
        var pieces: [UnsafeMutableRawBufferPointer] = []
        var left = count
        while left > 0 {
            let region = regions[0]
            let piece = UnsafeMutableRawBufferPointer(rebasing: region.prefix(left))
            pieces.append(piece)
            left -= piece.count
            if piece.count == region.count {
                regions.removeFirst()
            } else {
                regions[0] = UnsafeMutableRawBufferPointer(rebasing: region.dropFirst(piece.count))
            }
        }
        return pieces
    }
}
