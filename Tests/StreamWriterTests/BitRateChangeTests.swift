import Foundation
import StreamWriter
import Testing

/// Which encoders take another bit rate while they run, by what comes out of them.
@Suite struct BitRateChangeTests {
    let folder = TemporaryFolder()

    struct Case: CustomTestStringConvertible {
        let encoder: String
        let from: Int
        let to: Int
        var option: [String: String] = [:]
        var change: [String: String] = [:]
        var testDescription: String { "\(encoder) \(from) \(to)" }
        var isAudio: Bool { ["aac", "opus"].contains(encoder) }
    }

    private static let buffer = ["preset": "ultrafast", "maxrate": "800000", "bufsize": "400000"]

    private func config(_ encoder: String, isAudio: Bool, bitRate: Int?, option: [String: String], qscale: Double? = nil) -> StreamConfig {
        if isAudio {
            return .audio(
                AudioStreamConfig(
                    sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder, encoderOption: option,
                    codecConfig: .init(bitRate: bitRate, qscale: qscale)))
        }
        return .video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 176, height: 144, format: "yuv420p", encoder: encoder, encoderOption: option,
                codecConfig: .init(bitRate: bitRate, qscale: qscale)))
    }

    /// Noise, which takes as many bits as there are.
    private static func noise(_ bytes: Int, seed: UInt64) -> Data {
        var state = seed
        var data = Data(count: bytes)
        data.withUnsafeMutableBytes { bytes in
            for index in bytes.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[index] = UInt8(truncatingIfNeeded: state >> 56)
            }
        }
        return data
    }

    /// Bytes of the packets of the first and the second half, in which the rate is changed.
    private func halves(_ test: Case, changes: Bool) throws -> (Int, Int) {
        let name = "\(test.encoder)-\(changes).mkv"
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        _ = try writer.addStream(config(test.encoder, isAudio: test.isAudio, bitRate: test.from, option: test.option))
        try writer.open()
        // Four seconds each.
        let bytes = test.isAudio ? 4 * 48_000 * 4 : 100 * 176 * 144 * 3 / 2
        try writer.send(Self.noise(bytes, seed: 1))
        if changes { try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: test.to, encoderOption: test.change)) }
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        try Self.noise(bytes, seed: 2).withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
        if changes { #expect(writer.progress(of: 0).bitRate == test.to) }
        let summary = try writer.close()
        let probe = try Probe(folder.path(name), showing: ["packets", "frames"])
        // All of it can be decoded.
        #expect(test.isAudio || probe.frames.count == 200)
        #expect(probe.packets.count == Int(summary.streams[0].packets))
        var sizes = [0, 0]
        for packet in probe.packets { sizes[packet.number("pts_time") ?? 0 < 4 ? 0 : 1] += Int(packet.number("size") ?? 0) }
        return (sizes[0], sizes[1])
    }

    @Test(arguments: [
        Case(encoder: "libx264", from: 800_000, to: 200_000, option: buffer),
        Case(
            encoder: "libx264", from: 400_000, to: 1_200_000, option: ["preset": "ultrafast", "maxrate": "400k", "bufsize": "200k"],
            change: ["maxrate": "1.2M", "bufsize": "600k"]),
        Case(encoder: "libx264rgb", from: 800_000, to: 300_000, option: buffer, change: ["bufsize": "150000"]),
        Case(encoder: "vc2", from: 16_000_000, to: 8_000_000, option: ["strict": "experimental"]),
        Case(encoder: "aac", from: 192_000, to: 96_000),
        Case(encoder: "opus", from: 192_000, to: 96_000, option: ["strict": "experimental"]),
    ])
    func itIsWhatComesOut(test: Case) throws {
        let kept = try halves(test, changes: false), changed = try halves(test, changes: true)
        let wanted = Double(test.to) / Double(test.from)
        let found = Double(changed.1) / Double(kept.1)
        // The buffer gives and takes a little.
        #expect(found > wanted * 0.8 && found < wanted * 1.25, "\(kept) \(changed)")
    }

    /// All others, by ffmpeg's own list, say so and name those that do.
    @Test func everyOtherEncoderRefuses() throws {
        let taking: Set = ["libx264", "libx264rgb", "vc2", "aac", "opus", "h264_nvenc", "hevc_nvenc", "av1_nvenc"]
        let list = String(decoding: try run(["ffmpeg", "-hide_banner", "-encoders"]), as: UTF8.self)
        var refused: Set<String> = []
        for line in list.split(separator: "\n") where (line.hasPrefix(" V") || line.hasPrefix(" A")) && !line.contains("=") {
            guard let encoder = line.split(separator: " ").dropFirst().first.map(String.init), !taking.contains(encoder) else { continue }
            let isAudio = line.hasPrefix(" A")
            let writer = try StreamWriter(destination: folder.destination("x.nut"), format: "nut")
            let option = StoredTests.fast[encoder] ?? [:]
            guard (try? writer.addStream(config(encoder, isAudio: isAudio, bitRate: nil, option: option))) != nil, (try? writer.open()) != nil
            else { continue }
            do {
                try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: 64_000))
                Issue.record("\(encoder) takes it")
            } catch {
                #expect(error.code == .unsupportedValue && error.parameter == "codec_config.bit_rate", "\(encoder)")
                #expect(error.supported?.contains(isAudio ? "aac" : "libx264") == true, "\(encoder)")
                refused.insert(encoder)
            }
            writer.abort()
        }
        #expect(refused.isSuperset(of: ["libx265", "libvpx", "libvpx-vp9", "mpeg4", "mpeg2video", "libopus", "libmp3lame", "ac3", "flac"]))
    }

    /// What x264 would take without a word, and not do.
    @Test(arguments: [
        (nil, buffer, "codec_config.bit_rate"), (800_000, ["preset": "ultrafast"], "encoder_option.maxrate"),
        (nil, ["preset": "ultrafast", "crf": "23", "maxrate": "800000", "bufsize": "400000"], "crf"),
        // Its average it settles once.
        (400_000, buffer, "constant"),
        (800_000, buffer.merging(["x264-params": "qcomp=0.5"]) { $1 }, "x264-params"),
        (800_000, buffer.merging(["nal-hrd": "vbr"]) { $1 }, "nal-hrd"),
    ])
    func x264RefusesWhereItWouldNotChange(bitRate: Int?, option: [String: String], reason: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        _ = try writer.addStream(config("libx264", isAudio: false, bitRate: bitRate, option: option))
        try writer.open()
        do {
            try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: 200_000))
            Issue.record("taken")
        } catch {
            #expect(error.code == .unsupportedValue && error.message.contains(reason), "\(error.message)")
        }
        writer.abort()
    }

    @Test func whatIsOutOfRangeNamesItsParameter() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        _ = try writer.addStream(config("libx264", isAudio: false, bitRate: 800_000, option: Self.buffer))
        #expect(code { try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: 1)) } == .wrongState)
        try writer.open()
        for (bitRate, option, parameter) in [
            (999, [:], "codec_config.bit_rate"), (-1, [:], "codec_config.bit_rate"), (Int.max, [:], "codec_config.bit_rate"),
            (100_000, ["maxrate": "200k"], "encoder_option.maxrate"),
            (100_000, ["maxrate": "much"], "encoder_option.maxrate"), (100_000, ["bufsize": "0"], "encoder_option.bufsize"),
            (100_000, ["crf": "20"], "encoder_option.crf"),
        ] {
            do {
                try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: bitRate, encoderOption: option))
                Issue.record("\(parameter) taken")
            } catch {
                #expect(error.parameter == parameter, "\(error)")
            }
        }
        // What changes with it.
        let made = try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: 900_000, encoderOption: ["bufsize": "450k"]))
        #expect(made.encoderOption == ["bufsize": "450k", "maxrate": "900000"])
        writer.abort()
    }
}
