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
}
