import Libav

/// A stream's chunks as NumPy arrays: the type and the shape that hold the same bytes.
public struct ArrayLayout: Sendable, Equatable {
    /// NumPy's type string, "<f4".
    public let dtype: String
    /// The shapes of one frame that are taken; a chunk's array has one dimension more in front.
    public let frameShapes: [[Int]]

    public init(_ config: StreamConfig, frameBytes: Int) {
        switch config {
        case .audio(let audio):
            dtype = Self.dtype(audio.format)
            frameShapes = audio.numChannels == 1 ? [[1], []] : [[audio.numChannels]]
        case .video(let video):
            let format = ImageInput.storedFormat(video.format)
            let bytes = format?.componentBytes ?? 1
            dtype = Self.dtype(bytes: bytes, format)
            frameShapes = Self.shapes(
                values: frameBytes / bytes, width: video.width, height: video.height,
                isPlanar: video.layout == .nchw || format?.isPlanar == true)
        }
    }

    public static func dtype(_ format: SampleFormat) -> String {
        switch format {
        case .u8: "|u1"
        case .s16: "<i2"
        case .s32: "<i4"
        case .s64: "<i8"
        case .flt: "<f4"
        case .dbl: "<f8"
        }
    }

    /// Of a component of a pixel format; nil where there is none of the name.
    public static func bits(of format: String) -> Int? { ImageInput.storedFormat(format).map(\.depths.upperBound) }

    private static func dtype(bytes: Int, _ format: PixelFormat?) -> String {
        if bytes == 1 { return "|u1" }
        return (format?.isBigEndian == true ? ">" : "<") + (format?.isFloat == true ? "f" : "u") + String(bytes)
    }

    private static func shapes(values: Int, width: Int, height: Int, isPlanar: Bool) -> [[Int]] {
        var shapes: [[Int]] = []
        if values % (width * height) == 0 {
            let channels = values / (width * height)
            if isPlanar || channels == 1 { shapes.append([channels, height, width]) }
            if !isPlanar || channels == 1 { shapes.append([height, width, channels]) }
            if channels == 1 { shapes.append([height, width]) }
        } else if values % width == 0 {
            // Subsampled planes below each other, as OpenCV has them.
            shapes.append([values / width, width])
        }
        shapes.append([values])
        return shapes
    }
}
