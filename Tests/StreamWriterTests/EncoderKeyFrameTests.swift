import Foundation
import StreamWriter
import Testing

/// A key frame that a client asks for is one, or the chunk is refused.
@Suite struct EncoderKeyFrameTests {
    let folder = TemporaryFolder()

    private static let refusing: Set<String> = [
        "apng", "cinepak", "ffv1", "flashsv", "flashsv2", "gif", "librav1e", "libsvtav1", "libtheora", "libwebp_anim", "msrle", "msvideo1", "qtrle", "roqvideo", "rpza",
        "smc", "snow", "svq1", "zmbv",
    ]
    private static let muxers = ["nut", "mov", "gif", "apng", "rm", "matroska"]

    private static func picture(_ number: Int, _ bytes: Int) -> Data {
        var data = Data(repeating: 0x40, count: bytes)
        let start = number * 40 % max(1, bytes - 600)
        data.replaceSubrange(start..<min(bytes, start + 600), with: [UInt8](repeating: UInt8(200 - number), count: min(bytes, start + 600) - start))
        return data
    }

    /// Of an encoder that makes one packet of several pictures.
    private struct NotCounted: Error {}
    private enum Outcome { case keyFrame, otherFrame, refused }

    /// What becomes of a key frame that is asked for at picture 7 of 0 to 15.
    private func outcome(_ encoder: String, _ muxer: String, groupSize: Int? = nil) throws -> Outcome {
        let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
        let index = try writer.addStream(
            .video(
                VideoStreamConfig(
                    frameRate: Rational(25, 1)!, width: 176, height: 144, encoder: encoder, encoderOption: StoredTests.fast[encoder] ?? [:],
                    codecConfig: .init(gopSize: groupSize))))
        try writer.open()
        let bytes = writer.description(of: index).inputFrameBytes
        for number in 0..<7 { try writer.send(Self.picture(number, bytes)) }
        do {
            let chunk = try writer.beginChunk(stream: index, pts: nil, keyFrame: true)
            try Self.picture(7, bytes).withUnsafeBytes { try chunk.write($0) }
            _ = try chunk.finish()
        } catch let error as StreamWriterError where error.parameter == "keyframe" {
            #expect(error.code == .unsupportedValue && error.message.contains(encoder))
            return .refused
        }
        for number in 8..<16 { try writer.send(Self.picture(number, bytes)) }
        _ = try writer.close()
        guard let probe = try Probe(ifReadable: folder.path("out"), showing: ["packets"]) else { throw NotCounted() }
        let packets = probe.packets
            .sorted { $0.number("pts_time") ?? $0.number("dts_time") ?? 0 < $1.number("pts_time") ?? $1.number("dts_time") ?? 0 }
        if packets.count != 16 { throw NotCounted() }
        let flags: String = packets[7]["flags"] ?? ""
        return flags.hasPrefix("K") ? .keyFrame : .otherFrame
    }

    @Test func everyEncoderMakesThemOrRefuses() throws {
        let list = String(decoding: try run(["ffmpeg", "-hide_banner", "-encoders"]), as: UTF8.self)
        let encoders = list.split(separator: "\n").filter { $0.hasPrefix(" V") && !$0.contains("=") }
            .compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        var made: Set<String> = []
        for encoder in encoders {
            guard let outcome = Self.muxers.lazy.compactMap({ try? outcome(encoder, $0) }).first else { continue }
            // Dirac's packets are never flagged; vc2 makes no others.
            if encoder == "vc2" { continue }
            made.insert(encoder)
            #expect(outcome == (Self.refusing.contains(encoder) ? .refused : .keyFrame), "\(encoder)")
        }
        #expect(made.isSuperset(of: ["libx264", "libx265", "libvpx", "mpeg4", "mjpeg", "ffv1", "libtheora", "gif"]))
    }

    @Test(arguments: ["ffv1", "qtrle", "snow", "svq1", "flashsv"] + (isFFmpeg7 ? ["msrle"] : [])) func withGroupsOfOneEveryPictureIsOne(encoder: String) throws {
        #expect(try outcome(encoder, ["qtrle", "svq1", "msrle"].contains(encoder) ? "mov" : "nut", groupSize: 1) == .keyFrame)
    }
}
