import CLibav
import CPixels
import Libav
import Testing

/// CPixels computes what libswscale does, bit for bit.
@Suite struct PixelTests {
    static let sources: [String: cpixels_source] = [
        "rgb24": .init(pixel_bytes: 3, red: 0, green: 1, blue: 2), "bgr24": .init(pixel_bytes: 3, red: 2, green: 1, blue: 0),
        "gbrp": .init(pixel_bytes: 1, red: 2, green: 0, blue: 1), "rgba": .init(pixel_bytes: 4, red: 0, green: 1, blue: 2),
        "bgra": .init(pixel_bytes: 4, red: 2, green: 1, blue: 0), "argb": .init(pixel_bytes: 4, red: 1, green: 2, blue: 3),
        "abgr": .init(pixel_bytes: 4, red: 3, green: 2, blue: 1), "rgb0": .init(pixel_bytes: 4, red: 0, green: 1, blue: 2),
        "bgr0": .init(pixel_bytes: 4, red: 2, green: 1, blue: 0), "0rgb": .init(pixel_bytes: 4, red: 1, green: 2, blue: 3),
        "0bgr": .init(pixel_bytes: 4, red: 3, green: 2, blue: 1), "gray": .init(pixel_bytes: 0, red: 0, green: 0, blue: 0),
    ]
    static let targets: [(name: String, cpixels_target)] = [
        ("yuv420p", .init(chroma_shift_x: 1, chroma_shift_y: 1, is_interleaved: false)),
        ("yuv422p", .init(chroma_shift_x: 1, chroma_shift_y: 0, is_interleaved: false)),
        ("yuv444p", .init(chroma_shift_x: 0, chroma_shift_y: 0, is_interleaved: false)),
        ("nv12", .init(chroma_shift_x: 1, chroma_shift_y: 1, is_interleaved: true)),
        ("yuvj420p", .init(chroma_shift_x: 1, chroma_shift_y: 1, is_interleaved: false)),
        ("yuvj422p", .init(chroma_shift_x: 1, chroma_shift_y: 0, is_interleaved: false)),
        ("yuvj444p", .init(chroma_shift_x: 0, chroma_shift_y: 0, is_interleaved: false)),
    ]
    /// By the scaler's names.
    static let matrices: [(name: String, space: AVColorSpace)] = [
        ("smpte170m", AVCOL_SPC_SMPTE170M), ("bt709", AVCOL_SPC_BT709), ("bt470", AVCOL_SPC_BT470BG), ("fcc", AVCOL_SPC_FCC),
        ("smpte240m", AVCOL_SPC_SMPTE240M), ("bt2020", AVCOL_SPC_BT2020_NCL),
    ]
    static let heights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]

    /// Where libswscale leaves half of the chroma as it was, or has code of its own for another processor.
    private static func isHeldTo(_ source: String, _ target: String, _ range: String) -> Bool {
        #if arch(x86_64)
            !(source == "gray" && target == "nv12" && range == "pc")
        #else
            false
        #endif
    }

    /// How FFmpeg 5.1 and 7.1 round on x86.
    private static func rule(_ source: String, _ target: String, _ range: String, width: Int) -> cpixels_rule {
        if source == "gray" && range == "pc" { return cpixels_rule_copy }
        if source == "bgr24" && target == "yuv420p" && range == "tv" && width % 2 == 0 {
            return Build.ffmpegVersion.hasPrefix("7.") ? cpixels_rule_mean : cpixels_rule_average
        }
        return target == "nv12" ? cpixels_rule_exact : cpixels_rule_high_halves
    }

    private struct Noise {
        var state: UInt64 = 88_172_645_463_325_252
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    private static let instructions = [cpixels_plain, cpixels_ssse3, cpixels_avx2, cpixels_neon].filter { cpixels_has($0) }

    /// Compares noise and pictures of the highest and lowest values only, with all instructions there are.
    private func compare(
        _ source: String, _ target: (name: String, layout: cpixels_target), width: Int, height: Int,
        _ matrix: (name: String, space: AVColorSpace), _ range: String, isExtreme: Bool
    ) throws {
        let place: Comment = "\(source) to \(target.name), \(width)x\(height), \(matrix.name), \(range), extreme: \(isExtreme)"
        let scaling = try #require(
            Scaling(from: source, to: target.name, width: width, height: height, matrix: source == "gray" ? nil : matrix.name, range: range), place)
        let picture = Picture(source, width: width, height: height)
        var noise = Noise(state: UInt64(width * 1000 + height + 1) &* 0x9e37_79b9_7f4a_7c15)
        picture.fill { isExtreme ? UInt8(truncatingIfNeeded: (noise.next() >> 30 & 1) &* 255) : UInt8(truncatingIfNeeded: noise.next() >> 30) }
        let expected = try #require(scaling.scale(picture), place).pixels
        let coefficients = sws_getCoefficients(Int32(matrix.space.rawValue))!
        for instructions in Self.instructions {
            let plan = cpixels_plan(
                source: Self.sources[source]!, target: target.layout, width: Int32(width), height: Int32(height), is_full_range: range == "pc",
                matrix: (coefficients[0], coefficients[1], coefficients[2], coefficients[3]),
                rule: Self.rule(source, target.name, range, width: width), instructions: instructions)
            let kernel = try #require(Kernel(plan), place)
            let own = Picture(target.name, width: width, height: height)
            kernel.convert(picture, into: own)
            #expect(own.pixels == expected, "\(place), instructions \(instructions.rawValue)")
            #expect(kernel.hasKeptToItsMemory, place)
        }
    }

    @Test(arguments: sources.keys.sorted())
    func everyWidthIsAsLibavMakesIt(source: String) throws {
        for (index, target) in Self.targets.enumerated() {
            for range in target.name.hasPrefix("yuvj") ? ["pc"] : ["tv", "pc"] where Self.isHeldTo(source, target.name, range) {
                // They share most of their code: all widths of the first, and some of the others.
                for width in stride(from: 1 + index, through: 300, by: index > 0 ? 7 : range == "tv" ? 1 : 3) {
                    try compare(
                        source, target, width: width, height: Self.heights[(width + index) % Self.heights.count],
                        Self.matrices[(width / 7 + index) % Self.matrices.count], range, isExtreme: width % 3 == 0)
                }
            }
        }
    }

    /// Each row of chroma of an odd height is summed with weights of its own.
    @Test(arguments: ["rgb24", "gbrp", "bgr24", "gray"])
    func everyHeightIsAsLibavMakesIt(source: String) throws {
        for target in Self.targets where target.name == "yuv420p" || target.name == "nv12" {
            for range in ["tv", "pc"] where Self.isHeldTo(source, target.name, range) {
                for height in Array(1...70) + [135, 271] {
                    try compare(source, target, width: 18 + height % 2, height: height, Self.matrices[height % 2], range, isExtreme: height % 3 == 0)
                }
            }
        }
    }

    @Test func nothingIsWrittenBesideRows() throws {
        for target in Self.targets {
            for width in [1, 15, 31, 33, 64, 65] where Self.isHeldTo("rgb24", target.name, "pc") {
                let coefficients = sws_getCoefficients(Int32(AVCOL_SPC_BT709.rawValue))!
                for instructions in Self.instructions {
                    let plan = cpixels_plan(
                        source: Self.sources["rgb24"]!, target: target.1, width: Int32(width), height: 6, is_full_range: true,
                        matrix: (coefficients[0], coefficients[1], coefficients[2], coefficients[3]), rule: cpixels_rule_exact, instructions: instructions)
                    let own = Picture(target.name, width: width, height: 6)
                    own.fill { 0x5a }
                    try #require(Kernel(plan)).convert(Picture("rgb24", width: width, height: 6), into: own)
                    for plane in 0..<3 {
                        guard let start = own.planes[plane] else { continue }
                        #expect((own.rowBytes(plane)..<Int(own.strides[plane])).allSatisfy { start[$0] == 0x5a }, "\(target.name) \(width)")
                    }
                }
            }
        }
    }
}
