import Foundation
import StreamWriter
import Testing

/// Sound comes out of the channel that it was sent in.
@Suite struct OpusChannelTests {
    let folder = TemporaryFolder()

    private static func frequency(_ channel: Int) -> Double { 200 + 100 * Double(channel) }

    /// A second: 200 Hz in the first channel, 300 in the second, and so on.
    private static func sines(_ channels: Int, _ format: SampleFormat) -> Data {
        let values = (0..<48_000 * channels).map { index in
            0.3 * sin(2 * .pi * frequency(index % channels) * Double(index / channels) / 48_000)
        }
        return format == .s16 ? values.map { Int16(($0 * 32_767).rounded()) }.withUnsafeBytes { Data($0) } : values.map(Float.init).withUnsafeBytes { Data($0) }
    }

    /// The frequency that is loudest in each channel, by the discrete Fourier transform at these.
    private static func heard(_ path: String, _ channels: Int, decoder: String) throws -> [Double] {
        let data = try run(["ffmpeg", "-v", "error", "-c:a", decoder, "-i", path, "-f", "f32le", "-"])
        let samples = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        try #require(samples.count > channels * 40_000)
        return (0..<channels).map { channel in
            let loudness = (0..<channels).map { candidate -> Double in
                var (real, imaginary) = (0.0, 0.0)
                for time in 9_600..<38_400 {
                    let phase = 2 * Double.pi * frequency(candidate) * Double(time) / 48_000
                    let sample = Double(samples[time * channels + channel])
                    real += sample * cos(phase)
                    imaginary += sample * sin(phase)
                }
                return real * real + imaginary * imaginary
            }
            return frequency(loudness.indices.max { loudness[$0] < loudness[$1] }!)
        }
    }

    /// Of 5 channels the center was heard from behind, and of 7 from the side.
    @Test(arguments: 1...8, ["a.ogg", "a.mkv"]) func channelsStayWhereTheyAre(channels: Int, name: String) throws {
        for format in [SampleFormat.flt, .s16] {
            let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: format, encoder: "libopus", codecConfig: CodecConfig(bitRate: 96_000 * channels))
            try encode(.audio(config), Self.sines(channels, format), to: folder.destination(name))
            for decoder in ["opus", "libopus"] {
                #expect(try Self.heard(folder.path(name), channels, decoder: decoder) == (0..<channels).map(Self.frequency), "\(decoder)")
            }
        }
    }

    @Test(arguments: [("5.0", "anull"), ("6.1", "asetnsamples=500"), ("5.0", nil), ("6.1", nil)] as [(String, String?)])
    func channelsThatAreNamedStayWhereTheyAre(layout: String, filter: String?) throws {
        let channels = layout == "5.0" ? 5 : 7
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, channelLayout: layout, encoder: "libopus", filterDesc: filter)
        try encode(.audio(config), Self.sines(channels, .flt), to: folder.destination("a.mkv"))
        #expect(try Probe(folder.path("a.mkv")).streams[0]["channel_layout"] == layout)
        #expect(try Self.heard(folder.path("a.mkv"), channels, decoder: "opus") == (0..<channels).map(Self.frequency))
        // A mapping that libav's encoder has in the right order.
        var mapped = config
        mapped.numChannels = 5
        mapped.channelLayout = "5.0"
        mapped.encoderOption = ["mapping_family": "1"]
        try encode(.audio(mapped), Self.sines(5, .flt), to: folder.destination("b.mkv"))
        #expect(try Self.heard(folder.path("b.mkv"), 5, decoder: "opus") == (0..<5).map(Self.frequency))
    }

    @Test func sevenChannelsThatMPEGTSCannotTellAreRefused() throws {
        func config(_ channels: Int, _ option: [String: String] = [:]) -> StreamConfig {
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: channels, encoder: "libopus", encoderOption: option))
        }
        let error = try #require(throws: StreamWriterError.self) { try encode(config(7), Data(), to: folder.destination("a.ts")) }
        #expect(error.code == .unsupportedValue && error.parameter == "encoder_num_channels" && error.message.contains("mapping_family"), "\(error)")
        for (channels, option) in [(5, [:]), (6, [:]), (8, [:]), (7, ["mapping_family": "1"])] {
            try encode(config(channels, option), Self.sines(channels, .flt), to: folder.destination("a.ts"))
            #expect(try Probe(folder.path("a.ts")).streams[0]["channels"] == "\(channels)")
        }
    }
}
