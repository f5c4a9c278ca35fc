internal import CLibav

extension Packet {
    /// Another packet of the same bytes, whose times and stream are its own.
    package func reference() throws(LibavError) -> Packet {
        let copy = try Packet()
        try check(av_packet_ref(copy.pointer, pointer), "sharing a packet")
        return copy
    }
}
