import Bytewise
import Libav

/// How the bytes of a picture in a chunk go to the planes of a frame.
struct ImageInput {
    /// The format the client named.
    let format: PixelFormat
    /// The format of the frames that are filled: planar where the body is.
    let frameFormat: PixelFormat
    /// For each plane of the body, the frame's plane it is; nil is a plane that is not kept.
    let order: [Int?]

    init(format name: String, layout: PixelLayout) throws(StreamWriterError) {
        guard let format = PixelFormat(name: name), !format.isHardware, !format.hasPalette else {
            throw StreamWriterError(
                .unsupportedValue, "\(name.shortened()) is not a pixel format that can be uploaded",
                parameter: "format", supported: PixelFormat.layoutNames, suggestion: NameSuggestions.pixelFormat(like: name))
        }
        self.format = format
        if layout == .nchw, let planar = Self.planar[format.name] {
            frameFormat = PixelFormat(name: planar.format)!
            order = planar.order
            return
        }
        frameFormat = format
        let planes = try Self.planes(format)
        order = planes.indices.map { $0 }
        if layout == .nchw && !Self.isOnePlaneAChannel(format, planes) {
            throw StreamWriterError(
                .unsupportedValue,
                "\(name) has no channels of one size to order as nchw; use the layout packed",
                parameter: "layout", supported: [PixelLayout.packed.rawValue])
        }
    }

    private static func planes(_ format: PixelFormat) throws(StreamWriterError) -> [ImageLayout.Plane] {
        try translating(.unsupportedValue, parameter: "format") { () throws(LibavError) in
            try ImageLayout(format: format, width: 64, height: 64, packing: .tight).planes
        }
    }

    private static func isOnePlaneAChannel(_ format: PixelFormat, _ planes: [ImageLayout.Plane]) -> Bool {
        planes.count == format.componentCount
            && planes.allSatisfy { $0.rowBytes == planes[0].rowBytes && $0.rows == planes[0].rows }
    }

    /// Interleaved RGB whose tensor order is planar: no transpose, only other planes.
    private static let planar: [String: (format: String, order: [Int?])] = {
        // The planes of gbrp are G, B, R; a fourth is alpha.
        let plane: [Character: Int?] = ["g": 0, "b": 1, "r": 2, "a": 3, "0": nil]
        var table: [String: (String, [Int?])] = [:]
        func add(_ names: [String], _ format: String, _ channels: String) {
            for name in names { table[name] = (format, channels.map { plane[$0]! }) }
        }
        for channels in ["rgb", "bgr"] {
            add(["\(channels)24"], "gbrp", channels)
            add(["\(channels)0"], "gbrp", "\(channels)0")
            add(["0\(channels)"], "gbrp", "0\(channels)")
            add(["\(channels)a"], "gbrap", "\(channels)a")
            add(["a\(channels)"], "gbrap", "a\(channels)")
            for endian in ["le", "be"] {
                add(["\(channels)48\(endian)"], "gbrp16\(endian)", channels)
                add(["\(channels)a64\(endian)"], "gbrap16\(endian)", "\(channels)a")
            }
        }
        return table
    }()
}
