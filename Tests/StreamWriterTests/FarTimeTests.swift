import Foundation
import StreamWriter
import Testing

/// Times that a container, or an encoder, can't tell are refused at the chunk; the writer goes on.
@Suite struct FarTimeTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    /// With the seconds that may lie between two pictures, by what the format has for them; a second of it is kept free.
    @Test(arguments: [
        // 24 bits, signed, of milliseconds between decoding and showing.
        ("flv", "libx264", 8_388.608, true),
        // Half of 33 bits of 1/90000 s.
        ("mpegts", "libx264", 47_721.858, true), ("mpegts", "mpeg2video", 47_721.858, true),
        // 16 bits of 1/100 s.
        ("gif", "gif", 655.35, true),
        // 31 bits of 1/100000 s, in which libav reads them.
        ("apng", "apng", 21_474.836, true),
        // 24 bits of milliseconds.
        ("webp", "libwebp", 16_777.216, true),
        // FFmpeg's mpeg4 takes at most 3,600 s between pictures.
        ("nut", "mpeg4", 3_600, false), ("matroska", "mpeg4", 3_600, false),
    ] as [(String, String, Double, Bool)])
    func timesBeyondWhatCanBeToldAreRefused(muxer: String, encoder: String, most: Double, fromZero: Bool) throws {
        let limit = most - 1
        let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder)))
        try writer.open()
        func refuse(_ pts: Double) throws {
            let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: pts) }
            #expect(error.code == .invalidParameter && error.parameter == "pts" && error.message.contains(muxer), "\(error.message)")
        }
        if fromZero { try refuse(limit + 0.5) }
        let picture = pictures(count: 1, bytesPerFrame: Self.frame)
        try writer.send(picture)
        for far in [limit + 0.6, 96_000, 1e9] { try refuse(max(far, limit + 0.6)) }
        try writer.send(picture, pts: limit - 1)
        // To the nearest of 25 pictures a second.
        #expect(abs(try writer.close().duration - (limit - 0.96)) < 0.021)
        let packets = (try? Probe(ifReadable: folder.path("a"), showing: ["packets"]))?.packets
        guard let packets, muxer != "webp" else { return }
        let times = packets.compactMap { $0.number("pts_time") }.sorted()
        // apng has a fraction with 16 bits above and below for it: whole seconds there.
        #expect(times.count == 2 && abs(times[1] - times[0] - (limit - 1)) < (muxer == "apng" ? 0.5 : 0.021), "\(times)")
    }

    @Test func whereLongDurationsCantBeToldTheyAreRefused() throws {
        for (muxer, duration) in [("gif", 700.0), ("h264", 3_700), ("mxf", 3_700)] {
            let writer = try StreamWriter(destination: folder.destination("a"), format: muxer)
            _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)))
            try writer.open()
            let error = try #require(throws: StreamWriterError.self, "\(muxer)") { try writer.beginChunk(stream: 0, pts: nil, duration: duration) }
            #expect(error.code == .invalidParameter && error.parameter == "duration")
            writer.abort()
        }
    }

    /// Continuous streams go on through the wrap of MPEG's 33 bits: here across it, in steps that can be told.
    @Test func mpegGoesOnBeyondItsWrap() throws {
        let writer = try StreamWriter(destination: folder.destination("a.ts"), format: "mpegts")
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264")))
        try writer.open()
        for time in [40_000.0, 80_000, 120_000] { try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), pts: time) }
        _ = try writer.close()
        let times = try Probe(folder.path("a.ts"), showing: ["packets"]).packets.compactMap { $0.number("pts_time") }.sorted()
        #expect(times.count == 3 && abs(times[1] - times[0] - 40_000) < 0.001 && abs(times[2] - times[0] - 80_000) < 0.001, "\(times)")
    }
}
