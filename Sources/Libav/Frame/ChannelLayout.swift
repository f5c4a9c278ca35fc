internal import CLibav

/// Which channels an audio frame has. Only native and unspecified orders, so nothing to free.
package struct ChannelLayout: @unchecked Sendable, Hashable {
    // Unchecked: the C struct has an `opaque` pointer, which is never set here.
    let layout: AVChannelLayout

    init(_ layout: AVChannelLayout) { self.layout = layout }

    /// libav's default layout for a channel count: mono, stereo, 2.1, …
    package init(channels: Int) {
        var layout = AVChannelLayout()
        av_channel_layout_default(&layout, Int32(channels))
        self.layout = layout
    }

    package var channels: Int { Int(layout.nb_channels) }

    /// libav's name: "stereo", "5.1(side)", "24 channels".
    package var name: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            withUnsafePointer(to: layout) { _ = av_channel_layout_describe($0, buffer.baseAddress, buffer.count) }
            return String(cString: buffer.baseAddress!)
        }
    }

    package static func == (a: ChannelLayout, b: ChannelLayout) -> Bool {
        withUnsafePointer(to: a.layout) { a in
            withUnsafePointer(to: b.layout) { b in av_channel_layout_compare(a, b) == 0 }
        }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(channels) }
}
