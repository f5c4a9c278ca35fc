import Foundation
import StreamWriter
import Testing

/// Where streams end, beside each other and by themselves.
@Suite struct EndingTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    private func decodedPictures(_ name: String) throws -> Int {
        try run(["ffmpeg", "-v", "error", "-i", folder.path(name), "-map", "0:v", "-fps_mode", "passthrough", "-s", "16x16", "-pix_fmt", "gray", "-f", "rawvideo", "-"]).count / 256
    }

    private func decodedSamples(_ name: String) throws -> Int {
        try run(["ffmpeg", "-v", "error", "-i", folder.path(name), "-map", "0:a", "-ac", "1", "-f", "s16le", "-"]).count / 2
    }

    /// 50 pictures of 25 a second are 96,000 samples; 10 are 19,200. Of 30000/1001, 60 are the first that end no sooner.
    @Test(arguments: [("mxf", "25", 50), ("mxf", "30000/1001", 60), ("dv", "25", 50), ("swf", "25", 50), ("avm2", "25", 50)], [true, false])
    func picturesLastAsLongAsLongerSound(muxer: (String, String, Int), soundFirst: Bool) throws {
        let isTelevision = muxer.0 == "dv"
        let (width, height) = isTelevision ? (720, 576) : (64, 48)
        let rate = ["swf", "avm2"].contains(muxer.0) ? 44_100 : 48_000
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer.0)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(parsing: muxer.1)!, width: width, height: height)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: rate, numChannels: 2, format: .s16)))
        try writer.open()
        let send = [
            { _ = try writer.send(pictures(count: 10, bytesPerFrame: width * height * 3), to: 0) },
            { _ = try writer.send(tone(samples: 2 * rate, channels: 2, rate: rate), to: 1) },
        ]
        for step in soundFirst ? send.reversed() : send { try step() }
        let summary = try writer.close()
        #expect(summary.streams[0].warnings.map(\.code) == [.gapFilled])
        #expect(try decodedPictures("a") == muxer.2)
        #expect(try decodedSamples("a") >= 2 * rate)
    }

    @Test(arguments: [("mxf", 64, 48), ("dv", 720, 576)]) func soundIsSilentBesideLongerPictures(muxer: String, width: Int, height: Int) throws {
        for samples in [9_600, 0] {
            let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
            _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: width, height: height)))
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
            try writer.open()
            try writer.send(pictures(count: 25, bytesPerFrame: width * height * 3), to: 0)
            if samples > 0 { try writer.send(tone(samples: samples, channels: 2), to: 1) }
            let summary = try writer.close()
            #expect(summary.streams.map { $0.warnings.map(\.code) } == [[], [.gapFilled]] && summary.duration == 1)
            #expect(try decodedPictures("a") == 25)
            #expect(try decodedSamples("a") == 48_000)
            let descriptor = Glibc.open(folder.path("a"), O_RDONLY)
            defer { Glibc.close(descriptor) }
            #expect(try VerifiedOutput(of: descriptor, format: muxer, against: summary)?.streams.count == 2)
        }
    }

    /// What waits for pictures is in memory, and can't be written without them.
    @Test(arguments: [("mxf", 64, 48), ("dv", 720, 576)]) func soundTooFarAheadIsRefusedAndTheWriterGoesOn(muxer: String, width: Int, height: Int) throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: width, height: height)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
        try writer.open()
        let error = try #require(throws: StreamWriterError.self) {
            for _ in 0..<20 { try writer.send(Data(count: 4 * 48_000 * 20), to: 1) }
        }
        #expect(error.code == .invalidSamples && error.message.contains("send more of stream 0 first"), "\(error.message)")
        try writer.send(pictures(count: 25, bytesPerFrame: width * height * 3), to: 0)
        if muxer == "dv" { return writer.abort() }
        let summary = try writer.close()
        #expect(summary.duration > 100)
        #expect(try decodedPictures("a") == Int((summary.duration * 25).rounded()))
    }

    @Test func swfTakesSoundBeforeItsPictures() throws {
        let writer = try StreamWriter(destination: folder.destination("a"), format: "swf")
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16)))
        try writer.open()
        try writer.send(Data(count: 4 * 44_100 * 30), to: 1)
        try writer.send(Data(count: Self.frame * 750), to: 0)
        #expect(abs(try writer.close().duration - 30) < 0.1)
        #expect(try decodedPictures("a") == 750)
    }

    @Test func withoutAPictureThereIsNothingToRepeat() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mxf"), format: nil)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
        try writer.open()
        try writer.send(tone(samples: 48_000, channels: 2), to: 1)
        let error = try #require(throws: StreamWriterError.self) { try writer.close() }
        #expect(error.code == .invalidSamples && error.message.contains("stream 0 ends at 0.0 s and another at 1.0 s"))
        try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), to: 0)
        #expect(try writer.close().duration == 1)
        #expect(try decodedPictures("a.mxf") == 25)
    }

    // MARK: The last picture

    /// Five pictures, the last of which lasts 1 s, and five more, the last of which lasts 2 s: 3.32 s.
    private func writeLasting(_ name: String, _ muxer: String, _ encoder: String?) throws -> WriterSummary {
        let writer = try StreamWriter(destination: folder.destination(name), format: muxer)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder)))
        try writer.open()
        for duration in [1.0, 2] {
            let chunk = try writer.beginChunk(stream: 0, pts: nil, duration: duration)
            try pictures(count: 5, bytesPerFrame: Self.frame, seed: UInt64(duration)).withUnsafeBytes { try chunk.write($0) }
            _ = try chunk.finish()
        }
        return try writer.close()
    }

    @Test(arguments: [
        ("h264", "libx264"), ("hevc", "libx265"), ("mjpeg", "mjpeg"), ("mpeg1video", nil), ("mpeg2video", nil), ("avi", "mpeg4"), ("avi", "libx264"), ("mxf", nil),
        ("mpeg", nil), ("vob", nil), ("rm", nil),
    ] as [(String, String?)])
    func withoutTimesALongPictureIsThereMoreThanOnce(muxer: String, encoder: String?) throws {
        let summary = try writeLasting("a." + muxer, muxer, encoder)
        #expect(summary.duration == 3.32 && summary.streams[0].warnings.map(\.code) == [.gapFilled])
        #expect(try Probe(folder.path("a." + muxer), showing: ["packets"]).packets.count == 83)
    }

    @Test(arguments: [("mpegts", "libx264"), ("nut", "libx264"), ("nut", "ffv1"), ("flv", "libx264"), ("ivf", "libvpx"), ("asf", nil), ("mpegts", "libx265")] as [(String, String?)])
    func whereNothingTellsHowLongTheLastPictureIsItIsThereAtItsEnd(muxer: String, encoder: String?) throws {
        #expect(try writeLasting("a", muxer, encoder).duration == 3.32)
        let times = try Probe(folder.path("a"), showing: ["packets"]).packets.compactMap { $0.number("pts_time") }.sorted()
        #expect(times.count == 11)
        for (time, wanted) in zip(times, [0, 0.04, 0.08, 0.12, 0.16, 1.16, 1.2, 1.24, 1.28, 1.32, 3.28]) { #expect(abs(time - times[0] - wanted) < 0.0011, "\(times)") }
    }

    /// It was as long as the others on average. WebP Container Specification, "Animation".
    @Test func theLastPictureOfAWebPLastsAsLongAsItWasSentTo() throws {
        _ = try writeLasting("a", "webp", "libwebp_anim")
        let bytes = [UInt8](try folder.bytes("a"))
        var lengths: [Int] = []
        var chunk = 12
        while chunk + 8 <= bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[chunk + 4 + $1]) << (8 * $1) }
            if bytes[chunk..<chunk + 4].elementsEqual("ANMF".utf8) { lengths.append((0..<3).reduce(0) { $0 | Int(bytes[chunk + 20 + $1]) << (8 * $1) }) }
            chunk += 8 + size + size % 2
        }
        #expect(lengths == [40, 40, 40, 40, 1000, 40, 40, 40, 40, 2000])
    }

    /// Times of decoding, in the table of samples, ended where the last picture began, or before.
    @Test(arguments: ["libx264", "libx265", "mpeg4"], ["mp4", "mov"]) func theTableOfSamplesLastsAsLongAsThePictures(encoder: String, muxer: String) throws {
        _ = try writeLasting("a", muxer, encoder)
        let (stream, file) = (try probe(folder.path("a")), try probeFormat(folder.path("a")))
        #expect(abs((Double(file["duration"] ?? "") ?? 0) - 3.32) < 0.002)
        // And by what the first is decoded before it is shown.
        #expect((3.319...3.52).contains(Double(stream["duration"] ?? "") ?? 0), "\(stream["duration"] ?? "")")
    }

    @Test(arguments: ["gif", "apng"]) func theLastPictureOfAnAnimationLastsAsLongAsItWasSentTo(muxer: String) throws {
        _ = try writeLasting("a", muxer, nil)
        let lengths = try Probe(folder.path("a"), showing: ["packets"]).packets.compactMap { $0.number("duration_time") }
        #expect(lengths.map { ($0 * 100).rounded() } == [4, 4, 4, 4, 100, 4, 4, 4, 4, 200])
    }

    /// The 24 bits behind a frame's place and size, in its ANMF chunk, are milliseconds.
    @Test func theLastPictureOfWebPToo() throws {
        _ = try writeLasting("a", "webp", "libwebp")
        let bytes = [UInt8](try folder.bytes("a"))
        var lengths: [Int] = []
        var place = 12
        while place + 8 <= bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[place + 4 + $1]) << (8 * $1) }
            if bytes[place..<(place + 4)].elementsEqual("ANMF".utf8) { lengths.append((0..<3).reduce(0) { $0 | Int(bytes[place + 20 + $1]) << (8 * $1) }) }
            place += 8 + size + size % 2
        }
        #expect(lengths == [40, 40, 40, 40, 1000, 40, 40, 40, 40, 2000])
    }

    /// As FFmpeg's command line has it of a picture that stands still.
    @Test func theoraKeepsPicturesThatStandStillAtTheEnd() throws {
        _ = try writeLasting("a.ogv", "ogv", nil)
        #expect(abs((try Probe(folder.path("a.ogv")).format.number("duration") ?? 0) - 3.32) < 0.001)
    }

    /// libtheora gives no bytes for these, and FFmpeg 7's Ogg leaves out packets without bytes. 1080p of 4:4:4 has more
    /// superblocks than one run of bits.
    @Test(arguments: [("yuv420p", 64, 48, 3), ("yuv422p", 72, 40, 4), ("yuv444p", 200, 120, 6), ("yuv444p", 1920, 1080, 6)])
    func theoraKeepsPicturesThatStandStillBetweenOthers(format: String, width: Int, height: Int, halfBytes: Int) throws {
        let size = width * height * halfBytes / 2
        let one = pictures(count: 1, bytesPerFrame: size)
        let kinds = [one, Data(one.map { 255 - $0 })]
        let order = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: width, height: height, format: format, encoder: "libtheora", codecConfig: .init(qscale: 10))
        try encode(.video(config), order.map { kinds[$0] }.reduce(Data(), +), to: folder.destination("a.ogv"))
        let times = try Probe(folder.path("a.ogv"), showing: ["packets"]).packets.compactMap { $0.number("pts_time") }
        #expect(times.map { Int(($0 * 25).rounded()) } == Array(order.indices))
        let shown = try decodeVideo(folder.path("a.ogv"), format: format)
        try #require(shown.count == order.count * size)
        for (index, kind) in order.enumerated() {
            func distance(_ other: Data) -> Int {
                stride(from: 0, to: size, by: 97).reduce(0) { $0 + abs(Int(shown[index * size + $1]) - Int(other[$1])) }
            }
            #expect(distance(kinds[kind]) * 4 < distance(kinds[1 - kind]), "picture \(index)")
        }
    }
}
