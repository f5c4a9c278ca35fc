internal import CLibav

/// What libav says of a stream or a packet beside its bytes.
struct SideData: Equatable {
    let type: UInt32
    let bytes: [UInt8]

    /// libav reads structures from some without a look at how long they are: `reason` says that so many bytes are no
    /// such thing, or that the type is none that bytes can tell.
    static func refusal(type: UInt32, bytes: Int) -> String? {
        guard type < AV_PKT_DATA_NB.rawValue else { return "\(type) is no type of side data" }
        let least = clibav_least_side_data(AVPacketSideDataType(type))
        guard least >= 0 else { return "side data of type \(type) can't be told by bytes" }
        return bytes < Int(least) ? "side data of type \(type) has \(bytes) bytes; it has at least \(least)" : nil
    }
}
