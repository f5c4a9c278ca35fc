internal import CLibav

extension FilterGraph {
    /// What goes from one filter to the next, as far as it is known before the first frame.
    package struct Link: Sendable {
        /// The filter it comes out of.
        package let filter: String
        package let form: MediaFormat
    }

    package var links: [Link] {
        Self.links(of: graph).map { Link(filter: Self.name($0.pointee.src), form: form($0)) }
    }

    /// The threads that clients asked for, by filter.
    package var threads: [(filter: String, count: Int)] {
        Self.filters(of: graph).flatMap { filter in
            // The option of all filters, and what a few have of their own.
            let own = ["threads", "n_threads"].compactMap { name -> Int? in
                var value: Int64 = 0
                guard filter.pointee.filter.pointee.priv_class != nil,
                    av_opt_get_int(filter.pointee.priv, name, 0, &value) >= 0
                else { return nil }
                return Int(value)
            }
            return ([Int(filter.pointee.nb_threads)] + own).map { (Self.name(filter), $0) }
        }
    }

    static func checkOptions(of graph: UnsafeMutablePointer<AVFilterGraph>) throws(LibavError) {
        for filter in filters(of: graph) {
            try KnownFaults.check(filter)
            try KnownFaults.checkFormats(before: filter)
        }
    }

    static func checkLinks(of graph: UnsafeMutablePointer<AVFilterGraph>) throws(LibavError) {
        for link in links(of: graph) { try KnownFaults.check(link) }
    }

    private static func filters(
        of graph: UnsafeMutablePointer<AVFilterGraph>
    ) -> [UnsafeMutablePointer<AVFilterContext>] {
        (0..<Int(graph.pointee.nb_filters)).compactMap { graph.pointee.filters[$0] }
    }

    /// By pointer: in memory a link is shorter than its header says, and can't be copied.
    private static func links(
        of graph: UnsafeMutablePointer<AVFilterGraph>
    ) -> [UnsafeMutablePointer<AVFilterLink>] {
        filters(of: graph).flatMap { filter in
            (0..<Int(filter.pointee.nb_outputs)).compactMap { filter.pointee.outputs[$0] }
        }
    }

    private static func name(_ filter: UnsafeMutablePointer<AVFilterContext>) -> String {
        String(cString: filter.pointee.filter.pointee.name)
    }

    private func form(_ link: UnsafeMutablePointer<AVFilterLink>) -> MediaFormat {
        if link.pointee.type == AVMEDIA_TYPE_AUDIO {
            return .audio(
                AudioShape(
                    format: AudioFormat(AVSampleFormat(link.pointee.format)), layout: ChannelLayout(link.pointee.ch_layout),
                    sampleRate: Int(link.pointee.sample_rate)))
        }
        return .video(
            VideoShape(
                format: PixelFormat(AVPixelFormat(link.pointee.format)), width: Int(link.pointee.w),
                height: Int(link.pointee.h), frameRate: Fraction(clibav_link_frame_rate(sink, link))))
    }
}
