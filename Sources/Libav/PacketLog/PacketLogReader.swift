/// Makes records of bytes that come in any pieces and may be anything. A packet's bytes are copied once, into the packet,
/// or not at all (`fillDirectly`). After an error it takes no more.
package struct PacketLogReader {
    private enum Part {
        case header, payload, packetStart, packetHead
    }

    private let framing: PacketLogFraming
    private let mostBytes: Int
    private var part = Part.header
    /// Of the part at hand: the bytes there are, and how many there must be.
    private var gathered: [UInt8] = []
    private var needed: Int
    private var header = Header()
    private var checksum = CRC32C()
    private var filling: PacketFilling?
    private var failure: PacketLogError?
    /// Of all records that were whole: where in the log the one at hand begins.
    package private(set) var wholeBytes: Int64 = 0

    private struct Header {
        var kind: UInt8 = 0
        var length = 0
        var checksum: UInt32?
    }

    /// A record of more than `mostBytes` is refused by its header. So much memory can a packet's header have it ask for.
    package init(hasChecksums: Bool, mostBytes: Int) {
        framing = PacketLogFraming(hasChecksums: hasChecksums)
        self.mostBytes = mostBytes
        needed = framing.headerBytes
    }

    /// Whether the log may end here.
    package var isBetweenRecords: Bool { part == .header && gathered.isEmpty && filling == nil }

    /// Takes bytes up to the end of a record or of `bytes`; how many, and the record where one is whole. Call it again with
    /// the others.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) throws(PacketLogError) -> (taken: Int, record: PacketLogRecord?) {
        try guarded { (reader) throws(PacketLogError) in
            var taken = 0
            while taken < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
                taken += reader.filling == nil ? reader.gather(rest) : reader.fill(rest)
                if let record = try reader.advance() { return (taken, record) }
            }
            return (taken, nil)
        }
    }

    /// Of the packet at hand, how many bytes are still to come; 0 where none is at hand.
    package var missingBytes: Int { filling?.missingBytes ?? 0 }

    /// Has `read` put the next bytes of the log, at most `missingBytes`, right into the packet at hand: it gets the
    /// packet's memory, in order, and says how many it put there. The record where the packet is whole then.
    package mutating func fillDirectly(
        _ read: ([UnsafeMutableRawBufferPointer]) -> Int
    ) throws(PacketLogError) -> PacketLogRecord? {
        try guarded { (reader) throws(PacketLogError) in
            guard reader.filling != nil else { return nil }
            let count = read(reader.filling!.regions)
            precondition(count >= 0 && count <= reader.missingBytes)
            for piece in reader.filling!.next(count) { reader.add(UnsafeRawBufferPointer(piece)) }
            return try reader.advance()
        }
    }

    private mutating func guarded<R>(_ body: (inout PacketLogReader) throws(PacketLogError) -> R) throws(PacketLogError) -> R {
        if let failure { throw failure }
        do throws(PacketLogError) { return try body(&self) } catch {
            failure = error
            filling = nil
            throw error
        }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        if framing.hasChecksums { checksum.add(bytes) }
    }

    private mutating func gather(_ bytes: UnsafeRawBufferPointer) -> Int {
        let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(needed - gathered.count))
        gathered.append(contentsOf: piece)
        // The header's own bytes are added once it is whole, without the checksum in it.
        if part != .header { add(piece) }
        return piece.count
    }

    private mutating func fill(_ bytes: UnsafeRawBufferPointer) -> Int {
        let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(missingBytes))
        add(piece)
        filling?.copy(piece)
        return piece.count
    }

    /// Goes on to the next part while the one at hand is whole; the record when that is.
    private mutating func advance() throws(PacketLogError) -> PacketLogRecord? {
        if let filling {
            return filling.missingBytes == 0 ? try finish(.packet(filling.packet)) : nil
        }
        while gathered.count == needed {
            switch part {
            case .header: try readHeader()
            case .payload: return try finish(payloadRecord())
            case .packetStart:
                part = .packetHead
                needed = try PacketHead.bytes(ofHeadBeginning: gathered)
                guard needed <= header.length else { throw .malformed("a packet's head has \(needed) bytes, and its record \(header.length)") }
            case .packetHead:
                let filling = try readPacketHead()
                guard filling.missingBytes == 0 else {
                    self.filling = filling
                    return nil
                }
                return try finish(.packet(filling.packet))
            }
        }
        return nil
    }

    private mutating func readHeader() throws(PacketLogError) {
        var reader = FieldReader(gathered)
        header.kind = try reader.integer("the kind of a record")
        header.length = Int(try reader.integer("the length of a record", as: UInt32.self))
        header.checksum = framing.hasChecksums ? try reader.integer("the checksum of a record") : nil
        guard header.length <= mostBytes else {
            throw PacketLogError(.tooLarge, "a record has \(header.length) bytes; at most \(mostBytes) are taken")
        }
        checksum = CRC32C()
        if framing.hasChecksums { checksum.add(Array(gathered.dropLast(4))) }
        gathered.removeAll(keepingCapacity: true)
        let isPacket = header.kind == PacketLogRecord.packetKind
        if isPacket, header.length < PacketHead.fixedBytes {
            throw .malformed("a packet's record has \(header.length) bytes; it has at least \(PacketHead.fixedBytes)")
        }
        part = isPacket ? .packetStart : .payload
        needed = isPacket ? PacketHead.fixedBytes : header.length
    }

    private func readPacketHead() throws(PacketLogError) -> PacketFilling {
        var reader = FieldReader(gathered)
        let head = try PacketHead(decoding: &reader)
        guard gathered.count + head.bodyBytes == header.length else {
            throw .malformed("a packet has \(gathered.count + head.bodyBytes) bytes, and its record \(header.length)")
        }
        return PacketFilling(try head.emptyPacket())
    }

    private func payloadRecord() throws(PacketLogError) -> PacketLogRecord {
        // What was damaged on the way says so rather than what it looks like.
        try requireChecksum()
        return header.kind == PacketLogRecord.parametersKind
            ? .parameters(try StreamParameters(decoding: gathered)) : .other(kind: header.kind, payload: gathered)
    }

    private func requireChecksum() throws(PacketLogError) {
        guard let expected = header.checksum, expected != checksum.value else { return }
        throw PacketLogError(.wrongChecksum, "a record of kind \(header.kind) and \(header.length) bytes has not the checksum it was written with")
    }

    private mutating func finish(_ record: PacketLogRecord) throws(PacketLogError) -> PacketLogRecord {
        try requireChecksum()
        wholeBytes += Int64(framing.headerBytes + header.length)
        part = .header
        needed = framing.headerBytes
        gathered.removeAll(keepingCapacity: header.length <= Self.mostKept)
        filling = nil
        return record
    }

    private static let mostKept = 64 * 1024
}
