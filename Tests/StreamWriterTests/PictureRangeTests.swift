import Foundation
import StreamWriter
import Testing

@Suite struct PictureRangeTests {
    let folder = TemporaryFolder()

    /// Words of 16 bits hold more than 10: x264 ended the process over it.
    @Test func samplesBeyondTheFormatAreRefusedAndThoseAtItsEndAreNot() throws {
        func encode(_ word: UInt16) throws {
            let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
            let config = VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 64, height: 48, format: "yuv420p10le", encoder: "libx264",
                encoderOption: ["subq": "0"])
            _ = try writer.addStream(.video(config))
            try writer.open()
            let words = [UInt16](repeating: word, count: 64 * 48 * 3 / 2 * 12)
            try writer.send(words.withUnsafeBytes { Data($0) })
            _ = try writer.close()
        }
        try encode(1023)
        let error = #expect(throws: StreamWriterError.self) { try encode(1024) }
        #expect(error?.code == .encodingFailed && error?.message.contains("1023") == true)
    }
}
