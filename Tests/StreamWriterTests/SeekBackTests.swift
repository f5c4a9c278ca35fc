import Foundation
import StreamWriter
import Synchronization
import Testing

/// Watches a file while it is written: whether bytes that were there ever changed.
private final class RewriteWatch: Sendable {
    private let path: String
    private let state = Mutex((bytes: Data(), changed: false))

    init(_ path: String) { self.path = path }

    var sawChange: Bool { state.withLock { $0.changed } }

    func look() {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return }
        state.withLock { state in
            if bytes.prefix(state.bytes.count) != state.bytes { state.changed = true }
            state.bytes = bytes
        }
    }
}

@Suite struct SeekBackTests {
    let folder = TemporaryFolder()

    private static let audio = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
    private static let video = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)

    private static func audio(_ rate: Int, _ channels: Int, _ encoder: String? = nil) -> StreamConfig {
        .audio(AudioStreamConfig(sampleRate: rate, numChannels: channels, format: .s16, encoder: encoder))
    }

    private static func video(
        _ width: Int, _ height: Int, _ encoder: String? = nil, _ format: String? = nil,
        option: [String: String] = [:]
    ) -> StreamConfig {
        .video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: width, height: height, encoder: encoder,
                encoderOption: option, encoderFormat: format))
    }

    /// Streams for muxers that have no default encoder, or take only some sizes and rates.
    private static let special: [String: [StreamConfig]] = [
        "3g2": [video(64, 48, "mpeg4"), audio(48_000, 2, "aac")],
        "3gp": [video(64, 48, "mpeg4"), audio(48_000, 2, "aac")],
        "alp": [audio(22_050, 2)], "daud": [audio(96_000, 6, "pcm_s24daud")],
        "data": [audio(48_000, 2, "pcm_s16le")], "dv": [video(720, 576)],
        "dnxhd": [video(256, 128, "dnxhd", "yuv422p", option: ["profile": "dnxhr_lb"])],
        "filmstrip": [video(64, 48, "rawvideo", "rgba")], "g726": [audio(8000, 1)],
        "g726le": [audio(8000, 1)], "gxf": [video(720, 576, "mpeg2video"), audio(48_000, 1, "pcm_s16le")],
        "h261": [video(176, 144)], "h263": [video(176, 144)], "mmf": [audio(44_100, 1)],
        "mxf_opatom": [audio(48_000, 1, "pcm_s16le")],
        "psp": [video(64, 48, "libx264"), audio(48_000, 2, "aac")], "rso": [audio(48_000, 1)],
        "yuv4mpegpipe": [video(64, 48, "wrapped_avframe", "yuv420p")],
    ]

    /// Whether a muxer changed what it had written; nil when it takes none of `streams`.
    private func rewrites(_ muxer: String, _ streams: [StreamConfig], option: [String: String] = [:]) -> Bool? {
        let name = "out"
        let watch = RewriteWatch(folder.path(name))
        do {
            // A buffer too small to rewrite in: what the muxer changes, it changes in the file.
            let writer = try StreamWriter(
                destination: .file(descriptor: folder.create(name), name: name) { watch.look() },
                format: muxer, bufferSize: 1024)
            for stream in streams { _ = try writer.addStream(stream) }
            try writer.open(option: option)
            for round in 0..<3 {
                for (index, stream) in streams.enumerated() {
                    switch stream {
                    case .audio(let audio):
                        try writer.send(
                            tone(samples: audio.sampleRate / 4, channels: audio.numChannels, rate: audio.sampleRate), to: index)
                    case .video(let video):
                        try writer.send(
                            pictures(count: 5, bytesPerFrame: video.width * video.height * 3, seed: UInt64(round)), to: index)
                    }
                }
            }
            _ = try writer.close()
            return watch.sawChange
        } catch {
            return nil
        }
    }

    /// Muxers that take no audio or video this build can encode, or no descriptor.
    private static let untried: Set<String> = [
        "ac4", "aea", "amr", "amv", "argo_cvg", "ass", "avs2", "avs3", "bit", "cavsvideo", "evc", "ffmetadata", "iamf", "ico",
        "ilbc", "jacosub", "lc3", "lrc", "microdvd", "mxf_d10", "oma", "rtp", "rcwt", "rtp_mpegts", "scc", "srt",
        "sup", "ttml", "uncodedframecrc", "vc1", "vc1test", "vvc", "webm_dash_manifest", "webvtt",
    ]

    @Test func everyMuxerRewritesWhenItIsSaidToAndOnlyThen() throws {
        let list = String(decoding: try run(["ffmpeg", "-hide_banner", "-muxers"]), as: UTF8.self)
        let names = list.split(separator: "\n").drop { !$0.contains("--") }.dropFirst()
            .compactMap { $0.split(separator: " ").dropFirst().first?.split(separator: ",").first.map(String.init) }
        #expect(names.count > 150)
        for name in names where !Self.untried.contains(name) {
            let info = try StreamWriter.resolveMuxer(format: name, name: "")
            guard info.needsFile, !info.isDevice else { continue }
            let tries = Self.special[name].map { [$0] } ?? [[.audio(Self.audio)], [.video(Self.video)]]
            let seen = tries.compactMap { rewrites(name, $0) }
            #expect(!seen.isEmpty, "\(name) took nothing")
            #expect(seen.contains(true) == info.seeksBack, "\(name)")
        }
    }

    @Test(arguments: [
        ("mp4", ["movflags": "frag_keyframe+empty_moov"], false), ("mp4", ["movflags": "+frag_keyframe"], false),
        ("mp4", ["movflags": "empty_moov"], false), ("mp4", ["movflags": "frag_every_frame"], false),
        ("mp4", ["frag_duration": "100000"], false), ("mp4", ["frag_size": "4000"], false),
        ("mov", ["movflags": "cmaf"], false), ("mp4", ["movflags": "dash"], false),
        ("mp4", ["movflags": "dash+frag_keyframe"], false), ("mp4", ["movflags": "faststart"], true),
        ("mp4", ["movflags": "frag_keyframe-frag_keyframe"], true), ("mp4", ["min_frag_duration": "100000"], true),
        ("mp4", ["movflags": "dash+global_sidx"], true),
        ("mp4", ["movflags": "frag_keyframe+faststart"], false),
        ("mp4", ["movflags": "frag_keyframe+delay_moov"], false), ("ismv", [:], false),
        ("matroska", ["live": "1"], false), ("webm", ["live": "true"], false), ("matroska", ["live": "0"], true),
        ("webm", ["dash": "1"], true), ("matroska", ["reserve_index_space": "5000"], true),
        ("flac", ["write_header": "0"], false), ("flac", ["write_header": "1"], true),
        ("mp3", ["write_xing": "0"], false), ("mp3", ["id3v2_version": "0"], true),
        ("flv", ["flvflags": "no_duration_filesize"], false),
        ("flv", ["flvflags": "add_keyframe_index+no_duration_filesize"], true),
        ("wav", ["write_bext": "1"], true), ("wav", ["rf64": "always"], true), ("aiff", ["write_id3v2": "1"], true),
        ("ogg", ["page_duration": "1000"], false), ("mpegts", ["mpegts_flags": "resend_headers"], false),
        ("nut", ["write_index": "0"], false), ("asf", ["packet_size": "3200"], true),
        ("gif", ["loop": "3"], false), ("apng", ["plays": "2"], true), ("webp", ["loop": "2"], true),
        ("avi", ["reserve_index_space": "3000"], true), ("alp", ["type": "tun"], false), ("alp", ["type": "pcm"], false),
    ])
    func optionsDecideToo(muxer: String, option: [String: String], expected: Bool) throws {
        let info = try StreamWriter.resolveMuxer(format: muxer, name: "")
        let streams: [StreamConfig] =
            Self.special[muxer]
            ?? (info.defaultVideoEncoder == nil || ["flac", "mp3", "ogg", "aiff"].contains(muxer)
                ? [.audio(Self.audio)] : [.video(Self.video)])
        #expect(rewrites(muxer, streams, option: option) == expected)
        #expect(info.willSeekBack(option: option) == expected)
    }
}
