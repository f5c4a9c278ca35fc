/// What a packet log is made of. On a socket or a disk a record is its kind (a byte), the length of its payload (32 bits),
/// where the log has checksums the CRC-32C of all its other bytes, and the payload. Integers have their lowest byte first.
package enum PacketLogRecord {
    case parameters(StreamParameters)
    case packet(Packet)
    /// Of a kind that those who speak it give a meaning: from `firstFreeKind` on.
    case other(kind: UInt8, payload: [UInt8])

    package static let parametersKind: UInt8 = 1
    package static let packetKind: UInt8 = 2
    package static let firstFreeKind: UInt8 = 16
}

/// Puts records into bytes.
package struct PacketLogFraming: Sendable {
    /// For a disk; what comes by a socket is as it was sent.
    package let hasChecksums: Bool

    package init(hasChecksums: Bool) { self.hasChecksums = hasChecksums }

    /// Bytes before a record's payload.
    package var headerBytes: Int { Self.kindAndLength + (hasChecksums ? 4 : 0) }

    private static let kindAndLength = 5

    /// A payload has at most so many bytes.
    package static let mostBytes = Int(UInt32.max)

    package func record(_ kind: UInt8, _ payload: [UInt8]) throws(PacketLogError) -> [UInt8] {
        try header(kind, length: payload.count) { $0.add(payload) } + payload
    }

    package func record(_ parameters: StreamParameters) throws(PacketLogError) -> [UInt8] {
        try record(PacketLogRecord.parametersKind, parameters.encoded)
    }

    /// Hands `body` the pieces of a packet's record, for `writev`: the first is the header and the packet's head, the
    /// others are the packet's own memory. None is empty. They must not be used later.
    package func withRecord<R>(of packet: Packet, _ body: ([UnsafeRawBufferPointer]) throws -> R) throws -> R {
        var head: [UInt8] = []
        packet.encodeHead(into: &head)
        return try packet.withBodyPieces { pieces in
            let length = pieces.reduce(head.count) { $0 + $1.count }
            let header = try header(PacketLogRecord.packetKind, length: length) { checksum in
                checksum.add(head)
                for piece in pieces { checksum.add(piece) }
            }
            let start = header + head
            return try start.withUnsafeBytes { try body([$0] + pieces) }
        }
    }

    private func header(
        _ kind: UInt8, length: Int, _ addPayload: (inout CRC32C) -> Void
    ) throws(PacketLogError) -> [UInt8] {
        guard length <= Self.mostBytes else {
            throw PacketLogError(.tooLarge, "a record has \(length) bytes; it has at most \(Self.mostBytes)")
        }
        var writer = FieldWriter()
        writer.put(kind)
        writer.put(UInt32(length))
        guard hasChecksums else { return writer.bytes }
        var checksum = CRC32C()
        checksum.add(writer.bytes)
        addPayload(&checksum)
        writer.put(checksum.value)
        return writer.bytes
    }
}
