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
}
