internal import CLibav

// A packet as bytes: its head, then each piece of side data, then its data.
extension Packet {
    /// Appends what comes before `bodyPieces`.
    package func encodeHead(into bytes: inout [UInt8]) {
        var writer = FieldWriter()
        PacketHead(of: self).encode(into: &writer)
        bytes += writer.bytes
    }

    /// Hands `body` the packet's own memory behind the head, for `writev`: side data, piece by piece, then its data. None
    /// is empty. It must not be used later.
    package func withBodyPieces<R, E: Error>(_ body: ([UnsafeRawBufferPointer]) throws(E) -> R) throws(E) -> R {
        try body(bodyPieces.map { UnsafeRawBufferPointer($0) })
    }

    /// As long as the packet lives, and is not changed.
    var bodyPieces: [UnsafeMutableRawBufferPointer] {
        let packet = pointer.pointee
        let sideData = (0..<Int(packet.side_data_elems)).map {
            UnsafeMutableRawBufferPointer(start: packet.side_data[$0].data, count: Int(packet.side_data[$0].size))
        }
        let data = UnsafeMutableRawBufferPointer(start: packet.data, count: Int(packet.size))
        return (sideData + [data]).filter { !$0.isEmpty }
    }

    /// Head and body in one, which may be anything.
    package convenience init(decoding bytes: [UInt8]) throws(PacketLogError) {
        var reader = FieldReader(bytes)
        let head = try PacketHead(decoding: &reader)
        guard reader.bytesLeft == head.bodyBytes else {
            throw .malformed("\(reader.bytesLeft) bytes follow a packet's head; it says \(head.bodyBytes)")
        }
        let made = try head.emptyPacket()
        for piece in made.bodyPieces { piece.copyBytes(from: try reader.take(piece.count, "a packet")) }
        do throws(LibavError) { try self.init() } catch { throw .outOfMemory(MemoryLayout<AVPacket>.size, for: "a packet") }
        av_packet_move_ref(pointer, made.pointer)
    }
}
