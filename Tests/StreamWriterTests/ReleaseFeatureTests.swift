import Foundation
import StreamWriter
import Testing

/// What one of the two releases of FFmpeg can do and the other can't.
@Suite struct ReleaseFeatureTests {
    private static let missing: Comment = "FFmpeg 5.1 has it not"
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    @Test func theyAreThoseOfTheRelease() throws {
        let features = Capabilities.features
        let movflags = try #require(try FFmpegHelp("-h", "muxer=mp4").options.first { $0.name == "movflags" })
        #expect(features.hasHybridFragments == movflags.choices.contains { $0.name == "hybrid_fragmented" })
        #expect(features.hasHybridFragments == isFFmpeg7)
        // https://ffmpeg.org/index.html#news: "enhanced FLV v1" came with 6.1.
        for codec in ["hevc", "av1", "vp9"] { #expect(features.flvCodecs.contains(codec) == isFFmpeg7, "\(codec)") }
        #expect(Set(features.flvCodecs).isSuperset(of: ["h264", "flv1", "aac", "mp3"]))
        #expect(Set(features.flvCodecs).isDisjoint(with: ["opus", "mpeg1video", "flac"]))
    }

    @Test(.enabled(if: isFFmpeg7, missing), arguments: [("libx265", "hevc"), ("libvpx-vp9", "vp9")])
    func modernCodecsGoIntoFLV(encoder: String, codec: String) throws {
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder)
        try encode(.video(config), pictures(count: 6, bytesPerFrame: Self.frame), to: folder.destination("a.flv"))
        let stream = try probe(folder.path("a.flv"))
        #expect(stream["codec_name"] == codec)
        #expect(stream["nb_read_frames"] == "6")
    }

    @Test(.enabled(if: isFFmpeg7, missing)) func hybridFileIsReadableBeforeItsEndAndOrdinaryAfterIt() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mp4"), format: nil)
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264", encoderOption: ["tune": "zerolatency"],
            codecConfig: CodecConfig(gopSize: 5))
        _ = try writer.addStream(.video(config))
        try writer.open(option: ["movflags": "hybrid_fragmented+frag_keyframe"])
        try writer.send(pictures(count: 20, bytesPerFrame: Self.frame))
        try writer.flush()
        // What a writer that is killed leaves.
        try folder.bytes("a.mp4").write(to: folder.url.appendingPathComponent("left.mp4"))
        #expect(try Int(probe(folder.path("left.mp4"))["nb_read_frames"] ?? "") ?? 0 >= 15)
        #expect(try boxes("left.mp4").contains("moof"))
        _ = try writer.close()
        #expect(try probe(folder.path("a.mp4"))["nb_read_frames"] == "20")
        #expect(try boxes("a.mp4").contains("moof") == false)
    }

    /// The types of a file's outermost boxes (ISO/IEC 14496-12, 4.2).
    private func boxes(_ name: String) throws -> [String] {
        let bytes = [UInt8](try folder.bytes(name))
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 << 8 | Int($1) } }
        var types: [String] = []
        var next = 0
        while next + 16 <= bytes.count {
            types.append(String(decoding: bytes[next + 4..<next + 8], as: UTF8.self))
            let size = number(next..<next + 4)
            next += size == 1 ? number(next + 8..<next + 16) : size == 0 ? bytes.count : size
        }
        return types
    }
}
