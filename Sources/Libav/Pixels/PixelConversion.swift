internal import CLibav
internal import CPixels
import Bytewise

/// A conversion that libav's scaler makes and CPixels may: pictures of 8-bit RGB or gray become YUV of the same size.
struct PixelConversion {
    let shape: VideoShape
    let target: PixelFormat
    private let source: cpixels_source
    private let layout: cpixels_target
    /// Further arguments of the scaler.
    private let colors: [String]
    private let isFullRange: Bool
    private let matrix: AVColorSpace

    /// Nil where the filters do anything else.
    init?(of input: MediaFormat, through stages: [FilterGraph.Stage]) {
        guard case .video(let shape) = input, stages.count == 2, let source = Self.sources[shape.format.name] else { return nil }
        // Size and flags come first; the filters are compared as a whole below.
        let colors = stages[0].arguments.parts(at: ":").dropFirst(3)
        guard let name = stages[1].arguments.parts(at: "=").last, let target = PixelFormat(name: name), let layout = Self.targets[name]
        else { return nil }
        self.shape = shape
        self.target = target
        self.source = source
        self.layout = layout
        self.colors = Array(colors)
        var range: String?
        var matrix = AVCOL_SPC_SMPTE170M
        for color in colors {
            let parts = color.parts(at: "=")
            guard parts.count == 2 else { return nil }
            switch (parts[0], parts[1]) {
            case ("out_range", let name): range = name
            case ("out_color_matrix", let name):
                guard let known = Self.matrices[name] else { return nil }
                matrix = known
            default: return nil
            }
        }
        guard let range, ["tv", "pc"].contains(range) else { return nil }
        isFullRange = range == "pc"
        self.matrix = matrix
        guard stages == self.stages(width: shape.width, height: shape.height) else { return nil }
    }

    /// The filters for pictures of another size.
    func stages(width: Int, height: Int) -> [FilterGraph.Stage] {
        [.size(width: width, height: height, colors: colors), .pixelFormat(target)]
    }

    /// libswscale writes half of the chroma, which is gray, and leaves what was in memory in the other half: whatever it
    /// makes, it is not to be had.
    var isMadeWrong: Bool { source.pixel_bytes == 0 && isFullRange && layout.is_interleaved }

    /// The ways in which libswscale may round, the likelier ones first.
    var rules: [cpixels_rule] {
        if source.pixel_bytes == 0 && isFullRange { return [cpixels_rule_copy] }
        let ofSums = layout.is_interleaved ? [cpixels_rule_exact, cpixels_rule_high_halves] : [cpixels_rule_high_halves, cpixels_rule_exact]
        return ofSums + [cpixels_rule_average, cpixels_rule_mean, cpixels_rule_first_pixel]
    }

    func plan(width: Int, height: Int, rule: cpixels_rule, _ instructions: cpixels_instructions = cpixels_best()) -> cpixels_plan {
        let coefficients = sws_getCoefficients(Int32(matrix.rawValue))!
        return cpixels_plan(
            source: source, target: layout, width: Int32(width), height: Int32(height), is_full_range: isFullRange,
            matrix: (coefficients[0], coefficients[1], coefficients[2], coefficients[3]), rule: rule, instructions: instructions)
    }

    // By libav's names. // ASCII
    private static let sources: [String: cpixels_source] = [
        "rgb24": packed(3, red: 0, 1, 2), "bgr24": packed(3, red: 2, 1, 0), "gbrp": packed(1, red: 2, 0, 1),
        "rgba": packed(4, red: 0, 1, 2), "rgb0": packed(4, red: 0, 1, 2), "bgra": packed(4, red: 2, 1, 0), "bgr0": packed(4, red: 2, 1, 0),
        "argb": packed(4, red: 1, 2, 3), "0rgb": packed(4, red: 1, 2, 3), "abgr": packed(4, red: 3, 2, 1), "0bgr": packed(4, red: 3, 2, 1),
        "gray": packed(0, red: 0, 0, 0),
    ]

    private static func packed(_ bytes: Int32, red: Int32, _ green: Int32, _ blue: Int32) -> cpixels_source {
        cpixels_source(pixel_bytes: bytes, red: red, green: green, blue: blue)
    }

    private static let targets: [String: cpixels_target] = [
        "yuv420p": planar(1, 1), "yuvj420p": planar(1, 1), "yuv422p": planar(1, 0), "yuvj422p": planar(1, 0),
        "yuv444p": planar(0, 0), "yuvj444p": planar(0, 0),
        "nv12": cpixels_target(chroma_shift_x: 1, chroma_shift_y: 1, is_interleaved: true),
    ]

    private static func planar(_ x: Int32, _ y: Int32) -> cpixels_target {
        cpixels_target(chroma_shift_x: x, chroma_shift_y: y, is_interleaved: false)
    }

    /// By the scaler's names.
    private static let matrices: [String: AVColorSpace] = [
        "bt601": AVCOL_SPC_SMPTE170M, "smpte170m": AVCOL_SPC_SMPTE170M, "bt470": AVCOL_SPC_BT470BG, "bt709": AVCOL_SPC_BT709,
        "fcc": AVCOL_SPC_FCC, "smpte240m": AVCOL_SPC_SMPTE240M, "bt2020": AVCOL_SPC_BT2020_NCL,
    ]
}
