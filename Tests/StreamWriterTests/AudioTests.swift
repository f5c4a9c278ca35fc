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
}
