internal import CLibav

/// What stands before a packet's bytes: all of it that is not side data or data, and how much of those follows.
struct PacketHead {
    private static let version: UInt8 = 1
    /// Up to the table of side data.
    static let fixedBytes = 1 + 4 + 4 + 8 + 8 + 8 + 8 + 4 + 2
    static let entryBytes = 4 + 4
    private static let mostSideData: UInt16 = 64
    /// libav counts a packet's bytes in 31 bits, with some to spare behind the end.
    private static let mostBytes = UInt32(Int32.max) - UInt32(AV_INPUT_BUFFER_PADDING_SIZE)
    /// A little less than all, so that times may be moved.
    private static let times: ClosedRange<Int64> = -(1 << 62)...(1 << 62)
    /// That a packet can be trusted, which lets libav follow pointers in it, no bytes can say.
    private static let flags = UInt32(AV_PKT_FLAG_KEY | AV_PKT_FLAG_CORRUPT | AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_DISPOSABLE)

    private let flags: UInt32
    private let stream: UInt32
    private let pts: Int64
    private let dts: Int64
    private let duration: Int64
    private let timeBase: Fraction
    let dataBytes: Int
    let sideData: [(type: UInt32, bytes: Int)]

    /// Of what follows the head.
    var bodyBytes: Int { sideData.reduce(dataBytes) { $0 + $1.bytes } }

    init(of packet: Packet) {
        let packet = packet.pointer.pointee
        flags = UInt32(bitPattern: packet.flags) & Self.flags
        stream = UInt32(bitPattern: packet.stream_index)
        (pts, dts, duration) = (packet.pts, packet.dts, packet.duration)
        timeBase = Fraction(packet.time_base)
        dataBytes = Int(packet.size)
        sideData = (0..<Int(packet.side_data_elems)).map { (packet.side_data[$0].type.rawValue, Int(packet.side_data[$0].size)) }
    }

    func encode(into writer: inout FieldWriter) {
        writer.put(Self.version)
        writer.put(flags)
        writer.put(stream)
        for value in [pts, dts, duration] { writer.put(value) }
        writer.put(timeBase)
        writer.put(UInt32(dataBytes))
        writer.put(UInt16(sideData.count))
        for entry in sideData {
            writer.put(entry.type)
            writer.put(UInt32(entry.bytes))
        }
    }

    /// Of the bytes with which a head begins: how many it has.
    static func bytes(ofHeadBeginning fixed: [UInt8]) throws(PacketLogError) -> Int {
        var reader = FieldReader(fixed)
        let version: UInt8 = try reader.integer("the version")
        guard version == Self.version else { throw .version(version, known: Self.version, of: "a packet") }
        _ = try reader.take(fixedBytes - 1 - 2, "a packet's head")
        return fixedBytes + entryBytes * Int(try reader.integer("the pieces of side data", in: 0...mostSideData))
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        let version: UInt8 = try reader.integer("the version")
        guard version == Self.version else { throw .version(version, known: Self.version, of: "a packet") }
        flags = try reader.integer("the flags")
        guard flags & ~Self.flags == 0 else { throw .malformed("the flags are \(flags); only those of \(Self.flags) can be set") }
        stream = try reader.integer("the stream", in: 0...UInt32(Int32.max))
        pts = try Self.time("the time of presentation", &reader)
        dts = try Self.time("the time of decoding", &reader)
        duration = try reader.integer("the duration", in: 0...Self.times.upperBound)
        timeBase = try reader.fraction("the packet's time base")
        dataBytes = Int(try reader.integer("the bytes of a packet", in: 0...Self.mostBytes))
        let count: UInt16 = try reader.integer("the pieces of side data", in: 0...Self.mostSideData)
        var sideData: [(type: UInt32, bytes: Int)] = []
        for _ in 0..<count {
            let type: UInt32 = try reader.integer("a type of side data")
            let bytes = Int(try reader.integer("the bytes of side data", in: 0...Self.mostBytes))
            if let refusal = SideData.refusal(type: type, bytes: bytes) { throw .malformed(refusal) }
            if sideData.contains(where: { $0.type == type }) { throw .malformed("side data of type \(type) comes twice in a packet") }
            sideData.append((type, bytes))
        }
        self.sideData = sideData
    }

    private static func time(_ field: String, _ reader: inout FieldReader) throws(PacketLogError) -> Int64 {
        let value: Int64 = try reader.integer(field)
        guard value == clibav_no_pts || times.contains(value) else { throw .malformed("\(field) is \(value), which is out of range") }
        return value
    }

    /// A packet of this head whose bytes, and those of its side data, are yet to be filled in.
    func emptyPacket() throws(PacketLogError) -> Packet {
        do throws(LibavError) {
            let packet = try Packet()
            try check(av_new_packet(packet.pointer, Int32(dataBytes)), "allocating a packet")
            packet.pointer.pointee.flags = Int32(bitPattern: flags)
            packet.pointer.pointee.stream_index = Int32(stream)
            (packet.pointer.pointee.pts, packet.pointer.pointee.dts) = (pts, dts)
            packet.pointer.pointee.duration = duration
            packet.pointer.pointee.time_base = timeBase.rational
            for entry in sideData {
                _ = try allocated(
                    av_packet_new_side_data(packet.pointer, AVPacketSideDataType(entry.type), entry.bytes), "allocating side data")
            }
            return packet
        } catch {
            throw .outOfMemory(bodyBytes, for: "a packet")
        }
    }
}
