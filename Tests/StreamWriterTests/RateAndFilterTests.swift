import Foundation
import StreamWriter
import Testing

/// Frame rates, sizes and filters, frame by frame.
@Suite struct RateAndFilterTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    @Test(arguments: ["30000/1001", "5000/167", "24000/1001", "25", "120", "1/2"], ["mp4", "mkv"])
    func frameRatesAreKeptExactly(rate: String, container: String) throws {
        let count = 9
        let exact = Rational(parsing: rate)!
        let twin = try Twin(
            .video(VideoStreamConfig(frameRate: exact, width: 64, height: 48, encoder: "libx264")),
            pictures(count: count, bytesPerFrame: Self.frame), container: container,
            input: ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", rate])
        #expect(twin.streamDifferences == [])
        #expect(twin.packetDifference == nil)
        let stream = twin.ours.streams[0]
        if container != "mkv" { #expect(stream["avg_frame_rate"] == "\(exact.numerator)/\(exact.denominator)") }
        let times = twin.ours.packets.compactMap { $0.number("pts_time") }.sorted()
        // A millisecond is what Matroska counts in.
        for (index, time) in times.enumerated() { #expect(abs(time - times[0] - Double(index) / exact.doubleValue) < 0.0011) }
    }

    @Test(arguments: [("23.976", "24000/1001"), ("29.97", "30000/1001"), ("59.94", "60000/1001"), ("12.5", "25/2")])
    func aDecimalRateIsWhatItStandsFor(text: String, rate: String) throws {
        let config = VideoStreamConfig(frameRate: Rational(Double(text)!)!, width: 64, height: 48, encoder: "libx264")
        try encode(.video(config), pictures(count: 5, bytesPerFrame: Self.frame), to: folder.destination("a.mp4"))
        #expect(try Probe(folder.path("a.mp4")).streams[0]["avg_frame_rate"] == rate)
    }

    @Test(arguments: [("mpeg1video", "10", "24000/1001", 24), ("mpeg1video", "15", "24000/1001", 16), ("mpeg1video", "100", "60/1", 6)])
    func aRateAnEncoderDoesNotTakeIsReplaced(encoder: String, rate: String, expected: String, frames: Int) throws {
        let config = VideoStreamConfig(frameRate: Rational(parsing: rate)!, width: 64, height: 48, encoder: encoder)
        try encode(.video(config), pictures(count: 10, bytesPerFrame: Self.frame), to: folder.destination("a.mkv"))
        let probe = try Probe(folder.path("a.mkv"), showing: ["frames"])
        #expect(probe.streams[0]["r_frame_rate"] == expected)
        #expect(probe.frames.count == frames)
    }

    @Test(arguments: [("50", 24), ("10", 5), ("30000/1001", 14)])
    func encoderFrameRateRepeatsAndDropsAsFpsDoes(rate: String, frames: Int) throws {
        let data = pictures(count: 12, bytesPerFrame: Self.frame)
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "ffv1", encoderFrameRate: Rational(parsing: rate)!,
            encoderFormat: "bgr0")
        try encode(.video(config), data, to: folder.destination("ours.mkv"))
        try data.write(to: folder.url.appendingPathComponent("input"))
        try run([
            "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", "25", "-i", folder.path("input"),
            "-vf", "fps=\(rate)", "-c:v", "ffv1", "-pix_fmt", "bgr0", folder.path("theirs.mkv"),
        ])
        let ours = try decodeVideo(folder.path("ours.mkv"), format: "rgb24")
        #expect(ours.count == frames * Self.frame)
        #expect(try ours == decodeVideo(folder.path("theirs.mkv"), format: "rgb24"))
    }

    @Test(arguments: [
        "hflip", "drawbox=x=4:y=4:w=20:h=10:color=red:t=fill", "fps=50", "fps=10", "scale=32:24", "scale=128:96:flags=neighbor",
        "crop=32:32:8:8,transpose=1", "setpts=2*PTS", "trim=start_frame=2:end_frame=7", "select='not(mod(n,3))'", "reverse",
        "tpad=stop=3", "format=gray", "pad=80:60:8:6:blue", "setsar=2/1", "split[a][b];[a]negate[c];[b][c]vstack", "framestep=2",
        "setpts=PTS+0.2/TB", "scale=48:36,fps=30000/1001,hue=s=0",
    ])
    func videoFiltersGiveFFmpegsFrames(filter: String) throws {
        var twin = try Twin(
            .video(
                VideoStreamConfig(
                    frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "ffv1", encoderFormat: "bgr0", filterDesc: filter)),
            pictures(count: 12, bytesPerFrame: Self.frame), container: "nut",
            input: ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", "25"])
        // FFmpeg 7's setpts leaves open what the rate is, and how long a picture: here it is the source's.
        if isFFmpeg7 && filter.hasPrefix("setpts") { twin.ignored = ["duration", "duration_time", "avg_frame_rate", "r_frame_rate"] }
        #expect(twin.streamDifferences == [])
        #expect(twin.packetDifference == nil)
    }

    @Test(arguments: [
        "volume=0.5", "atempo=2", "atempo=0.7", "aecho=0.8:0.9:40:0.3", "aresample=16000", "pan=mono|c0=c1",
        "atrim=end_sample=5000", "areverse", "apad=pad_len=1000", "highpass=f=500", "asetrate=24000", "adelay=20|20", "loudnorm=linear=false",
    ])
    func audioFiltersGiveFFmpegsSamples(filter: String) throws {
        for (encoder, container) in [("flac", "flac"), ("libmp3lame", "mp3")] where encoder == "flac" || filter != "loudnorm=linear=false" {
            let twin = try Twin(
                .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder, filterDesc: filter)),
                tone(samples: 14_417, channels: 2), container: container, input: ["-f", "s16le", "-ar", "48000", "-ac", "2"])
            #expect(twin.streamDifferences == [])
            #expect(twin.packetDifference == nil, "\(encoder)")
        }
    }

    @Test(arguments: [(8000, 1), (44_100, 2), (96_000, 1), (48_000, 6)])
    func anotherRateAndOtherChannelsAreFFmpegs(rate: Int, channels: Int) throws {
        let twin = try Twin(
            .audio(
                AudioStreamConfig(
                    sampleRate: 48_000, numChannels: 2, format: .flt, encoder: "pcm_f32le", encoderSampleRate: rate,
                    encoderNumChannels: channels)),
            AudioMatrixTests.signal(.flt, channels: 2), container: "wav", input: ["-f", "f32le", "-ar", "48000", "-ac", "2"])
        let ours = try decodeAudio(twin.oursPath, codec: "pcm_f32le")
        #expect(abs(ours.count / channels / 4 - 14_417 * rate / 48_000) <= 1)
        #expect(try ours == decodeAudio(twin.theirsPath, codec: "pcm_f32le"))
    }
}
