import Foundation
import StreamWriter
import Testing

/// What filters do on the way is held to what they said before the first frame.
@Suite struct CostTests {
    let folder = TemporaryFolder()

    private func opened(_ filter: String, _ limits: WriterLimits = .init()) throws -> StreamWriter {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, format: "yuv420p", encoder: "rawvideo", filterDesc: filter)
        let writer = try StreamWriter(destination: folder.destination("a.nut"), format: nil, limits: limits)
        _ = try writer.addStream(.video(config))
        try writer.open()
        return writer
    }

    private func error(_ body: () throws -> Void) -> StreamWriterError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StreamWriterError
        }
    }

    /// Encoders read as many rows as they were opened for: smaller pictures had them read past the end.
    @Test(arguments: ["scale=w='64-32*gte(n,2)':h=48:eval=frame", "scale=w=64:h='48+16*gte(n,2)':eval=frame"])
    func picturesThatChangeTheirSizeOnTheWayAreRefused(filter: String) throws {
        let writer = try opened(filter)
        let failure = error { try writer.send(pictures(count: 5, bytesPerFrame: 64 * 48 * 3 / 2)) }
        #expect(failure?.code == .encodingFailed)
        #expect(failure?.parameter == "filter_desc")
    }

    @Test func filtersWithoutAnEndComeToOne() throws {
        let writer = try opened("loop=loop=-1:size=1,scale=16:16")
        let failure = error {
            try writer.send(pictures(count: 5, bytesPerFrame: 64 * 48 * 3 / 2))
            _ = try writer.close()
        }
        #expect(failure?.code == .encodingFailed)
        #expect(failure?.message.contains("250000") == true, "\(failure?.message ?? "none")")
    }

    /// Filters took them for indexes into tables: deflicker wrote past the end of its histogram.
    @Test func samplesBeyondTheirDepthAreHeldToItBeforeFilters() throws {
        for format in ["yuv422p10le", "yuv422p10be"] {
            let config = VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 64, height: 48, format: format, encoder: "rawvideo",
                encoderFormat: "yuv422p10le", filterDesc: "deflicker=2")
            let bytes = Data(repeating: 0xFF, count: 4 * 64 * 48 * 4)
            try encode(.video(config), bytes, to: folder.destination("a.nut"))
            let decoded = try run(["ffmpeg", "-v", "error", "-i", folder.path("a.nut"), "-f", "rawvideo", "-"])
            #expect(decoded.count == bytes.count)
            let samples = decoded.withUnsafeBytes { Set($0.bindMemory(to: UInt16.self)) }
            #expect(samples == [0x3FF])
        }
    }

    /// Each of them crashed libav, or kept it for ever.
    @Test(arguments: [
        ("mpeg4", ["lmin": "5000"], nil), ("mpeg4", ["lmax": "2"], nil), ("mpeg4", ["idct": "xvid"], nil),
        ("mpeg4", ["idct": "14"], nil), ("mpeg4", ["qmin": "20", "qmax": "10"], nil), ("mjpeg", [:], "kerndeint"),
        ("mpeg4", ["me_range": "-2147483648"], nil),
        ("mpeg4", ["qcomp": "100"], nil), ("mjpeg", [:], "crop=64:17:exact=1,split[a][b];[a][b]vstack"),
        ("ffv1", ["video_size": "640x480"], nil), ("ffv1", ["pixel_format": "rgb24"], nil),
    ] as [(String, [String: String], String?)])
    func whatIsKnownToCrashVideoEncodersIsRefused(encoder: String, options: [String: String], filter: String?) throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 18, format: "yuv420p", encoder: encoder,
            encoderOption: options, filterDesc: filter)
        let failure = error { _ = try writer.addStream(.video(config)) }
        #expect([.unsupportedValue, .invalidFilter, .unknownOption].contains(failure?.code), "\(failure?.message ?? "taken")")
    }

    @Test(arguments: [
        ("aac", ["ch_layout": "7.0"], nil), ("aac", ["ac": "7"], nil), ("wavpack", ["ar": "0"], nil),
        ("pcm_s16le", [:], "asetrate=5,atempo=1.5"),
        ("pcm_s16le", [:], "aresample=2147483647,surround"), ("pcm_s16le", [:], "aformat=sample_rates=9,atempo=1.5"), ("pcm_s16le", [:], "aresample=osr=9,atempo=1.5"),
    ] as [(String, [String: String], String?)])
    func whatIsKnownToCrashAudioEncodersIsRefused(encoder: String, options: [String: String], filter: String?) throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        let config = AudioStreamConfig(
            sampleRate: 48_000, numChannels: 2, encoder: encoder, encoderOption: options, filterDesc: filter)
        let failure = error { _ = try writer.addStream(.audio(config)) }
        #expect([.unsupportedValue, .invalidFilter, .unknownOption].contains(failure?.code), "\(failure?.message ?? "taken")")
    }

    @Test func anEncoderThatCannotBeFreedEmptyIsLetBe() throws {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 128, height: 144, format: "yuv420p", encoder: "libsvtav1")
        for frames in [0, 1] {
            let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
            _ = try writer.addStream(.video(config))
            if frames > 0 {
                try writer.open()
                try writer.send(pictures(count: frames, bytesPerFrame: 128 * 144 * 3 / 2))
            }
            writer.abort()
        }
    }

    /// With more of them than there is memory for, each hung.
    @Test func encodersThatHangWithoutMemoryAreFew() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 128, height: 144, format: "yuv420p", encoder: "libsvtav1")
        for _ in 0..<4 { _ = try writer.addStream(.video(config)) }
        let failure = error { _ = try writer.addStream(.video(config)) }
        #expect(failure?.parameter == "encoder")
    }

    @Test func muxersReserveNoMoreThanABuffer() throws {
        for (name, option) in [("a.avi", "reserve_index_space"), ("a.mkv", "reserve_index_space"), ("a.mp4", "moov_size"), ("a.ts", "pes_payload_size")] {
            let writer = try StreamWriter(destination: folder.destination(name), format: nil)
            _ = try writer.addStream(
                .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "mpeg4")))
            let failure = error { try writer.open(option: [option: "1e9"]) }
            #expect(failure?.parameter == "option." + option)
        }
    }

    @Test func aWriterThatWasGivenUpFailsWhateverIsAsked() throws {
        let writer = try opened("null")
        #expect(writer.callsUnderWay.isEmpty)
        writer.interrupt(StreamWriterError(.encodingFailed, "enough"))
        let failure = error { try writer.send(pictures(count: 1, bytesPerFrame: 64 * 48 * 3 / 2)) }
        #expect(failure?.message == "enough")
    }

    @Test func limitsAreThoseOfTheWriter() throws {
        var limits = WriterLimits()
        limits.pixels = 64 * 48
        _ = try opened("null", limits)
        let failure = error { _ = try opened("scale=66:48,scale=64:48", limits) }
        #expect(failure?.code == .beyondLimit)
        #expect(failure?.limit == .init(kind: .pixels, value: 64 * 48))
    }
}
