import Foundation
import StreamWriter
import Testing

@Suite struct AudioTests {
    let folder = TemporaryFolder()

    @Test(arguments: ["wav", "flac"]) func samplesComeBackAsTheyWere(format: String) throws {
        let data = tone(samples: 10_007, channels: 2)
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
        try encode(.audio(config), data, to: folder.destination("a.\(format)"))
        #expect(try decodeAudio(folder.path("a.\(format)"), codec: "pcm_s16le") == data)
    }

    @Test func opusIsAlways48kHz() throws {
        let config = AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16, encoder: "opus")
        let summary = try encode(
            .audio(config), tone(samples: 44_100, channels: 2), to: folder.destination("a.ogg"))
        let stream = try probe(folder.path("a.ogg"))
        #expect(stream["sample_rate"] == "48000")
        #expect(stream["codec_name"] == "opus")
        #expect(summary.streams[0].frames == 44_100)
        #expect(abs(summary.duration - 1) < 1e-9)
        #expect(abs(Double(stream["duration"]!)! - 1) < 0.03)
    }

    @Test(arguments: zip(SampleFormat.allCases, ["u8", "s16le", "s32le", "s64le", "f32le", "f64le"]))
    func everySampleFormatComesBackAsItWas(format: SampleFormat, codec: String) throws {
        let samples = 5003
        let data = pictures(count: 1, bytesPerFrame: samples * 3 * format.bytesPerSample)
        let config = AudioStreamConfig(
            sampleRate: 16_000, numChannels: 3, format: format, encoder: "pcm_\(codec)")
        try encode(.audio(config), data, to: folder.destination("raw.nut"), piece: 777)
        #expect(try decodeAudio(folder.path("raw.nut"), codec: "pcm_\(codec)") == data)
    }

    @Test(arguments: ["pcm_s16le", "pcm_u8", "pcm_s32le"])
    func aSampleFormatIsChangedAsSwresampleDoes(encoder: String) throws {
        let values = (0..<30_000).map { Float(sin(Double($0) * 0.01) * 1.1) }
        let data = values.withUnsafeBytes { Data($0) }
        let config = AudioStreamConfig(sampleRate: 8000, numChannels: 2, format: .flt, encoder: encoder)
        try encode(.audio(config), data, to: folder.destination("ours.wav"))
        try data.write(to: folder.url.appendingPathComponent("input"))
        try run([
            "ffmpeg", "-v", "error", "-f", "f32le", "-ar", "8000", "-ac", "2", "-i", folder.path("input"),
            "-c:a", encoder, folder.path("theirs.wav"),
        ])
        #expect(
            try decodeAudio(folder.path("ours.wav"), codec: encoder)
                == decodeAudio(folder.path("theirs.wav"), codec: encoder))
    }

    @Test(arguments: [10, 64]) func manyChannelsGoThrough(channels: Int) throws {
        let data = tone(samples: 3000, channels: channels)
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: .s16)
        try encode(.audio(config), data, to: folder.destination("a.wav"))
        #expect(try folder.bytes("a.wav").suffix(data.count) == data)
    }

    @Test func moreChannelsThanAFrameHasPlanesAreConverted() throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 10, format: .s16, encoder: "libvorbis")
        try encode(.audio(config), tone(samples: 48_000, channels: 10), to: folder.destination("a.ogg"))
        #expect(try probe(folder.path("a.ogg"))["channels"] == "10")
    }

    @Test func aFilteredStreamDoesNotDependOnTheCuts() throws {
        let data = tone(samples: 30_001, channels: 2, rate: 44_100)
        var outputs: Set<Data> = []
        for piece in [Int.max, 4, 40_000] {
            let config = AudioStreamConfig(
                sampleRate: 44_100, numChannels: 2, format: .s16, encoder: "libopus", filterDesc: "atempo=1.5,volume=0.5")
            try encode(.audio(config), data, to: folder.destination("a.nut"), piece: piece)
            outputs.insert(try folder.bytes("a.nut"))
        }
        #expect(outputs.count == 1)
        #expect(abs(Double(try probeFormat(folder.path("a.nut"))["duration"]!)! - 30_001 / 44_100 / 1.5) < 0.05)
    }
}
