import Foundation
import StreamWriter
import Testing

/// Key frames that are asked for whatever is under way.
@Suite struct LiveKeyFrameTests {
    let folder = TemporaryFolder()
    private static let frameBytes = 64 * 48 * 3

    private func writer(_ name: String, encoders: [String?]) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        for encoder in encoders {
            if let encoder {
                let option = encoder == "libx264" ? ["preset": "ultrafast"] : [:]
                _ = try writer.addStream(
                    .video(
                        VideoStreamConfig(
                            frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder, encoderOption: option,
                            codecConfig: .init(gopSize: 500))))
            } else {
                _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 8_000, numChannels: 1, format: .s16)))
            }
        }
        return writer
    }

    private func keyFrames(_ name: String, stream: Int = 0) throws -> [Int] {
        try probeList(folder.path(name), "packet", "flags", stream: stream).enumerated().filter { $1.hasPrefix("K") }.map(\.offset)
    }

    @Test func theNextPictureOfAChunkThatIsUnderWayIsOne() throws {
        let writer = try writer("a.mkv", encoders: ["libx264"])
        try writer.open()
        let data = pictures(count: 20, bytesPerFrame: Self.frameBytes)
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        try data[..<(7 * Self.frameBytes)].withUnsafeBytes { try chunk.write($0) }
        #expect(try writer.requestKeyFrame(ofStream: 0) == [0])
        // Asked for again before it has come: it is one all the same.
        #expect(try writer.requestKeyFrame() == [0])
        try data[(7 * Self.frameBytes)...].withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
        _ = try writer.close()
        #expect(try keyFrames("a.mkv") == [0, 7])
    }

    @Test func withoutAStreamEveryVideoStreamMakesOne() throws {
        let writer = try writer("b.mkv", encoders: ["libx264", nil, "mpeg4"])
        try writer.open()
        for stream in [0, 2] { try writer.send(pictures(count: 5, bytesPerFrame: Self.frameBytes), to: stream) }
        #expect(try writer.requestKeyFrame() == [0, 2])
        for stream in [0, 2] { try writer.send(pictures(count: 5, bytesPerFrame: Self.frameBytes), to: stream) }
        _ = try writer.close()
        #expect(try keyFrames("b.mkv", stream: 0) == [0, 5])
        #expect(try keyFrames("b.mkv", stream: 2) == [0, 5])
    }

    @Test func whatCannotMakeThemRefusesAndAsksNone() throws {
        let writer = try writer("c.mkv", encoders: ["libx264", "ffv1", nil])
        #expect(code { try writer.requestKeyFrame() } == .wrongState)
        try writer.open()
        try writer.send(pictures(count: 5, bytesPerFrame: Self.frameBytes))
        for stream in [nil, 1, 2] {
            do {
                try writer.requestKeyFrame(ofStream: stream)
                Issue.record("taken")
            } catch {
                #expect(error.code == .unsupportedValue && error.parameter == "stream")
                #expect(error.message.contains(stream == 2 ? "stream 2 is audio" : "ffv1"), "\(error.message)")
            }
        }
        #expect(code { try writer.requestKeyFrame(ofStream: 3) } == .noSuchStream)
        try writer.send(pictures(count: 5, bytesPerFrame: Self.frameBytes))
        _ = try writer.close()
        #expect(try keyFrames("c.mkv") == [0])
        #expect(code { try writer.requestKeyFrame(ofStream: 0) } == .wrongState)
    }

    @Test func aWriterOfSoundAloneHasNone() throws {
        let writer = try writer("d.wav", encoders: [nil])
        try writer.open()
        #expect(code { try writer.requestKeyFrame() } == .unsupportedValue)
        writer.abort()
    }
}
