import Foundation
import StreamWriter
import Testing

/// Colors are what was sent, read by the marks in the file.
@Suite struct ColorTests {
    let folder = TemporaryFolder()
    static let sent: [UInt8] = [74, 203, 221]

    private func encoded(_ name: String, _ encoder: String, _ color: ColorConfig = .init(), filter: String? = nil, size: Int? = nil) throws -> (pixel: [UInt8], stream: Probe.Fields) {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 64, encoder: encoder, encoderWidth: size, encoderHeight: size, filterDesc: filter, color: color)
        let data = Data((0..<(64 * 64 * 2)).flatMap { _ in Self.sent })
        try encode(.video(config), data, to: folder.destination(name))
        return ([UInt8](try decodeVideo(folder.path(name), format: "rgb24").prefix(3)), try Probe(folder.path(name)).streams[0])
    }

    private static func isNear(_ pixel: [UInt8], within most: Int = 2) -> Bool {
        zip(pixel, sent).allSatisfy { abs(Int($0) - Int($1)) <= most }
    }

    @Test(arguments: ["bt709", "smpte170m", "bt470bg", "bt2020nc", "smpte240m", "fcc", nil], ["tv", "pc", nil])
    func rgbIsConvertedAsItIsTagged(space: String?, range: String?) throws {
        for (name, encoder) in [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.mov", "prores_ks")] where encoder == "libx264" || range != "pc" {
            let (pixel, stream) = try encoded(name, encoder, ColorConfig(range: range, space: space))
            // The scaler rounds this matrix twice.
            #expect(Self.isNear(pixel, within: space == "smpte240m" ? 3 : 2), "\(encoder) \(pixel)")
            if encoder == "libx264" {
                #expect(stream["color_space"] == space ?? "smpte170m")
                #expect(stream["color_range"] == range ?? "tv")
            }
        }
    }

    @Test(arguments: [
        ("scale=out_color_matrix=bt709", nil, "bt709"), ("scale=out_color_matrix=bt709:out_range=pc,format=yuv420p", nil, "bt709"), ("zscale=matrix=709:range=limited", nil, "bt709"),
        ("scale=32:32", "bt709", "bt709"), ("hue=h=0", nil, "smpte170m"), ("hue=h=0", "bt709", "bt709"), ("format=yuv444p", nil, "smpte170m"), ("format=yuv444p", "bt709", "bt709"),
        ("scale=32:32:out_color_matrix=bt2020", nil, "bt2020nc"),
    ])
    func whatFiltersConvertIsNotConvertedAgain(filter: String, space: String?, expected: String) throws {
        let (pixel, stream) = try encoded("a.mp4", "libx264", ColorConfig(space: space), filter: filter)
        #expect(Self.isNear(pixel), "\(pixel)")
        #expect(stream["color_space"] == expected)
        #expect(stream["color_range"] == (filter.contains("pc") ? "pc" : "tv"))
    }

    /// Dirac's pictures are taken for BT.709 whatever is said of them.
    @Test func rgbIsConvertedAsReadersOfTheCodecTakeIt() throws {
        #expect(Self.isNear(try encoded("a.mkv", "vc2").pixel))
    }

    @Test func anotherSizeKeepsTheColors() throws {
        for space in ["bt709", nil] {
            let (pixel, stream) = try encoded("a.mp4", "libx264", ColorConfig(space: space), size: 32)
            #expect(Self.isNear(pixel), "\(pixel)")
            #expect(stream["color_space"] == space ?? "smpte170m")
        }
    }

    @Test(arguments: ["libx264rgb", "ffv1", "libvpx-vp9", "png"]) func rgbIsNotMarkedAsYUV(encoder: String) throws {
        let (pixel, stream) = try encoded("a.mkv", encoder, ColorConfig(space: "bt709"))
        #expect(Self.isNear(pixel))
        #expect(stream["color_space"] != "bt709")
        #expect(stream["color_range"] == "pc")
    }

    @Test func yuvBecomesRGBAsItIsTagged() throws {
        // rgb 74,203,221 in BT.709 and the limited range, by the standard's equations.
        let (r, g, b) = (74.0 / 255, 203.0 / 255, 221.0 / 255)
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
        let yuv = [16 + 219 * luma, 128 + 224 * (b - luma) / 1.8556, 128 + 224 * (r - luma) / 1.5748].map { UInt8($0.rounded()) }
        let data = Data(yuv.flatMap { [UInt8](repeating: $0, count: 64 * 64) })
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 64, format: "yuv444p", encoder: "png", color: ColorConfig(range: "tv", space: "bt709"))
        try encode(.video(config), data, to: folder.destination("a.mov"))
        #expect(Self.isNear([UInt8](try decodeVideo(folder.path("a.mov"), format: "rgb24").prefix(3))))
    }

    @Test func matrixThatCannotBeConvertedWithIsRefused() throws {
        let error = try #require(throws: StreamWriterError.self) { try encoded("a.mp4", "libx264", ColorConfig(space: "ycgco")) }
        #expect(error.parameter == "colorspace")
        #expect(error.supported?.contains("bt709") == true)
    }
}
