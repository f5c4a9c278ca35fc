import Bytewise
import Libav

/// How the bytes of a picture in a chunk go to the planes of a frame.
struct ImageInput {
    /// The format the client named.
    let format: PixelFormat
    /// The format of the frames that are filled: planar where the body is.
    let filledFormat: PixelFormat
    /// The format in which they are handed on.
    private(set) var frameFormat: PixelFormat
    /// For each plane of the body, the frame's plane it is; nil is a plane that is not kept.
    let order: [Int?]
    /// Handed on as whole numbers where these will do.
    var isQuantizable: Bool { filledFormat.hasPlanesOfFloats }

    init(format name: String, layout: PixelLayout) throws(StreamWriterError) {
        // Not every libav has the packed formats.
        if let floats = Self.floats[name], layout == .nchw || PixelFormat(name: name) == nil {
            guard layout == .nchw else { throw Self.planesOnly(name) }
            filledFormat = PixelFormat(name: floats.format)!
            frameFormat = filledFormat
            format = filledFormat
            order = floats.order
            return
        }
        guard let format = PixelFormat(name: name), !format.isHardware, !format.hasPalette else {
            throw StreamWriterError(
                .unsupportedValue, "\(name.shortened()) is not a pixel format that can be uploaded",
                parameter: "format", supported: PixelFormat.layoutNames, suggestion: NameSuggestions.pixelFormat(like: name))
        }
        self.format = format
        if layout == .nchw, let planar = Self.planar[format.name] {
            filledFormat = PixelFormat(name: planar.format)!
            frameFormat = filledFormat
            order = planar.order
            return
        }
        filledFormat = format
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

    /// Tensors of floats from 0 to 1, by the names of libav's packed formats: the planes of its planar ones.
    private static let floats: [String: (format: String, order: [Int?])] = {
        var table: [String: (String, [Int?])] = [:]
        for (ending, endian) in [("", "le"), ("le", "le"), ("be", "be")] {
            table["rgbf32\(ending)"] = ("gbrpf32\(endian)", planes(of: "rgb"))
            table["rgbaf32\(ending)"] = ("gbrapf32\(endian)", planes(of: "rgba"))
        }
        return table
    }()

    /// The planar format of floats that a stream's format and layout name, or the format itself.
    static func storedFormat(_ name: String) -> PixelFormat? { PixelFormat(name: floats[name]?.format ?? name) }

    /// Floats are handed on as whole numbers where the encoder takes these alone: libav's scaler rounds them worse, takes
    /// those beyond 0 to 1 for others, and grays for the limited range. With as many bits as `target` has use for.
    mutating func quantize(for target: PixelFormat) {
        if target.isFloat { return }
        let name = filledFormat.colorModel == .gray ? "gray" : filledFormat.hasAlpha ? "gbrap" : "gbrp"
        frameFormat = PixelFormat(name: target.depths.upperBound > 8 ? name + "16le" : name)!
    }

    private static func planesOnly(_ name: String) -> StreamWriterError {
        StreamWriterError(
            .unsupportedValue,
            "\(name) is taken in the layout nchw (frame, channel, height, width), as tensors are: numpy.ascontiguousarray(array.transpose(0, 3, 1, 2)) makes it of (frame, height, width, channel)",
            parameter: "layout", supported: [PixelLayout.nchw.rawValue])
    }

    /// The planes of gbrp are G, B, R; a fourth is alpha.
    private static func planes(of channels: String) -> [Int?] {
        let plane: [Character: Int?] = ["g": 0, "b": 1, "r": 2, "a": 3, "0": nil]
        return channels.map { plane[$0]! }
    }

    /// Interleaved RGB whose tensor order is planar: no transpose, only other planes.
    private static let planar: [String: (format: String, order: [Int?])] = {
        var table: [String: (String, [Int?])] = [:]
        func add(_ names: [String], _ format: String, _ channels: String) {
            for name in names { table[name] = (format, planes(of: channels)) }
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
