internal import CLibav

/// A chain of filters from one source to one sink. One thread at a time.
package final class FilterGraph {
    /// A filter by name and arguments, put after the client's own.
    package struct Stage: Sendable, Equatable {
        let filter: String
        let arguments: String

        package init(_ filter: String, _ arguments: String) {
            self.filter = filter
            self.arguments = arguments
        }

        package static func frameRate(_ rate: Fraction) -> Stage {
            Stage("fps", "fps=\(rate.numerator)/\(rate.denominator)")
        }
        /// `colors` are further arguments of the filter.
        package static func size(width: Int, height: Int, colors: [String] = []) -> Stage {
            Stage("scale", (["w=\(width)", "h=\(height)", "flags=bicubic"] + colors).joined(separator: ":"))
        }
        package static func pixelFormat(_ format: PixelFormat) -> Stage {
            Stage("format", "pix_fmts=\(format.name)")
        }
        package static func audio(_ shape: AudioShape) -> Stage {
            Stage(
                "aformat",
                "sample_fmts=\(shape.format.name):sample_rates=\(shape.sampleRate)"
                    + ":channel_layouts=\(shape.layout.name)")
        }
        /// Puts the channels into another order, and calls them the same.
        package static func order(_ channels: [Int], of layout: ChannelLayout) -> Stage {
            Stage("channelmap", "map=\(channels.map(String.init).joined(separator: "|")):channel_layout=\(layout.name)")
        }
    }

    package enum Output {
        case frame(Frame)
        case needsInput
        case drained
    }

    let graph: UnsafeMutablePointer<AVFilterGraph>
    private let source: UnsafeMutablePointer<AVFilterContext>
    let sink: UnsafeMutablePointer<AVFilterContext>
    /// Where the last frame pushed ends.
    private var end: Int64 = 0
    /// An assertion failed in it: nothing of it may be used again.
    private var isBroken = false

    /// `description` is the client's own chain, parsed by itself so that nothing in it can
    /// change `stages`. `scaling` are arguments of the scalers that libav puts between its filters; `sampleAspectRatio` is
    /// that of the pixels that come in, where it is known.
    package init(
        _ input: MediaFormat, description: String?, stages: [Stage], scaling: String? = nil, sampleAspectRatio: Fraction? = nil
    ) throws(LibavError) {
        let graph = try allocated(avfilter_graph_alloc(), "allocating a filter graph")
        do throws(LibavError) {
            graph.pointee.nb_threads = 1
            if let scaling { graph.pointee.scale_sws_opts = av_strdup(scaling) }
            source = try Self.addSource(graph, input, sampleAspectRatio)
            var first = try Self.addSink(graph, input)
            sink = first
            for (index, stage) in stages.enumerated().reversed() {
                let filter = try Self.add(graph, stage.filter, "stage\(index)", stage.arguments)
                try check(avfilter_link(filter, 0, first, 0), "linking the filter \(stage.filter)")
                first = filter
            }
            if let description {
                try Self.parse(graph, description, from: source, to: first)
            } else {
                try check(avfilter_link(source, 0, first, 0), "linking the filters")
            }
            try Self.checkOptions(of: graph)
            try check(avfilter_graph_config(graph, nil), "configuring the filters")
            try Self.checkLinks(of: graph)
        } catch {
            var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
            avfilter_graph_free(&graph)
            throw error
        }
        self.graph = graph
    }

    deinit {
        if isBroken { return }
        var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
        avfilter_graph_free(&graph)
    }

    /// What comes out, as the encoder's input would be.
    package var output: MediaFormat {
        if av_buffersink_get_type(sink) == AVMEDIA_TYPE_AUDIO {
            var layout = AVChannelLayout()
            av_buffersink_get_ch_layout(sink, &layout)
            return .audio(
                AudioShape(
                    format: AudioFormat(AVSampleFormat(av_buffersink_get_format(sink))),
                    layout: ChannelLayout(layout),
                    sampleRate: Int(av_buffersink_get_sample_rate(sink))))
        }
        return .video(
            VideoShape(
                format: PixelFormat(AVPixelFormat(av_buffersink_get_format(sink))),
                width: Int(av_buffersink_get_w(sink)), height: Int(av_buffersink_get_h(sink)),
                frameRate: Fraction(av_buffersink_get_frame_rate(sink))))
    }

    /// Of the pixels that come out; nil when not known.
    package var sampleAspectRatio: Fraction? {
        let ratio = Fraction(av_buffersink_get_sample_aspect_ratio(sink))
        return ratio.isPositive ? ratio : nil
    }

    /// The time base of frames that come out.
    package var timeBase: Fraction { Fraction(av_buffersink_get_time_base(sink)) }

    /// Makes every audio frame but the last this many samples long.
    package func setFrameSize(_ samples: Int) {
        av_buffersink_set_frame_size(sink, UInt32(samples))
    }

    /// Takes a frame, its pts and duration in the input's time base. One behind the end of what a filter wants
    /// (trim) comes to nothing.
    package func push(_ frame: Frame) throws(LibavError) {
        // The frame may be shared.
        let code = try unbroken(GuardedCall.push(frame.pointer, to: source))
        // FFmpeg 5.1 takes it and drops it.
        if code != clibav_error_eof { try check(code, "filtering") }
        end = (frame.pts ?? 0) + max(1, Int64(frame.sampleCount), frame.duration)
    }

    /// There are no more frames. Filters that change the rate fill up to where the last one ends.
    package func finish() throws(LibavError) {
        let code = try unbroken(GuardedCall.close(source, at: end))
        if code != clibav_error_eof { try check(code, "filtering") }
    }

    package func pull() throws(LibavError) -> Output {
        let frame = try Frame()
        let code = try unbroken(GuardedCall.pull(frame.pointer, from: sink))
        if code == clibav_error_again { return .needsInput }
        if code == clibav_error_eof { return .drained }
        try check(code, "filtering")
        return .frame(frame)
    }

    private func unbroken(_ call: @autoclosure () -> Int32) throws(LibavError) -> Int32 {
        if isBroken { throw .asserted("filtering") }
        let code = call()
        guard code == clibav_error_asserted else { return code }
        isBroken = true
        throw .asserted("filtering")
    }

    // MARK: Building

    private typealias Graph = UnsafeMutablePointer<AVFilterGraph>
    private typealias Filter = UnsafeMutablePointer<AVFilterContext>

    private static func add(
        _ graph: Graph, _ name: String, _ instance: String, _ arguments: String?
    ) throws(LibavError) -> Filter {
        var filter: Filter?
        let code = avfilter_graph_create_filter(
            &filter, avfilter_get_by_name(name), instance, arguments, nil, graph)
        try check(code, "creating the filter \(name)")
        return try allocated(filter, "creating the filter \(name)")
    }

    private static func addSink(_ graph: Graph, _ input: MediaFormat) throws(LibavError) -> Filter {
        switch input {
        case .audio: try add(graph, "abuffersink", "out", nil)
        case .video: try add(graph, "buffersink", "out", nil)
        }
    }

    private static func addSource(_ graph: Graph, _ input: MediaFormat, _ sampleAspectRatio: Fraction?) throws(LibavError) -> Filter {
        let name = switch input {
        case .audio: "abuffer"
        case .video: "buffer"
        }
        let source = try allocated(
            avfilter_graph_alloc_filter(graph, avfilter_get_by_name(name), "in"),
            "creating the filter \(name)")
        let parameters = try allocated(
            av_buffersrc_parameters_alloc(), "creating the filter \(name)")
        defer { av_free(parameters) }
        parameters.pointee.time_base = input.timeBase.rational
        switch input {
        case .audio(let shape):
            parameters.pointee.format = shape.format.id.rawValue
            parameters.pointee.sample_rate = Int32(shape.sampleRate)
            parameters.pointee.ch_layout = shape.layout.layout
        case .video(let shape):
            parameters.pointee.format = shape.format.id.rawValue
            parameters.pointee.width = Int32(shape.width)
            parameters.pointee.height = Int32(shape.height)
            parameters.pointee.frame_rate = shape.frameRate.rational
            parameters.pointee.sample_aspect_ratio = sampleAspectRatio?.rational ?? AVRational(num: 0, den: 1)
            if shape.format.isGrayOfFloats { clibav_set_full_range(parameters) }
        }
        try check(av_buffersrc_parameters_set(source, parameters), "setting up the filter \(name)")
        try check(avfilter_init_str(source, nil), "setting up the filter \(name)")
        return source
    }

    private static func parse(
        _ graph: Graph, _ description: String, from source: Filter, to next: Filter
    ) throws(LibavError) {
        // Named from the description's side: its input is our source, its output the next stage.
        var outputs = avfilter_inout_alloc()
        var inputs = avfilter_inout_alloc()
        defer {
            avfilter_inout_free(&inputs)
            avfilter_inout_free(&outputs)
        }
        guard outputs != nil, inputs != nil else { throw .outOfMemory("parsing the filters") }
        outputs!.pointee.name = av_strdup("in")
        outputs!.pointee.filter_ctx = source
        inputs!.pointee.name = av_strdup("out")
        inputs!.pointee.filter_ctx = next
        let own = graph.pointee.nb_filters
        let expected = try FilterDescription(description).uses.map(\.filter)
        try check(
            avfilter_graph_parse_ptr(graph, description, &inputs, &outputs, nil),
            "parsing the filters")
        let made = (own..<graph.pointee.nb_filters).map {
            String(cString: graph.pointee.filters[Int($0)]!.pointee.filter.pointee.name)
        }
        guard made == expected else {
            // What was judged was not what was made.
            throw LibavError(
                code: clibav_error_invalid, doing: "parsing the filters: libav reads \(made) where \(expected) were read")
        }
        guard inputs == nil, outputs == nil else {
            throw LibavError(
                code: clibav_error_invalid,
                doing: "parsing the filters: they must have one input and one output")
        }
    }
}
