import Foundation
import StreamWriter
import Testing

/// Parameters that change what an encoder makes, seen in what it made.
@Suite struct EncoderParameterTests {
    let folder = TemporaryFolder()
    static let (width, height) = (64, 48)
    static let frame = width * height * 3
    static let reading = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", "25"]

    private func video(
        _ encoder: String, _ container: String, _ config: CodecConfig, option: [String: String] = [:], frames: Int = 12
    ) throws -> Twin {
        try Twin(
            .video(
                VideoStreamConfig(
                    frameRate: Rational(25, 1)!, width: Self.width, height: Self.height, encoder: encoder,
                    encoderOption: option, codecConfig: config)),
            pictures(count: frames, bytesPerFrame: Self.frame), container: container, input: Self.reading)
    }

    private func audio(_ encoder: String, _ container: String, _ config: CodecConfig) throws -> Twin {
        try Twin(
            .audio(AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16, encoder: encoder, codecConfig: config)),
            tone(samples: 20_000, channels: 2), container: container, input: ["-f", "s16le", "-ar", "44100", "-ac", "2"])
    }

    @Test(arguments: [("libmp3lame", "mp3", 9.0, 0.0), ("libvorbis", "ogg", 0.0, 9.0), ("libvorbis", "ogg", -1.0, 0.0), ("aac", "mp4", 0.3, 2.0)])
    func audioQscaleIsFFmpegs(encoder: String, container: String, small: Double, large: Double) throws {
        let sizes = try [small, large].map { scale in
            let twin = try audio(encoder, container, CodecConfig(qscale: scale))
            #expect(twin.packetDifference == nil)
            return try Data(contentsOf: URL(fileURLWithPath: twin.oursPath)).count
        }
        #expect(sizes[0] < sizes[1])
    }

    @Test(arguments: [("mpeg4", "avi"), ("mjpeg", "avi"), ("mpeg2video", "ts"), ("flv", "flv")])
    func videoQscaleIsFFmpegs(encoder: String, container: String) throws {
        let sizes = try [20.0, 2].map { scale in
            let twin = try video(encoder, container, CodecConfig(qscale: scale))
            #expect(twin.packetDifference == nil)
            return try Data(contentsOf: URL(fileURLWithPath: twin.oursPath)).count
        }
        #expect(sizes[0] < sizes[1])
    }

    @Test(arguments: [("libmp3lame", "mp3", 64_000), ("libmp3lame", "mp3", 192_000), ("aac", "aac", 48_000), ("ac3", "ac3", 96_000)])
    func audioBitRateIsInTheFile(encoder: String, container: String, rate: Int) throws {
        let twin = try audio(encoder, container, CodecConfig(bitRate: rate))
        #expect(twin.packetDifference == nil)
        #expect(twin.description.bitRate == rate)
        if container != "aac" { #expect(twin.ours.streams[0]["bit_rate"] == "\(rate)") }
    }

    @Test(arguments: [("libx264", "mp4"), ("mpeg4", "avi"), ("libvpx", "webm")])
    func videoBitRateIsFFmpegs(encoder: String, container: String) throws {
        let sizes = try [20_000, 900_000].map { rate in
            let twin = try video(encoder, container, CodecConfig(bitRate: rate))
            #expect(twin.packetDifference == nil)
            return twin.ours.packets.compactMap { $0.number("size") }.reduce(0, +)
        }
        #expect(sizes[0] < sizes[1])
    }

    @Test func aRateLimitIsInTheFilesHeader() throws {
        let twin = try video("libx264", "mp4", CodecConfig(bitRate: 90_000), option: ["maxrate": "100000", "bufsize": "50000"])
        #expect(twin.packetDifference == nil)
        #expect(twin.streamDifferences == [])
        #expect(try Data(contentsOf: URL(fileURLWithPath: twin.oursPath)).range(of: Data("btrt".utf8)) != nil)
    }

    @Test(arguments: [
        ("libx264", 0, nil, "IIIIIIIIIIII"), ("libx264", 1, nil, "IIIIIIIIIIII"), ("mpeg4", 0, nil, "IIIIIIIIIIII"),
        ("libx264", 4, 0, "IPPPIPPPIPPP"), ("mpeg4", 5, 0, "IPPPPIPPPPIP"), ("mpeg4", 6, 2, "IBBPBBIBBPBI"),
        ("mpeg2video", 12, 1, "IBPBPBPBPBPP"),
    ])
    func gopSizeAndBFramesAreInTheBitstream(encoder: String, gop: Int, bFrames: Int?, types: String) throws {
        let option = encoder == "libx264" ? ["sc_threshold": "0"] : ["sc_threshold": "1000000000"]
        let twin = try video(encoder, encoder == "mpeg2video" ? "ts" : "mp4", CodecConfig(gopSize: gop, maxBFrames: bFrames), option: option)
        #expect(twin.packetDifference == nil)
        let frames = try Probe(twin.oursPath, showing: ["frames"]).frames
        #expect(frames.compactMap { $0["pict_type"] as String? }.joined() == types)
    }

    @Test(arguments: [("flac", "flac", 0, 12)]) func audioCompressionLevelIsFFmpegs(encoder: String, container: String, low: Int, high: Int) throws {
        let sizes = try [high, low].map { level in
            let twin = try audio(encoder, container, CodecConfig(compressionLevel: level))
            #expect(twin.packetDifference == nil)
            return try Data(contentsOf: URL(fileURLWithPath: twin.oursPath)).count
        }
        #expect(sizes[0] != sizes[1])
    }

    @Test func pngCompressionLevelIsFFmpegs() throws {
        let sizes = try [9, 1].map { level in
            let twin = try video("png", "mov", CodecConfig(compressionLevel: level), frames: 3)
            #expect(twin.packetDifference == nil)
            return twin.ours.packets.compactMap { $0.number("size") }.reduce(0, +)
        }
        #expect(sizes[0] != sizes[1])
    }

    @Test(arguments: [
        ([:], "threads=1", "sliced_threads=0"), (["threads": "3"], "threads=3", "sliced_threads=0"),
        (["threads": "2", "thread_type": "slice"], "threads=2", "sliced_threads=1"),
        (["threads": "2", "thread_type": "frame"], "threads=2", "sliced_threads=0"),
    ])
    func x264SaysHowManyThreadsItHas(option: [String: String], threads: String, sliced: String) throws {
        let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 128, height: 128, encoder: "libx264", encoderOption: option)
        try encode(.video(config), pictures(count: 3, bytesPerFrame: 128 * 128 * 3), to: folder.destination("a.mp4"))
        let text = String(decoding: try folder.bytes("a.mp4"), as: Unicode.ASCII.self)
        #expect(text.contains(" \(threads) "))
        #expect(text.contains(" \(sliced) "))
    }

    @Test(arguments: ["mp4", "mkv", "webm", "avi", "mov", "flv", "ts", "mpg", "ogg", "mp3", "wav", "flac", "aac", "m4a", "gif", "nut", "asf", "wv", "opus", "ac3", "aiff", "mxf", "caf", "3gp", "ogv", "apng", "y4m", "webp", "ivf"])
    func theDefaultEncodersAreFFmpegs(container: String) throws {
        let muxer = try StreamWriter.resolveMuxer(format: nil, name: "a." + container)
        let help = String(decoding: try run(["ffmpeg", "-hide_banner", "-h", "muxer=" + muxer.name]), as: UTF8.self)
        func codec(_ media: String) -> String? {
            help.split(separator: "\n").first { $0.contains("Default \(media) codec:") }?
                .split(separator: ":").last.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " .")) }
        }
        let encoders = String(decoding: try run(["ffmpeg", "-hide_banner", "-encoders"]), as: UTF8.self)
        for (media, chosen) in [("audio", muxer.defaultAudioEncoder), ("video", muxer.defaultVideoEncoder)] {
            guard let codec = codec(media) else { continue }
            // Of a codec's encoders FFmpeg takes the first in its list, experimental ones last.
            let lines = encoders.split(separator: "\n").filter {
                $0.contains("(codec \(codec))") || $0.split(separator: " ").dropFirst().first == codec[...]
            }
            if lines.isEmpty { continue }
            let names = lines.map { String($0.split(separator: " ")[1]) }
            #expect(chosen.map(names.contains) == true, "\(container) \(media): \(chosen ?? "none") of \(names)")
        }
    }
}
