import Foundation
import StreamWriter
import Testing

/// A gap before the first frame and one between, through every muxer there is: ffprobe finds them in the file.
@Suite struct EveryMuxerGapTests {
    let folder = TemporaryFolder()

    static let muxers = Capabilities.muxers().map(\.name).filter { name in
        let info = try? StreamWriter.resolveMuxer(format: name, name: "")
        // Smooth Streaming's times are in a box of its own, which FFmpeg does not read; ico has none at all.
        return info.map { $0.needsFile && !$0.isDevice } ?? false && !["ismv", "ico", "uncodedframecrc"].contains(name)
    }

    private static let pictures: [StreamConfig] = [(64, 48), (176, 144), (720, 576), (128, 96)].map {
        .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: $0.0, height: $0.1))
    }

    private static let sounds: [StreamConfig] = [(48_000, 2), (44_100, 2), (22_050, 1), (8_000, 1)].map {
        .audio(AudioStreamConfig(sampleRate: $0.0, numChannels: $0.1, format: .s16))
    }

    /// 0.4 s from 0.48 s on, and as much from 2 s on. Also how many pictures or samples a second are encoded.
    private func write(_ stream: StreamConfig, _ muxer: String) throws -> (WriterSummary, Double) {
        let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
        _ = try writer.addStream(stream)
        try writer.open()
        for (seed, pts) in [(1, 0.48), (2, 2.0)] {
            switch stream {
            case .audio(let audio):
                try writer.send(tone(samples: audio.sampleRate * 2 / 5, channels: audio.numChannels, rate: audio.sampleRate), pts: pts)
            case .video(let video):
                let size = video.width * video.height * 3
                try writer.send(StreamWriterTests.pictures(count: 10, bytesPerFrame: size, seed: UInt64(seed)), pts: pts)
            }
        }
        let rate = writer.description(of: 0).encoderSampleRate ?? 25
        return (try writer.close(), Double(rate))
    }

    private func expectGaps(_ tries: [StreamConfig], _ muxer: String, _ codec: String?) throws {
        guard let codec, let (summary, rate) = tries.lazy.compactMap({ try? write($0, muxer) }).first
        else { return }
        guard let probe = try? Probe(ifReadable: folder.path("out"), showing: ["packets"]),
            // Of an animation in AVIF, FFmpeg 7 reads the picture that stands for it first.
            let stream = probe.streams.lastIndex(where: { $0["codec_name"] == codec })
        else {
            // Some that FFmpeg writes it does not read, or takes for something else: of those, raw ones are as long as they were filled.
            let info = try StreamWriter.resolveMuxer(format: muxer, name: "")
            guard info.gapFilling(of: rate == 25 ? .video : .audio) == .all else { return }
            let frames = Double(summary.streams[0].framesEncoded)
            #expect(abs(frames / rate - 2.4) < 0.11, "\(frames) of \(rate) a second")
            return
        }
        let packets = probe.packets(of: stream)
        let times = packets.compactMap { $0.number("pts_time") ?? $0.number("dts_time") }
        let end = (times.max() ?? 0) + (packets.last?.number("duration_time") ?? 0)
        // 60 pictures where they have no times; some containers begin at a time of their own.
        let found = [end, end - (times.min() ?? 0), Double(packets.count) / 25]
        #expect(found.contains { abs($0 - 2.4) < 0.11 }, "\(codec) in \(muxer) ends at \(end) s, of \(packets.count) packets: \(summary.streams[0].warnings)")
    }

    @Test(arguments: muxers) func picturesKeepTheirTimes(muxer: String) throws {
        let info = try StreamWriter.resolveMuxer(format: muxer, name: "")
        try expectGaps(Self.pictures, muxer, info.defaultVideoEncoder.map(Self.codec))
    }

    @Test(arguments: muxers) func soundKeepsItsTimes(muxer: String) throws {
        let info = try StreamWriter.resolveMuxer(format: muxer, name: "")
        try expectGaps(Self.sounds, muxer, info.defaultAudioEncoder.map(Self.codec))
    }

    /// ffprobe's name of what an encoder makes.
    private static func codec(_ encoder: String) -> String {
        let names = [
            "libx264": "h264", "libx265": "hevc", "libmp3lame": "mp3", "libopus": "opus", "libvorbis": "vorbis", "libvpx": "vp8", "libvpx-vp9": "vp9",
            "libtheora": "theora", "libspeex": "speex", "libaom-av1": "av1", "libsvtav1": "av1", "libgsm": "gsm", "libtwolame": "mp2", "dca": "dts",
        ]
        return names[encoder] ?? encoder
    }
}
