import Foundation
import StreamWriter
import Testing

/// Channels and rates that an encoder does not take.
@Suite struct ChannelChoiceTests {
    let folder = TemporaryFolder()

    private func chosen(_ channels: Int, _ encoder: String?, _ name: String = "a.mkv", _ change: (inout AudioStreamConfig) -> Void = { _ in }) throws -> StreamDescription {
        var config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: .s16, encoder: encoder)
        change(&config)
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        return writer.description(of: try writer.addStream(.audio(config)))
    }

    @Test(arguments: [
        ("libmp3lame", 6, 2), ("mp2", 6, 2), ("libtwolame", 8, 2), ("libspeex", 6, 2), ("ac3", 8, 6), ("eac3", 8, 6), ("ac3", 6, 6), ("wmav2", 6, 2), ("libopus", 8, 8),
        ("adpcm_ima_wav", 6, 2), ("g726", 2, 1), ("vorbis", 1, 2), ("aac", 8, 8),
    ])
    func channelsAreMixedToTheMostThatFit(encoder: String, channels: Int, expected: Int) throws {
        let description = try chosen(channels, encoder) {
            if encoder == "g726" { $0.sampleRate = 8000 }
            if encoder == "vorbis" { $0.encoderOption = ["strict": "experimental"] }
        }
        #expect(description.encoderNumChannels == expected)
        #expect(description.warnings.contains { $0.code == .channelsMixed && $0.parameter == "encoder_num_channels" } == (channels != expected))
    }

    @Test(arguments: ["a.mp3", "a.mp2", "a.ts", "a.avi"]) func theDefaultsMakeStereoOfSix(name: String) throws {
        #expect(try chosen(6, nil, name).encoderNumChannels == (name == "a.avi" ? try Self.ffmpegs(name) : 2))
    }

    private static func ffmpegs(_ name: String) throws -> Int {
        let folder = TemporaryFolder()
        try Data(count: 96_000).write(to: folder.url.appendingPathComponent("input"))
        try run(["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "6", "-i", folder.path("input"), folder.path(name)])
        return Int(try Probe(folder.path(name)).streams[0]["channels"] ?? "") ?? 0
    }

    @Test func sixChannelsAreAllHeardInStereo() throws {
        // Only the center speaks.
        var samples = [Int16](repeating: 0, count: 48_000 * 6)
        for index in 0..<48_000 { samples[index * 6 + 2] = Int16(sin(Double(index) * 0.05) * 12_000) }
        try encode(
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 6, format: .s16, encoder: "libmp3lame")), samples.withUnsafeBytes { Data($0) },
            to: folder.destination("a.mp3"))
        let heard = try decodeAudio(folder.path("a.mp3"), codec: "pcm_s16le").withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        for side in 0..<2 { #expect(stride(from: side, to: heard.count, by: 2).contains { abs(Int(heard[$0])) > 3000 }) }
    }

    @Test(arguments: [("alac", 16, "8"), ("flac", 16, "8"), ("mlp", 8, "6"), ("truehd", 7, "6")])
    func losslessEncoderLosesNoChannel(encoder: String, channels: Int, most: String) throws {
        let error = try #require(throws: StreamWriterError.self) { try chosen(channels, encoder) }
        #expect(error.code == .unsupportedValue)
        #expect(error.parameter == "encoder_num_channels")
        #expect(error.supported?.last == most)
        #expect(try chosen(channels, encoder) { $0.encoderNumChannels = 2 }.encoderNumChannels == 2)
    }

    /// The layouts are those that `ffmpeg -h encoder=…` lists.
    @Test(arguments: [
        ("alac", "2.1", 3, "3.0", "a.caf"), ("alac", "quad", 4, "4.0", "a.caf"), ("alac", "3.1", 4, "4.0", "a.caf"), ("alac", "4.1", 5, "5.0", "a.caf"),
        ("alac", "hexagonal", 6, "5.1", "a.caf"), ("alac", "6.1", 7, "6.1(back)", "a.caf"), ("alac", "7.0", 7, "6.1(back)", "a.caf"),
        ("alac", "7.1", 8, "7.1(wide)", "a.caf"), ("alac", "octagonal", 8, "7.1(wide)", "a.caf"), ("s302m", "quad", 4, "4.0", "a.ts"),
        ("mlp", "5.1(side)", 6, "5.1", "a.mlp"),
    ])
    func losslessEncoderMixesNoNamedChannels(encoder: String, layout: String, channels: Int, taken: String, name: String) throws {
        let error = try #require(throws: StreamWriterError.self) { try chosen(channels, encoder, name) { $0.channelLayout = layout } }
        #expect(error.code == .unsupportedValue && error.parameter == "channel_layout" && error.supported == [taken], "\(error)")
        #expect(error.message.contains("Without channel_layout") && error.message.contains(layout) && error.message.contains(taken))
        #expect(try chosen(channels, encoder, name) { ($0.channelLayout, $0.encoderNumChannels) = (layout, channels) }.encoderNumChannels == channels)
        if encoder != "alac" { return }
        // As the refusal says.
        let data = tone(samples: 9600, channels: channels)
        try encode(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: .s16, encoder: encoder)), data, to: folder.destination(name))
        #expect(try decodeAudio(folder.path(name), codec: "pcm_s16le") == data)
    }

    @Test func losslessEncoderMixesNoChannelsThatFiltersGive() throws {
        let error = try #require(throws: StreamWriterError.self) { try chosen(4, "alac", "a.caf") { $0.filterDesc = "aformat=channel_layouts=quad" } }
        #expect(error.parameter == "filter_desc" && error.message.contains("aformat=channel_layouts=4.0"), "\(error)")
        #expect(try chosen(4, "alac", "a.caf") { $0.filterDesc = "aformat=channel_layouts=quad,aformat=channel_layouts=4.0" }.warnings.filter { $0.code == .channelsMixed } == [])
    }

    @Test(arguments: [
        ("libspeex", 44_100, 32_000), ("libspeex", 11_025, 16_000), ("libspeex", 6000, 8000), ("libspeex", 16_000, 16_000), ("libmp3lame", 96_000, 44_100),
        ("libopus", 44_100, 48_000), ("aac", 48_000, 48_000), ("ac3", 96_000, 44_100), ("g722", 48_000, 16_000),
    ])
    func rateIsReplacedAndSaid(encoder: String, rate: Int, expected: Int) throws {
        let description = try chosen(1, encoder) { $0.sampleRate = rate }
        #expect(description.encoderSampleRate == expected)
        #expect(description.warnings.contains { $0.code == .sampleRateChanged } == (rate != expected))
    }

    @Test func loudnormLeavesTheRate() throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "flac", filterDesc: "loudnorm")
        try encode(.audio(config), tone(samples: 48_000, channels: 2), to: folder.destination("a.flac"))
        #expect(try Probe(folder.path("a.flac")).streams[0]["sample_rate"] == "48000")
        var other = config
        other.encoderSampleRate = 192_000
        try encode(.audio(other), tone(samples: 48_000, channels: 2), to: folder.destination("b.flac"))
        #expect(try Probe(folder.path("b.flac")).streams[0]["sample_rate"] == "192000")
    }

    @Test(arguments: [
        ("5.1(side)", 6, "pcm_s16le", "a.wav", "5.1(side)"), ("5.1", 6, "pcm_s16le", "a.wav", "5.1"), ("quad", 4, "flac", "a.flac", "quad"),
        ("quad(side)", 4, "pcm_s16le", "a.mov", "quad(side)"), ("5.1(side)", 6, "ac3", "a.mkv", "5.1(side)"), ("7.1(wide)", 8, "pcm_s24le", "a.wav", "7.1(wide)"),
        ("4.0", 4, "aac", "a.m4a", "4.0"),
    ])
    func channelLayoutReachesTheFile(layout: String, channels: Int, encoder: String, name: String, expected: String) throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, channelLayout: layout, format: .s16, encoder: encoder)
        try encode(.audio(config), tone(samples: 9600, channels: channels), to: folder.destination(name))
        #expect(try Probe(folder.path(name)).streams[0]["channel_layout"] == expected)
        #expect(try chosen(channels, encoder, name) { $0.channelLayout = layout }.warnings == [])
    }

    @Test func channelLayoutReachesTheFilters() throws {
        // The back channels of quad are none of quad(side).
        let config = AudioStreamConfig(
            sampleRate: 48_000, numChannels: 4, channelLayout: "quad(side)", format: .s16, encoder: "pcm_s16le", filterDesc: "pan=mono|c0=SL")
        let data = tone(samples: 4800, channels: 4)
        try encode(.audio(config), data, to: folder.destination("a.wav"))
        let samples = data.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        let third = stride(from: 2, to: samples.count, by: 4).map { samples[$0] }
        #expect(try decodeAudio(folder.path("a.wav"), codec: "pcm_s16le") == third.withUnsafeBytes { Data($0) })
    }

    @Test func ambisonicSoundIsTakenAsItIs() throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 16, channelLayout: "ambisonic 3", format: .s16, encoder: "pcm_s16le")
        let data = tone(samples: 4800, channels: 16)
        try encode(.audio(config), data, to: folder.destination("a.mkv"))
        #expect(try decodeAudio(folder.path("a.mkv"), codec: "pcm_s16le") == data)
    }

    @Test(arguments: [("5.1", 4), ("nope", 2), ("", 2), ("FR+FL", 2)]) func layoutMustFitTheChannels(layout: String, channels: Int) throws {
        let error = try #require(throws: StreamWriterError.self) { try chosen(channels, "pcm_s16le", "a.wav") { $0.channelLayout = layout } }
        #expect(error.parameter == "channel_layout")
        #expect(error.supported?.contains(channels == 4 ? "quad" : "stereo") == true)
    }
}
