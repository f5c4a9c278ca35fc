import Foundation
import StreamWriter
import Testing

/// What is converted without libav's scaler is what the scaler makes of it, and everything after it as well.
@Suite struct OwnConversionTests {
    let folder = TemporaryFolder()

    private func noise(_ bytes: Int) -> Data {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        return Data((0..<bytes).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        })
    }

    /// A filter that does nothing has pictures go through libav's own.
    private func config(_ format: String, _ encoder: String, _ option: [String: String], _ width: Int, _ height: Int, filter: String?, color: ColorConfig) -> StreamConfig {
        .video(VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: width, height: height, format: format, encoder: encoder, encoderOption: option, filterDesc: filter,
            color: color))
    }

    @Test(arguments: ["rgb24", "bgr24", "rgba", "rgb0", "gray8"], [
        ("a.mp4", "libx264", [:], 322, 182), ("a.mkv", "libx264", ["preset": "ultrafast"], 130, 98), ("a.avi", "mjpeg", [:], 161, 95),
        ("a.mkv", "mpeg4", [:], 129, 97),
    ] as [(String, String, [String: String], Int, Int)])
    func fileIsTheSame(format: String, to: (name: String, encoder: String, option: [String: String], width: Int, height: Int)) throws {
        for color in [ColorConfig(), ColorConfig(range: "pc", space: "bt709")] where to.encoder == "libx264" || color.range == nil {
            let channels = ["rgb24": 3, "bgr24": 3, "rgba": 4, "rgb0": 4, "gray8": 1][format]!
            let data = noise(to.width * to.height * channels * 5)
            try encode(config(format, to.encoder, to.option, to.width, to.height, filter: nil, color: color), data, to: folder.destination("own-" + to.name))
            try encode(config(format, to.encoder, to.option, to.width, to.height, filter: "null", color: color), data, to: folder.destination("scaler-" + to.name))
            let (own, scaler) = (folder.path("own-" + to.name), folder.path("scaler-" + to.name))
            #expect(try run(["ffmpeg", "-v", "error", "-i", own, "-c", "copy", "-f", "framehash", "-"]) == run(["ffmpeg", "-v", "error", "-i", scaler, "-c", "copy", "-f", "framehash", "-"]))
            let properties = ["pix_fmt", "color_range", "color_space", "color_primaries", "color_transfer", "chroma_location", "sample_aspect_ratio", "duration", "nb_read_frames"]
            let (first, second) = (try probe(own), try probe(scaler))
            for property in properties { #expect(first[property] == second[property], "\(property)") }
        }
    }

    /// libswscale leaves half of the chroma as it finds it.
    @Test func grayHasNoColorInNV12OfFullRange() throws {
        let (width, height) = (66, 34)
        let data = noise(width * height * 2)
        var video = VideoStreamConfig(frameRate: Rational(25, 1)!, width: width, height: height, format: "gray8", encoder: "rawvideo", color: ColorConfig(range: "pc", space: "bt709"))
        video.encoderFormat = "nv12"
        try encode(.video(video), data, to: folder.destination("a.nut"))
        try run(["ffmpeg", "-v", "error", "-i", folder.path("a.nut"), "-c", "copy", "-f", "rawvideo", folder.path("a.raw")])
        let pictures = try Data(contentsOf: URL(fileURLWithPath: folder.path("a.raw")))
        let size = width * height, color = Data(repeating: 128, count: width * height / 2)
        var expected = data.prefix(size)
        expected += color
        expected += data.suffix(size)
        expected += color
        #expect(pictures == expected)
    }

    #if arch(x86_64)
        @Test func picturesOfAllRenditionsThatStayThatLargeAre() throws {
            let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
            defer { writer.abort() }
            let index = try writer.addStream(config("rgb24", "libx264", ["preset": "ultrafast"], 1920, 1080, filter: nil, color: .init()))
            #expect(writer.ownConversions(ofStream: index) == 1)
            let filtered = try writer.addStream(config("rgb24", "libx264", ["preset": "ultrafast"], 320, 240, filter: "null", color: .init()))
            #expect(writer.ownConversions(ofStream: filtered) == 0)
        }
    #endif
}
