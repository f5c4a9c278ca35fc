internal import CLibav

/// The type of an option, and how libav stores its default.
enum OptionType {
    case flags, int, int64, uint, uint64, boolean, duration, pixelFormat, sampleFormat, layoutMask
    case double, float, rational
    case string, dictionary, binary, imageSize, videoRate, color, channelLayout
    case constant, unknown

    init(_ option: UnsafePointer<AVOption>) {
        self = switch AVOptionType(clibav_option_type(option)) {
        case AV_OPT_TYPE_FLAGS: .flags
        case AV_OPT_TYPE_INT: .int
        case AV_OPT_TYPE_INT64: .int64
        case AV_OPT_TYPE_UINT64: .uint64
        case AV_OPT_TYPE_BOOL: .boolean
        case AV_OPT_TYPE_DURATION: .duration
        case AV_OPT_TYPE_PIXEL_FMT: .pixelFormat
        case AV_OPT_TYPE_SAMPLE_FMT: .sampleFormat
        case AV_OPT_TYPE_DOUBLE: .double
        case AV_OPT_TYPE_FLOAT: .float
        case AV_OPT_TYPE_RATIONAL: .rational
        case AV_OPT_TYPE_STRING: .string
        case AV_OPT_TYPE_DICT: .dictionary
        case AV_OPT_TYPE_BINARY: .binary
        case AV_OPT_TYPE_IMAGE_SIZE: .imageSize
        case AV_OPT_TYPE_VIDEO_RATE: .videoRate
        case AV_OPT_TYPE_COLOR: .color
        case AV_OPT_TYPE_CHLAYOUT: .channelLayout
        case AV_OPT_TYPE_CONST: .constant
        case AVOptionType(clibav_option_type_uint): .uint
        case AVOptionType(clibav_option_type_mask): .layoutMask
        default: .unknown
        }
    }

    /// Which member of the default's union is set.
    enum Storage { case integer, real, text }

    var storage: Storage {
        switch self {
        case .flags, .int, .int64, .uint, .uint64, .boolean, .duration, .pixelFormat, .sampleFormat,
            .layoutMask, .constant:
            .integer
        case .double, .float, .rational: .real
        case .string, .dictionary, .binary, .imageSize, .videoRate, .color, .channelLayout, .unknown: .text
        }
    }

    /// FFmpeg's name for it.
    var name: String {
        switch self {
        case .flags: "flags"
        case .int: "int"
        case .int64: "int64"
        case .uint: "unsigned"
        case .uint64: "uint64"
        case .boolean: "boolean"
        case .duration: "duration"
        case .pixelFormat: "pix_fmt"
        case .sampleFormat: "sample_fmt"
        case .double: "double"
        case .float: "float"
        case .rational: "rational"
        case .string: "string"
        case .dictionary: "dictionary"
        case .binary: "binary"
        case .imageSize: "image_size"
        case .videoRate: "video_rate"
        case .color: "color"
        case .channelLayout, .layoutMask: "channel_layout"
        case .constant: "const"
        case .unknown: "unknown"
        }
    }

    /// The values the type itself can hold. Nil where FFmpeg shows no range.
    var range: ClosedRange<Double>? {
        switch self {
        case .int, .rational: Double(Int32.min)...Double(Int32.max)
        case .int64: Double(Int64.min)...Double(Int64.max)
        case .uint: 0...Double(UInt32.max)
        case .uint64: 0...Double(UInt64.max)
        case .float: -Double(Float.greatestFiniteMagnitude)...Double(Float.greatestFiniteMagnitude)
        case .double: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        default: nil
        }
    }
}
