import Bytewise
import Libav

/// How a stream's colors are converted, and what is written down about them.
struct ColorPlan {
    /// Of what the encoder gets.
    private(set) var tags: ColorDescription
    /// Arguments of the scaler that converts.
    private(set) var scaling: [String] = []

    /// What libav's scaler makes of RGB where nothing else is said.
    static let usualMatrix = "smpte170m"

    /// The scaler's names for the matrices it knows.
    static let scalerNames = [
        "bt709": "bt709", "fcc": "fcc", "bt470bg": "bt470", "smpte170m": "smpte170m", "smpte240m": "smpte240m", "bt2020nc": "bt2020",
    ]

    static func matrix(ofScaler name: String) -> String? {
        name == "bt601" ? usualMatrix : scalerNames.first { $0.value == name }?.key
    }

    /// `asked` is what the client wants written down, `known` what is known of `source`. Without `converts` the
    /// numbers stay as they are. RGB that nothing is said of is converted with the matrix `usual`.
    init(
        from source: PixelFormat, _ known: ColorDescription, to target: PixelFormat, asked: ColorDescription, converts: Bool,
        usual: String = ColorPlan.usualMatrix
    ) throws(StreamWriterError) {
        var known = known
        if converts && source.colorModel != .yuv {
            // Of RGB and of gray it tells nothing about YUV.
            known.forget(.matrix)
            known.forget(.range)
        }
        tags = asked.filled(from: known)
        if asked[.matrix]?.isSame(as: "gbr") == true, target.colorModel == .yuv, converts || target.pixelsOfChroma > 1 {
            throw Self.notRGB(target)
        }
        guard converts else {
            // RGB has neither a matrix nor a limited range.
            if target.colorModel == .rgb, asked[.matrix] != nil || asked[.range] != nil { tagAsRGB() }
            if target.isFullRangeYUV { _ = tags.set(.range, to: "pc") }
            return
        }
        if tags[.matrix]?.isSame(as: "gbr") == true { tags.forget(.matrix) }
        let matrix = tags[.matrix]
        if source.colorModel != .gray, source.colorModel != target.colorModel {
            let name = matrix ?? usual
            guard let scaler = Self.scalerNames[name] else { throw Self.unknownMatrix(name) }
            if source.colorModel == .rgb {
                scaling.append("out_color_matrix=\(scaler)")
                if target.colorModel == .yuv { _ = tags.set(.matrix, to: name) }
            } else if matrix != nil {
                scaling += ["in_color_matrix=\(scaler)", "out_color_matrix=\(scaler)"]
            }
        }
        setRange(from: source, to: target)
    }

    private mutating func setRange(from source: PixelFormat, to target: PixelFormat) {
        let said = tags[.range] ?? "tv"
        if source.colorModel == .yuv { scaling.append("in_range=\(source.isFullRangeYUV ? "pc" : said)") }
        if source.isGrayOfFloats { scaling.append("in_range=pc") }
        switch target.colorModel {
        case .rgb: tagAsRGB()
        case .gray: setRange("pc")
        case .yuv: setRange(target.isFullRangeYUV ? "pc" : said)
        }
    }

    private mutating func setRange(_ range: String) {
        scaling.append("out_range=\(range)")
        _ = tags.set(.range, to: range)
    }

    private mutating func tagAsRGB() {
        _ = tags.set(.matrix, to: "gbr")
        _ = tags.set(.range, to: "pc")
    }

    private static func notRGB(_ format: PixelFormat) -> StreamWriterError {
        StreamWriterError(
            .unsupportedValue,
            "colorspace gbr says that pictures are RGB, and the encoder gets \(format.name), which is YUV; an encoder_format such as gbrp keeps RGB, where the encoder takes one",
            parameter: "colorspace", supported: scalerNames.keys.sorted())
    }

    private static func unknownMatrix(_ name: String) -> StreamWriterError {
        StreamWriterError(
            .unsupportedValue, "RGB and YUV can't be converted with the colorspace \(name) here; filter_desc can, with zscale",
            parameter: "colorspace", supported: scalerNames.keys.sorted())
    }
}
