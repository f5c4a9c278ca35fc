import Libav
import Testing

@Suite struct FilterGraphTests {
    /// FFmpeg 5.1's own command line crashes over these.
    @Test(arguments: ["scale=flags=nosuch", "scale=32:24:flags='a", "sws_flags=nosuch;scale", "scale2ref=flags=1+"])
    func scaleFlagsThatDontExistAreAnError(description: String) {
        let shape = MediaFormat.video(VideoShape(format: PixelFormat(name: "rgb24")!, width: 64, height: 48, frameRate: Fraction(25, 1)))
        Log.install()
        #expect(throws: LibavError.self) { try FilterGraph(shape, description: description, stages: []) }
    }

    /// FFmpeg 7.1's own command line crashes over the first of each pair.
    @Test(arguments: [
        ("null,histogram", "null,format=gbrp,histogram", "rgb24"), ("thumbnail=2,thistogram", "thumbnail=2,format=gbrp,thistogram", "rgb24"),
        ("histogram", "format=yuv444p,histogram", "rgb48le"), ("waveform=filter=flat", "format=yuv444p,waveform=filter=flat", "gray"),
        ("split[a][b];[b]vectorscope[c];[a][c]overlay", "split[a][b];[b]format=gbrp,vectorscope[c];[a][c]overlay", "rgb24"),
        ("fps=5,extractplanes=r", "fps=5,format=gbrp,extractplanes=r", "rgb24"),
    ])
    func filterThatWaitsForItsFormatIsRefusedWithAWayThatWorks(description: String, way: String, source: String) throws {
        let shape = MediaFormat.video(VideoShape(format: PixelFormat(name: source)!, width: 64, height: 48, frameRate: Fraction(25, 1)))
        if Build.ffmpegVersion.hasPrefix("7.") {
            let error = try #require(throws: LibavError.self) { try FilterGraph(shape, description: description, stages: []) }
            #expect("\(error)".contains("format=gbrp"))
        }
        _ = try FilterGraph(shape, description: way, stages: [])
    }

    @Test(arguments: ["histogram", "thistogram", "vectorscope", "waveform", "extractplanes=r"])
    func filterThatKnowsItsFormatNeedsNone(description: String) throws {
        for source in ["rgb24", "bgr0", "gbrp"] {
            let shape = MediaFormat.video(VideoShape(format: PixelFormat(name: source)!, width: 64, height: 48, frameRate: Fraction(25, 1)))
            _ = try FilterGraph(shape, description: description, stages: [])
        }
    }
}
