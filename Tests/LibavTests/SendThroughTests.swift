import Foundation
import Libav
import Testing

/// Frames that are packets as they are: what the encoder would have made of them.
@Suite struct SendThroughTests {
    @Test(arguments: [
        ("pcm_u8", "u8"), ("pcm_s16le", "s16"), ("pcm_s32le", "s32"), ("pcm_f32le", "flt"), ("pcm_f64le", "dbl"),
    ])
    func samplesInTheOrderOfTheirFileGoPastTheEncoder(encoder: String, format: String) throws {
        for channels in [1, 2, 6, 12] {
            let layout = ChannelLayout(channels: channels)
            let past = try EncodedClip.audio(encoder, format, layout, past: true)
            #expect(past.wentPast == past.packets.count)
            try expectSame(past, EncodedClip.audio(encoder, format, layout))
        }
    }

    @Test(arguments: [
        ("pcm_s16be", "s16"), ("pcm_s24le", "s32"), ("pcm_alaw", "s16"), ("pcm_s16le_planar", "s16p"), ("adpcm_ima_wav", "s16p"), ("flac", "s16"),
    ])
    func allOthersAreEncoded(encoder: String, format: String) throws {
        let layout = ChannelLayout(channels: 2)
        let past = try EncodedClip.audio(encoder, format, layout, past: true)
        #expect(past.wentPast == 0)
        try expectSame(past, EncodedClip.audio(encoder, format, layout))
    }

    private func expectSame(_ one: EncodedClip, _ other: EncodedClip) throws {
        func times(_ clip: EncodedClip) -> [[Int64?]] { clip.packets.map { [$0.pts, $0.dts, $0.duration, $0.isKey ? 1 : 0] } }
        #expect(times(one) == times(other))
        #expect(try one.muxed("nut") == other.muxed("nut"))
    }
}
