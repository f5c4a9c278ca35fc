import Foundation
import Libav
import Testing

/// One encoder with global headers serves containers of both kinds.
@Suite struct BitstreamAdaptionTests {
    /// A digest of each frame, by FFmpeg's own command line.
    private static func frames(_ clip: EncodedClip, _ muxer: String, demuxer: String? = nil) throws -> [Substring] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try clip.mux(muxer, to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ffmpeg", "-v", "quiet"] + (demuxer.map { ["-f", $0] } ?? []) + ["-i", path, "-f", "framemd5", "-"]
        let output = Pipe()
        (process.standardOutput, process.standardError, process.standardInput) = (output, FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: ",").last }
    }

    private static let video: [(encoder: String, options: [String: String], raw: String, demuxer: String, others: [String])] = [
        ("libx264", ["preset": "ultrafast"], "h264", "h264", ["matroska", "mpegts", "avi", "flv"]),
        ("libx265", ["preset": "ultrafast", "x265-params": "log-level=none"], "hevc", "hevc", ["matroska", "mpegts"]),
        ("mpeg4", [:], "m4v", "m4v", ["matroska", "mpegts", "avi", "mpeg"]),
        ("mpeg2video", [:], "mpeg2video", "mpegvideo", ["matroska", "mpegts", "avi", "mpeg"]),
    ]

    @Test(arguments: video.indices) func packetsOfGlobalHeadersDecodeToTheSameFramesEverywhere(index: Int) throws {
        let (encoder, options, raw, demuxer, others) = Self.video[index]
        let clip = try EncodedClip.video(encoder, "yuv420p", options: options)
        let expected = try Self.frames(clip, "mp4")
        #expect(expected.count == EncodedClip.pictures)
        #expect(try Self.frames(clip.adapted(to: raw), raw, demuxer: demuxer) == expected)
        for muxer in others { #expect(try Self.frames(clip.adapted(to: muxer), muxer) == expected, "\(muxer)") }
    }

    /// Otherwise there would be nothing to adapt.
    @Test(arguments: [("libx264", "h264", "h264"), ("libx265", "hevc", "hevc"), ("mpeg4", "m4v", "m4v"), ("mpeg4", "mpegts", "mpegts")])
    func withoutItsHeadersNothingCanBeDecoded(encoder: String, muxer: String, demuxer: String) throws {
        let clip = try EncodedClip.video(encoder, "yuv420p")
        #expect(try Self.frames(clip, muxer, demuxer: demuxer).isEmpty)
        #expect(try Self.frames(clip.adapted(to: muxer), muxer, demuxer: demuxer).count == EncodedClip.pictures)
    }

    @Test func aacGoesAsItIsEverywhere() throws {
        let clip = try EncodedClip.audio("aac", "fltp", ChannelLayout(channels: 2))
        for muxer in ["mp4", "adts", "mpegts", "matroska", "flv"] {
            #expect(BitstreamAdaption(clip.parameters, in: OutputFormat(named: muxer)!) == .none)
        }
        let adts = try Self.frames(clip, "adts")
        #expect(adts.count >= 12)
        #expect(try Self.frames(clip, "mpegts") == adts)
    }

    @Test func adaptionIsByCodecHeadersAndContainer() throws {
        func adaption(_ codec: String, _ hasGlobalHeader: Bool, _ muxer: String, _ option: [String: String] = [:]) -> BitstreamAdaption {
            BitstreamAdaption(codec: codec, hasGlobalHeader: hasGlobalHeader, in: OutputFormat(named: muxer)!.opened(with: option))
        }
        let dump = BitstreamAdaption.filter(name: "dump_extra", options: ["freq": "keyframe"])
        #expect(adaption("h264", true, "mpegts") == .none)
        #expect(adaption("mpeg4", true, "mpegts") == dump)
        #expect(adaption("mpeg4", true, "hls") == dump)
        #expect(adaption("h264", true, "hls") == .none)
        #expect(adaption("mpeg4", true, "hls", ["hls_segment_type": "fmp4"]) == .none)
        #expect(adaption("h264", true, "avi") == dump)
        #expect(adaption("h264", true, "segment") == dump)
        #expect(adaption("h264", false, "avi") == .none)
        #expect(adaption("h264", false, "mp4") == .needsGlobalHeader)
        #expect(adaption("h264", false, "flv") == .needsGlobalHeader)
        #expect(adaption("hevc", true, "mp4") == .none)
        #expect(adaption("mpeg2video", true, "mpegts") == .none)
        #expect(adaption("av1", true, "ivf") == .none)
    }

    @Test func filterLeavesItsPacketsAsTheyAre() throws {
        let clip = try EncodedClip.video("libx264", "yuv420p", options: ["preset": "ultrafast"])
        let before = try clip.packets.map { try $0.recordBytes }
        let filtered = try clip.filtered("dump_extra", ["freq": "keyframe"])
        #expect(try clip.packets.map { try $0.recordBytes } == before)
        #expect(filtered.packets.count == clip.packets.count)
        #expect(filtered.packets[0].byteCount > clip.packets[0].byteCount)
        #expect(filtered.packets.map(\.pts) == clip.packets.map(\.pts))
        #expect(filtered.parameters.timeBase == clip.parameters.timeBase)
    }

    @Test func filterTellsWhatItsPacketsAre() throws {
        let clip = try EncodedClip.audio("aac", "fltp", ChannelLayout(channels: 2))
        let filtered = try clip.filtered("null")
        #expect(try filtered.parameters.encoded == clip.parameters.encoded)
        let noise = try BitstreamFilter("noise", ["amount": "1"], clip.parameters)
        try noise.send(clip.packets[0])
        noise.flush()
        guard case .needsInput = try noise.receive() else { throw EncodedClip.TestFailure() }
    }

    @Test func filterThatCantBeIsRefusedWithWhatIsWrong() throws {
        let parameters = try EncodedClip.video("mpeg4", "yuv420p").parameters
        let unknown = #expect(throws: LibavError.self) { try BitstreamFilter("nosuch", [:], parameters) }
        #expect(unknown?.doing.contains("nosuch") == true)
        let option = #expect(throws: LibavError.self) { try BitstreamFilter("dump_extra", ["frequ": "all"], parameters) }
        #expect(option?.option == "frequ")
        #expect(throws: LibavError.self) { try BitstreamFilter("h264_mp4toannexb", [:], parameters) }
    }
}

extension EncodedClip {
    /// What its adaption to a muxer makes of it.
    func adapted(to muxer: String) throws -> EncodedClip {
        switch BitstreamAdaption(parameters, in: try #require(OutputFormat(named: muxer))) {
        case .none: return self
        case .needsGlobalHeader: throw TestFailure()
        case .filter(let name, let options): return try filtered(name, options)
        }
    }

    func filtered(_ name: String, _ options: [String: String] = [:]) throws -> EncodedClip {
        let filter = try BitstreamFilter(name, options, parameters)
        var filtered: [Packet] = []
        for packet in packets.map(Optional.some) + [nil] {
            try filter.send(packet)
            while case .packet(let packet) = try filter.receive() { filtered.append(packet) }
        }
        return EncodedClip(parameters: filter.output, packets: filtered)
    }
}
