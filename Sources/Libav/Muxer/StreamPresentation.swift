internal import CLibav

/// What a container says about a stream beside its codec.
package struct StreamPresentation: Sendable, Equatable {
    package var metadata: [String: String]
    /// Names of `dispositionNames`.
    package var disposition: [String] = []
    /// Degrees to turn the picture counterclockwise before it is shown.
    package var rotation = 0

    package var mastering: MasteringMetadata?

    package init(metadata: [String: String]) { self.metadata = metadata }

    /// libav's names: "default", "forced", "attached_pic", …
    package static let dispositionNames: [String] = (0..<31).compactMap { bit in
        av_disposition_to_string(1 << bit).map { String(cString: $0) }
    }

    func apply(to stream: UnsafeMutablePointer<AVStream>) throws(LibavError) {
        for name in disposition { stream.pointee.disposition |= max(0, av_disposition_from_string(name)) }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            av_dict_set(&stream.pointee.metadata, key, value, 0)
        }
        try mastering?.apply(to: stream)
        guard rotation != 0 else { return }
        let cells = 9
        let bytes = try allocated(
            clibav_new_stream_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, cells * MemoryLayout<Int32>.size),
            "adding a display matrix")
        // libav turns clockwise here, and counts counterclockwise wherever it shows the angle.
        bytes.withMemoryRebound(to: Int32.self, capacity: cells) { av_display_rotation_set($0, Double(-rotation)) }
    }
}
