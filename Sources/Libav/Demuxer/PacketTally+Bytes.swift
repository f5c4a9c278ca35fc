// A tally as bytes, between the processes of one writer.
extension PacketTally {
    package func encode(into writer: inout FieldWriter) {
        for count in [packets, bytes, largest] { writer.put(count) }
        for time in [first, last, end] {
            writer.put(time != nil)
            if let time { writer.put(time.bitPattern) }
        }
        for flag in [knowsTimes, isInOrder] { writer.put(flag) }
        for time in [longest, lastDuration] { writer.put(time.bitPattern) }
    }

    package init(decoding reader: inout FieldReader) throws(PacketLogError) {
        packets = try reader.integer("the number of packets", in: 0...Int64.max)
        bytes = try reader.integer("the bytes of packets", in: 0...Int64.max)
        largest = try reader.integer("the bytes of a packet", in: 0...Int64.max)
        first = try Self.optionalTime(&reader)
        last = try Self.optionalTime(&reader)
        end = try Self.optionalTime(&reader)
        knowsTimes = try reader.flag("whether packets have times")
        isInOrder = try reader.flag("whether packets are in order")
        longest = try Self.time(&reader)
        lastDuration = try Self.time(&reader)
    }

    private static func optionalTime(_ reader: inout FieldReader) throws(PacketLogError) -> Double? {
        try reader.flag("whether there is a time") ? try time(&reader) : nil
    }

    private static func time(_ reader: inout FieldReader) throws(PacketLogError) -> Double {
        let time = Double(bitPattern: try reader.integer("a time"))
        guard time.isFinite else { throw .malformed("a time is \(time), which is none") }
        return time
    }
}
