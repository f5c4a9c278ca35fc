internal import CLibav

/// Which channels an audio frame has. Not of a custom order, so nothing to free.
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

    /// By libav's name: "5.1(side)", "quad", "FL+FR+LFE", "ambisonic 3"; nil when it is none, or names an order of
    /// channels of its own.
    package init?(name: String) {
        var layout = AVChannelLayout()
        guard av_channel_layout_from_string(&layout, name) >= 0 else { return nil }
        guard layout.order != AV_CHANNEL_ORDER_CUSTOM, layout.nb_channels > 0 else {
            av_channel_layout_uninit(&layout)
            return nil
        }
        self.layout = layout
    }

    /// The names of libav's layouts with so many channels.
    package static func names(channels: Int) -> [String] {
        var names: [String] = []
        var state: UnsafeMutableRawPointer?
        while let next = av_channel_layout_standard(&state) {
            if Int(next.pointee.nb_channels) == channels { names.append(ChannelLayout(next.pointee).name) }
        }
        return names
    }

    /// Whether libav knows how to make the other's channels of these.
    package func mixes(to other: ChannelLayout) -> Bool {
        if self == other { return true }
        var context: OpaquePointer?
        var (from, to) = (layout, other.layout)
        let rate: Int32 = 48_000
        guard swr_alloc_set_opts2(
            &context, &to, AV_SAMPLE_FMT_FLTP, rate, &from, AV_SAMPLE_FMT_FLTP, rate, 0, nil) >= 0
        else { return false }
        defer { swr_free(&context) }
        return swr_init(context) >= 0
    }

    /// The filter that takes channels by their numbers to one of these layouts (to stereo, if it is among them), where
    /// libav knows no other way to any.
    package func panning(to layouts: [ChannelLayout]) -> String? {
        if layouts.contains(where: mixes(to:)) { return nil }
        guard let target = layouts.first(where: { $0.channels == 2 }) ?? layouts.first, target.channels <= channels else { return nil }
        return "pan=\(target.name)" + (0..<target.channels).map { "|c\($0)=c\($0)" }.joined()
    }

    /// Which loudspeaker each channel is for, in an order that all layouts share.
    package var isNative: Bool { layout.order == AV_CHANNEL_ORDER_NATIVE }

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
