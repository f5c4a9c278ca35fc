import CLibav
import CPixels
import Libav

/// A graph of libav's own that changes the format of pictures, and pictures for it, in plain libav.
final class Scaling {
    private var graph: UnsafeMutablePointer<AVFilterGraph>?
    private var source: UnsafeMutablePointer<AVFilterContext>?
    private var sink: UnsafeMutablePointer<AVFilterContext>?
    private var time: Int64 = 0

    init?(from: String, to: String, width: Int, height: Int, matrix: String?, range: String) {
        Log.install()
        graph = avfilter_graph_alloc()
        graph!.pointee.nb_threads = 1
        let colors = (matrix.map { ":out_color_matrix=\($0)" } ?? "") + ":out_range=\(range)"
        let format = av_get_pix_fmt(from).rawValue
        var filters: [UnsafeMutablePointer<AVFilterContext>] = []
        for (name, arguments) in [
            ("buffer", "video_size=\(width)x\(height):pix_fmt=\(format):time_base=1/25"), ("scale", "w=\(width):h=\(height):flags=bicubic" + colors),
            ("format", "pix_fmts=\(to)"), ("buffersink", ""),
        ] {
            var filter: UnsafeMutablePointer<AVFilterContext>?
            guard avfilter_graph_create_filter(&filter, avfilter_get_by_name(name), name, arguments, nil, graph) >= 0 else { return nil }
            if let last = filters.last { guard avfilter_link(last, 0, filter, 0) >= 0 else { return nil } }
            filters.append(filter!)
        }
        guard avfilter_graph_config(graph, nil) >= 0 else { return nil }
        (source, sink) = (filters.first, filters.last)
    }

    deinit { avfilter_graph_free(&graph) }

    func scale(_ picture: Picture) -> Picture? {
        let result = Picture(av_frame_alloc())
        picture.frame.pointee.pts = time
        time += 1
        guard av_buffersrc_add_frame_flags(source, picture.frame, Int32(AV_BUFFERSRC_FLAG_KEEP_REF)) >= 0,
            av_buffersink_get_frame(sink, result.frame) >= 0
        else { return nil }
        return result
    }
}

final class Picture {
    let frame: UnsafeMutablePointer<AVFrame>
    private static let rowsBeyond = 2

    init(_ frame: UnsafeMutablePointer<AVFrame>) { self.frame = frame }

    /// With rows beyond it: where chroma is halved, the pixel after the last of an odd row is read.
    init(_ format: String, width: Int, height: Int) {
        frame = av_frame_alloc()
        frame.pointee.format = av_get_pix_fmt(format).rawValue
        (frame.pointee.width, frame.pointee.height) = (Int32(width), Int32(height + Self.rowsBeyond))
        precondition(av_frame_get_buffer(frame, 64) >= 0)
        frame.pointee.height = Int32(height)
        fill { 0 }
    }

    deinit {
        var frame: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&frame)
    }

    /// All of its buffers, and what lies between rows.
    func fill(_ byte: () -> UInt8) {
        for buffer in [frame.pointee.buf.0, frame.pointee.buf.1, frame.pointee.buf.2] {
            guard let buffer else { continue }
            for index in 0..<buffer.pointee.size { buffer.pointee.data[index] = byte() }
        }
    }

    var planes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?> { array(\.data, of: UnsafeMutablePointer<UInt8>?.self) }
    var strides: UnsafeMutablePointer<Int32> { array(\.linesize, of: Int32.self) }

    /// One of AVFrame's arrays, which are tuples to Swift.
    func array<Array, Element>(_ field: KeyPath<AVFrame, Array>, of _: Element.Type) -> UnsafeMutablePointer<Element> {
        (UnsafeMutableRawPointer(frame) + MemoryLayout<AVFrame>.offset(of: field)!).assumingMemoryBound(to: Element.self)
    }

    func rowBytes(_ plane: Int) -> Int { Int(av_image_get_linesize(AVPixelFormat(frame.pointee.format), frame.pointee.width, Int32(plane))) }

    /// Rows of one plane after the other.
    var pixels: [[UInt8]] {
        let descriptor = av_pix_fmt_desc_get(AVPixelFormat(frame.pointee.format))!.pointee
        return (0..<3).flatMap { plane -> [[UInt8]] in
            guard let start = planes[plane] else { return [] }
            let shift = plane == 0 ? 0 : Int32(descriptor.log2_chroma_h)
            let rows = (frame.pointee.height + (1 << shift) - 1) >> shift
            return (0..<Int(rows)).map { Array(UnsafeBufferPointer(start: start + $0 * Int(strides[plane]), count: rowBytes(plane))) }
        }
    }
}

/// What CPixels makes of pictures; nil where it doesn't.
final class Kernel {
    private let memory: UnsafeMutableRawPointer
    private let converter: OpaquePointer
    /// Bytes after its memory, which are to stay.
    private static let guardBytes = 64

    init?(_ plan: cpixels_plan) {
        var plan = plan
        let bytes = cpixels_bytes(&plan)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + Self.guardBytes, alignment: 64)
        memset(memory, 0xa5, bytes + Self.guardBytes)
        guard let converter = cpixels_prepare(&plan, memory) else {
            memory.deallocate()
            return nil
        }
        (self.memory, self.converter) = (memory, converter)
        end = memory + bytes
    }
    private let end: UnsafeMutableRawPointer

    deinit { memory.deallocate() }

    var hasKeptToItsMemory: Bool { UnsafeRawBufferPointer(start: end, count: Self.guardBytes).allSatisfy { $0 == 0xa5 } }

    func convert(_ source: Picture, into target: Picture) {
        cpixels_convert(converter, source.array(\.data, of: UnsafePointer<UInt8>?.self), source.strides, target.planes, target.strides)
    }
}
