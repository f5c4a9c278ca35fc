import Libav
import Testing

/// Which conversions are made without libav's scaler.
@Suite struct PictureConverterTests {
    private func shape(_ format: String, _ width: Int = 1920, _ height: Int = 1080) -> MediaFormat {
        .video(VideoShape(format: PixelFormat(name: format)!, width: width, height: height, frameRate: Fraction(30, 1)))
    }

    private func stages(
        _ target: String, _ width: Int = 1920, _ height: Int = 1080, _ colors: [String] = ["out_color_matrix=smpte170m", "out_range=tv"]
    ) -> [FilterGraph.Stage] {
        [.size(width: width, height: height, colors: colors), .pixelFormat(PixelFormat(name: target)!)]
    }

    #if arch(x86_64)
        @Test(arguments: ["rgb24", "bgr24", "gbrp", "rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "0rgb", "0bgr", "gray"], ["yuv420p", "yuv422p", "yuv444p", "nv12"])
        func commonOnesAre(source: String, target: String) {
            for matrix in ["bt709", "smpte170m"] {
                for range in ["tv", "pc"] where !(source == "gray" && target == "nv12" && range == "pc") {
                    let colors = (source == "gray" ? [] : ["out_color_matrix=\(matrix)"]) + ["out_range=\(range)"]
                    for (width, height) in [(1920, 1080), (641, 361), (16, 16), (2, 2)] {
                        let converter = PictureConverter(insteadOf: stages(target, width, height, colors), for: shape(source, width, height))
                        #expect(converter != nil, "\(source) to \(target), \(width)x\(height), \(colors)")
                    }
                }
            }
        }
    #endif

    @Test func othersAreNot() {
        #expect(PictureConverter(insteadOf: stages("yuv420p", 1280, 720), for: shape("rgb24")) == nil)
        #expect(PictureConverter(insteadOf: stages("yuv420p"), for: shape("rgb48le")) == nil)
        #expect(PictureConverter(insteadOf: stages("yuv420p10le"), for: shape("rgb24")) == nil)
        #expect(PictureConverter(insteadOf: stages("yuv420p"), for: shape("yuv444p")) == nil)
        #expect(PictureConverter(insteadOf: stages("yuv420p", 1920, 1080, ["out_range=tv", "in_range=tv"]), for: shape("rgb24")) == nil)
        #expect(PictureConverter(insteadOf: [.frameRate(Fraction(25, 1))] + stages("yuv420p"), for: shape("rgb24")) == nil)
        let scale = FilterGraph.Stage("scale", "w=1920:h=1080:flags=lanczos:out_range=tv")
        #expect(PictureConverter(insteadOf: [scale, .pixelFormat(PixelFormat(name: "yuv420p")!)], for: shape("rgb24")) == nil)
    }

    /// There libswscale leaves half of the chroma as it was.
    @Test func whatTheScalerMakesWrongIsNotLeftToIt() {
        #expect(PictureConverter(insteadOf: stages("nv12", 1920, 1080, ["out_range=pc"]), for: shape("gray")) != nil)
    }
}
