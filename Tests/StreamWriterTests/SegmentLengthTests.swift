import Foundation
import StreamWriter
import Testing

/// How long the segments of muxers are that begin one at a key frame, by their playlists.
@Suite struct SegmentLengthTests {
    private static func config(_ rate: Rational, timeBase: Rational? = nil, _ option: [String: String] = [:], gop: Int? = nil) -> VideoStreamConfig {
        VideoStreamConfig(
            frameRate: rate, timeBase: timeBase, width: 64, height: 48, format: "yuv420p", encoder: "libx264",
            encoderOption: ["preset": "ultrafast"].merging(option) { $1 }, codecConfig: CodecConfig(gopSize: gop))
    }

    private static let frameBytes = 64 * 48 * 3 / 2

    /// Writes pictures, and gives what the muxer's playlist says and what the writer does.
    private func write(
        _ config: VideoStreamConfig, frames: Int, to name: String, _ format: String, _ option: [String: String], times: [Double]? = nil,
        in folder: TemporaryFolder
    ) throws -> (playlist: String, KeyFrameSpacing?) {
        let writer = try StreamWriter(destination: .url(folder.path(name)), format: format)
        _ = try writer.addStream(.video(config))
        try writer.open(option: option)
        let spacing = writer.description(of: 0).keyFrames
        if let times {
            for time in times { try writer.send(Data(repeating: 0x80, count: Self.frameBytes), pts: time) }
        } else {
            try writer.send(Data(repeating: 0x80, count: Self.frameBytes * frames))
        }
        _ = try writer.close()
        return (String(decoding: try folder.bytes(option["segment_list"].map { ($0 as NSString).lastPathComponent } ?? name), as: UTF8.self), spacing)
    }

    private func lengths(_ playlist: String) -> [Double] {
        playlist.split(separator: "\n").filter { $0.hasPrefix("#EXTINF:") }.compactMap { Double($0.dropFirst(8).prefix { $0 != "," }) }
    }

    private static let hls = ["hls_list_size": "0"]

    @Test(arguments: [("4", 4.0, 8), ("1.5", 1.5, 20), (nil, 2, 15)] as [(String?, Double, Int)])
    func segmentsOfHLSAreAsLongAsTheyAreToBe(time: String?, seconds: Double, count: Int) throws {
        let folder = TemporaryFolder()
        var option = Self.hls
        option["hls_time"] = time
        let (playlist, spacing) = try write(Self.config(Rational(20, 1)!), frames: 600, to: "a.m3u8", "hls", option, in: folder)
        #expect(spacing?.seconds == seconds && spacing?.option == "hls_time")
        let found = lengths(playlist)
        #expect(found.count == count && found.dropLast().allSatisfy { $0 == seconds }, "\(found)")
    }

    /// The first picture at or after each multiple of 4 s, as FFmpeg's -force_key_frames has it.
    @Test func aRateThatDoesNotDivideTheTimeBeginsSegmentsAtTheNextPicture() throws {
        let folder = TemporaryFolder()
        let option = Self.hls.merging(["hls_time": "4", "hls_segment_type": "fmp4"]) { $1 }
        let (playlist, _) = try write(Self.config(Rational(30_000, 1_001)!), frames: 1_300, to: "a.m3u8", "hls", option, in: folder)
        let starts = (0..<11).map { (Double($0) * 4 * 30_000 / 1_001).rounded(.up) }
        let expected = zip(starts, starts.dropFirst()).map { ($1 - $0) * 1_001 / 30_000 }
        let found = lengths(playlist)
        #expect(found.count == 11)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 0.001 }, "\(found)")
    }

    @Test func picturesAtTimesOfTheirOwnBeginSegmentsToo() throws {
        let folder = TemporaryFolder()
        let times = (0..<200).map { (index: Int) -> Double in Double(index) / 10 + Double(index % 3) * 0.013 }
        let option = Self.hls.merging(["hls_time": "3"]) { $1 }
        let (playlist, _) = try write(
            Self.config(Rational(10, 1)!, timeBase: Rational(1, 1_000)!), frames: 0, to: "a.m3u8", "hls", option, times: times, in: folder)
        let starts = (0..<7).map { (segment: Int) -> Double in times.first { $0 >= Double(segment * 3) - 1e-9 }! }
        let expected = zip(starts, starts.dropFirst()).map { $1 - $0 }
        let found = lengths(playlist)
        #expect(found.count == 7)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 0.002 }, "\(found)")
    }

    @Test func segmentsOfTheSegmentMuxerAreAsLongAsTheyAreToBe() throws {
        let folder = TemporaryFolder()
        let option = ["segment_time": "4", "segment_list": folder.path("a.m3u8"), "segment_format": "mpegts"]
        let (playlist, spacing) = try write(Self.config(Rational(25, 1)!), frames: 500, to: "a%d.ts", "segment", option, in: folder)
        #expect(spacing?.seconds == 4 && spacing?.option == "segment_time")
        #expect(lengths(playlist).count == 5 && lengths(playlist).allSatisfy { abs($0 - 4) < 0.1 }, "\(playlist)")
    }

    /// DASH counts from where a segment has begun: all of 120 pictures, and none of 239.
    @Test func segmentsOfDASHDoNotDoubleWhereTheRateDoesNotDivideTheTime() throws {
        let folder = TemporaryFolder()
        let (manifest, spacing) = try write(
            Self.config(Rational(30_000, 1_001)!), frames: 1_300, to: "a.mpd", "dash", ["seg_duration": "4", "window_size": "0"], in: folder)
        #expect(spacing?.seconds == 4 && spacing?.option == "seg_duration")
        let scale = try #require(manifest.firstMatch(of: /timescale="(\d+)"/))
        let timescale = try #require(Double(scale.1))
        let spans = manifest.matches(of: /<S (?:t="\d+" )?d="(\d+)"(?: r="(\d+)")?/)
        let first = try #require(spans.first)
        #expect(abs(Double(first.1)! / timescale - 120 * 1_001 / 30_000) < 0.001 && Int(first.2 ?? "0") == 9, "\(manifest)")
    }

    @Test(arguments: [(["g": "100"], nil), (["x264-params": "keyint=100"], nil), ([:], 100)] as [([String: String], Int?)])
    func whatTheClientSaysOfKeyFramesStays(option: [String: String], gop: Int?) throws {
        let folder = TemporaryFolder()
        let (playlist, spacing) = try write(Self.config(Rational(25, 1)!, option, gop: gop), frames: 400, to: "a.m3u8", "hls", Self.hls, in: folder)
        #expect(spacing == nil)
        #expect(lengths(playlist) == [4, 4, 4, 4], "\(playlist)")
    }

    @Test func aContainerWithoutSegmentsIsAskedForNone() throws {
        let folder = TemporaryFolder()
        let writer = try StreamWriter(destination: folder.destination("a.mp4"), format: "mp4")
        _ = try writer.addStream(.video(Self.config(Rational(25, 1)!)))
        try writer.open()
        #expect(writer.description(of: 0).keyFrames == nil)
    }

    @Test func anEncoderThatMakesKeyFramesByItselfIsToldOf() throws {
        let folder = TemporaryFolder()
        var config = Self.config(Rational(25, 1)!)
        (config.encoder, config.encoderOption) = ("libtheora", [:])
        let writer = try StreamWriter(destination: .url(folder.path("a%d.ogg")), format: "segment")
        _ = try writer.addStream(.video(config))
        try writer.open(option: ["segment_time": "4", "segment_format": "ogg"])
        let warning = try #require(writer.description(of: 0).warnings.first { $0.code == .segmentsUneven })
        #expect(warning.parameter == "codec_config.gop_size" && warning.message.contains("gop_size 100"))
    }
}
