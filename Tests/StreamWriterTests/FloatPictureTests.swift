import Foundation
import StreamWriter
import Testing

/// Tensors of floats, against arithmetic on what was sent.
@Suite struct FloatPictureTests {
    private static let (width, height) = (32, 16)

    /// Of the three channels one after the other: values from -0.2 to 1.2, and some that are no numbers.
    private static let values: [Float] = (0..<3 * width * height).map { index in
        switch index % 97 {
        case 5: .nan
        case 6: .infinity
        case 7: -.infinity
        case 8: 1e30
        default: Float((index * 7_919) % 1_401) / 1_000 - 0.2
        }
    }

    private static func bounded(_ value: Float) -> Double { value > 0 ? Double(min(value, 1)) : 0 }

    private static func pixel(_ index: Int) -> (red: Double, green: Double, blue: Double) {
        let plane = width * height
        return (bounded(values[index]), bounded(values[plane + index]), bounded(values[2 * plane + index]))
    }

    private func written(_ format: String, as encoderFormat: String, bigEndian: Bool = false) throws -> [UInt8] {
        let folder = TemporaryFolder()
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: Self.width, height: Self.height, format: format, layout: .nchw, encoder: "rawvideo", encoderFormat: encoderFormat)
        let bits = Self.values.map { bigEndian ? $0.bitPattern.bigEndian : $0.bitPattern.littleEndian }
        try encode(.video(config), bits.withUnsafeBytes { Data($0) }, to: folder.destination("a.raw"), format: "rawvideo")
        return [UInt8](try folder.bytes("a.raw"))
    }

    @Test(arguments: [("rgbf32", false), ("rgbf32le", false), ("rgbf32be", true)])
    func floatsFromZeroToOneBecomeTheirRoundedBytes(format: String, bigEndian: Bool) throws {
        let bytes = try written(format, as: "rgb24", bigEndian: bigEndian)
        try #require(bytes.count == 3 * Self.width * Self.height)
        let differences = (0..<Self.width * Self.height).flatMap { index in
            let pixel = Self.pixel(index)
            return zip([pixel.red, pixel.green, pixel.blue], bytes[(3 * index)...]).map { abs(($0 * 255).rounded() - Double($1)) }
        }
        #expect(differences.max()! <= 1, "\(differences.max()!)")
    }

    /// ITU-R BT.601, in the limited range that the stream is tagged with.
    @Test func floatsBecomeTheYUVOfTheirColors() throws {
        let bytes = try written("rgbf32", as: "yuv444p")
        let plane = Self.width * Self.height
        try #require(bytes.count == 3 * plane)
        var worst = 0.0
        for index in 0..<plane {
            let (red, green, blue) = Self.pixel(index)
            let luma = 0.299 * red + 0.587 * green + 0.114 * blue
            let expected = [16 + 219 * luma, 128 + 224 * (blue - luma) / 1.772, 128 + 224 * (red - luma) / 1.402]
            for (component, value) in expected.enumerated() { worst = max(worst, abs(value - Double(bytes[component * plane + index]))) }
        }
        #expect(worst <= 2, "\(worst)")
    }

    @Test func arraysOfFloatsAreOfTheTensorsShape() {
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 4, height: 2, format: "rgbf32", layout: .nchw)
        let layout = ArrayLayout(.video(config), frameBytes: 4 * 2 * 3 * 4)
        #expect(layout.dtype == "<f4" && layout.frameShapes.contains([3, 2, 4]))
    }

    // MARK: Gray

    private static let shades: [Float] = (0..<256).map { Float($0) / 255 }

    /// 16 rows of all shades, from black to white.
    private func shades(
        _ format: String, _ encoder: String, _ name: String, _ encoderFormat: String? = nil, layout: PixelLayout = .packed, filter: String? = nil, decodedAs decoded: String
    ) throws -> [UInt8] {
        let folder = TemporaryFolder()
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 256, height: 16, format: format, layout: layout, encoder: encoder,
            encoderOption: encoder == "libx264" ? ["qp": "0"] : encoder == "mjpeg" ? ["qmin": "1", "qmax": "1"] : [:], encoderFormat: encoderFormat, filterDesc: filter)
        let bits = Self.shades.map { format.hasSuffix("be") ? $0.bitPattern.bigEndian : $0.bitPattern.littleEndian }
        let row = bits.withUnsafeBytes { Data($0) }
        try encode(.video(config), Data((0..<16).flatMap { _ in row }), to: folder.destination(name))
        return [UInt8](try decodeVideo(folder.path(name), format: decoded))
    }

    private static func words(_ bytes: [UInt8]) -> [Int] { stride(from: 0, to: 512, by: 2).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 } }

    /// They were stretched as if they were of the limited range.
    @Test(arguments: ["grayf32le", "grayf32be"], [PixelLayout.packed, .nchw]) func grayFloatsFromZeroToOneAreOfTheFullRange(format: String, layout: PixelLayout) throws {
        for (encoder, name) in [("png", "a.mov"), ("ffv1", "a.mkv")] {
            let found = Self.words(try shades(format, encoder, name, layout: layout, decodedAs: "gray16le"))
            #expect(found == (0..<256).map { $0 * 257 }, "\(encoder)")
        }
        #expect(try shades(format, "png", "a.mov", "gray", layout: layout, decodedAs: "gray").prefix(256) == (0..<256).map { UInt8($0) }[...])
        for encoderFormat in [nil, "yuv444p"] {
            let luma = try shades(format, "libx264", "a.mkv", encoderFormat, layout: layout, decodedAs: "yuv444p").prefix(256)
            for (shade, value) in luma.enumerated() { #expect(abs(Double(value) - (16 + 219 * Double(shade) / 255)) <= 1) }
        }
        let jpeg = try shades(format, "mjpeg", "a.mov", layout: layout, decodedAs: "yuvj444p").prefix(256)
        for (shade, value) in jpeg.enumerated() { #expect(abs(Int(value) - shade) <= 2) }
    }

    /// Scaled to the size that they have, they are lost but for a quarter by FFmpeg 7.1, also in its own program.
    @Test(arguments: ["vflip", "format=gray", "format=gray16le", "format=yuv444p", "drawbox=w=1:h=1:x=999"])
    func grayFloatsStayOfTheFullRangeInFilters(filter: String) throws {
        let luma = try shades("grayf32le", "libx264", "a.mkv", "yuv444p", filter: filter, decodedAs: "yuv444p").prefix(256)
        for (shade, value) in luma.enumerated() { #expect(abs(Double(value) - (16 + 219 * Double(shade) / 255)) <= 1.5, "\(shade): \(value)") }
    }

    @Test func planesOfFloatsAreRoundedAsTensorsAre() throws {
        let folder = TemporaryFolder()
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: Self.width, height: Self.height, format: "gbrpf32le", encoder: "png")
        try encode(.video(config), Self.values.withUnsafeBytes { Data($0) }, to: folder.destination("a.mov"))
        let bytes = [UInt8](try decodeVideo(folder.path("a.mov"), format: "gbrp16le"))
        try #require(bytes.count == 2 * Self.values.count)
        for (index, value) in Self.values.enumerated() {
            #expect(abs(Double(Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8) - Self.bounded(value) * 65_535) <= 0.51, "\(value)")
        }
    }
}
