internal import CLibav

// Which channels there are, in an order of libav's own or one that names each.
extension AVChannelLayout {
    private static let mostChannels: Int32 = 1024
    private static let nameBytes = 16

    func encode(into writer: inout FieldWriter) {
        writer.put(UInt8(order.rawValue))
        writer.put(nb_channels)
        guard order == AV_CHANNEL_ORDER_CUSTOM else { return writer.put(u.mask) }
        for index in 0..<Int(nb_channels) {
            writer.put(u.map[index].id.rawValue)
            withUnsafeBytes(of: u.map[index].name) { writer.put(raw: $0) }
        }
    }

    /// The receiver is empty before, and owns what it then points to.
    mutating func decode(_ reader: inout FieldReader) throws(PacketLogError) {
        order = try AVChannelOrder(UInt32(reader.integer("the order of channels", in: 0...UInt8(AV_CHANNEL_ORDER_AMBISONIC.rawValue))))
        nb_channels = try reader.integer("the number of channels", in: 1...Self.mostChannels)
        if order == AV_CHANNEL_ORDER_CUSTOM { try decodeMap(&reader) } else { u.mask = try reader.integer("the channels") }
        guard av_channel_layout_check(&self) == 1 else { throw .malformed("\(nb_channels) channels are not those that are named") }
    }

    private mutating func decodeMap(_ reader: inout FieldReader) throws(PacketLogError) {
        let count = Int(nb_channels)
        let bytes = count * MemoryLayout<AVChannelCustom>.stride
        guard let map = av_mallocz(bytes) else { throw .outOfMemory(bytes, for: "a list of channels") }
        u.map = map.bindMemory(to: AVChannelCustom.self, capacity: count)
        for index in 0..<count {
            let id: Int32 = try reader.integer("a channel")
            guard Self.isChannel(id) else { throw .malformed("\(id) is no channel") }
            u.map[index].id = AVChannel(id)
            // The last byte ends the name.
            let name = try reader.take(Self.nameBytes, "a channel's name").dropLast()
            withUnsafeMutableBytes(of: &u.map[index].name) { $0.copyBytes(from: name) }
        }
    }

    /// One that a mask has a bit for, one without a meaning, or one of a sphere.
    private static func isChannel(_ id: Int32) -> Bool {
        (0..<64).contains(id) || id == AV_CHAN_UNUSED.rawValue || id == AV_CHAN_UNKNOWN.rawValue
            || (AV_CHAN_AMBISONIC_BASE.rawValue...AV_CHAN_AMBISONIC_END.rawValue).contains(id)
    }
}
