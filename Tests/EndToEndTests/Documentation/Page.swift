import Foundation
import Testing

/// A page whose commands run as they stand there, and what they leave in the server's folder.
struct Page: Sendable, CustomTestStringConvertible {
    let path: String
    var files: [MadeFile] = []
    /// What is in the text of a file, so often.
    var texts: [(file: String, text: String, count: Int)] = []
    /// What the commands print, in this order.
    var prints: [String] = []

    var testDescription: String { path }
}

/// An output by what ffprobe and ffmpeg say of it. The values are those of the page's own commands.
struct MadeFile: Sendable {
    let path: String
    /// By stream.
    let codecs: [String]
    /// Seconds.
    let duration: Double
    /// Of its pictures.
    var frames: Int?
    /// Members of ffprobe's first stream.
    var stream: [String: String] = [:]
    /// LUFS, by EBU R 128.
    var loudness: Double?
    /// Seconds, of each packet.
    var times: [Double]?
    var pictures: [PictureFact] = []
    /// ffmpeg's input whose pictures are the very same.
    var source: String?
}

/// What FFmpeg's signalstats says of the first frame behind these filters.
struct PictureFact: Sendable {
    let filters: String
    let statistic: String
    let range: ClosedRange<Double>
}

extension Page {
    static let all = [
        Page(
            path: "README.md",
            files: [
                // A sine of 0.2 has a mean square of 0.02, which is -17 dB, and BS.1770 takes 0.69 off.
                MadeFile(path: "tone.opus", codecs: ["opus"], duration: 1, loudness: -17.7),
                MadeFile(path: "first.mp4", codecs: ["h264", "aac"], duration: 4, frames: 100, stream: ["pix_fmt": "yuv420p"]),
                MadeFile(path: "noise.mp4", codecs: ["h264"], duration: 2, frames: 50),
                MadeFile(path: "received.mkv", codecs: ["h264", "aac"], duration: 2, frames: 50),
            ]),
        Page(
            path: "docs/guides/speech.md",
            files: [
                MadeFile(path: "speech.opus", codecs: ["opus"], duration: 5, loudness: -21.2),
                MadeFile(path: "speech.mp3", codecs: ["mp3"], duration: 5, stream: ["sample_rate": "24000", "bit_rate": "64000"], loudness: -21.2),
                MadeFile(path: "loud.opus", codecs: ["opus"], duration: 5, loudness: -16),
            ]),
        Page(
            path: "docs/guides/python.md",
            files: [
                // Two sines of 0.1. The 30th picture is the brightest of a ramp: white, which is 235 of YUV, but for rounding.
                MadeFile(
                    path: "output/model.mp4", codecs: ["h264", "aac"], duration: 3, frames: 90, loudness: -20.7,
                    pictures: [
                        PictureFact(filters: "select=eq(n\\,0)", statistic: "YAVG", range: 16...22),
                        PictureFact(filters: "select=eq(n\\,29)", statistic: "YAVG", range: 228...235),
                    ]),
                MadeFile(path: "output/single.mp4", codecs: ["h264"], duration: 0.033, frames: 1),
            ],
            prints: ["chroma-subsampled", "422", "(3, 48, 64)"]),
        Page(path: "docs/guides/webhooks.md", prints: ["writer.closed", "204", "400"]),
        Page(
            path: "docs/guides/push.md",
            files: [
                MadeFile(path: "received.mkv", codecs: ["h264", "aac"], duration: 2, frames: 60),
                MadeFile(path: "received.ts", codecs: ["h264", "aac"], duration: 2, frames: 60),
                MadeFile(path: "output/paced.mkv", codecs: ["h264"], duration: 1, frames: 25),
            ]),
        Page(
            path: "docs/guides/outputs.md",
            files: [
                MadeFile(path: "output/show.mp4", codecs: ["h264", "aac"], duration: 3, frames: 90),
                MadeFile(path: "published.mkv", codecs: ["h264", "aac"], duration: 3, frames: 90),
                MadeFile(path: "output/alone.mp4", codecs: ["aac"], duration: 3),
                MadeFile(path: "paced.ts", codecs: ["aac"], duration: 3),
                MadeFile(path: "output/copies/show.mp4", codecs: ["h264", "aac"], duration: 3, frames: 75),
                MadeFile(path: "output/copies/hls/live.m3u8", codecs: ["h264", "aac"], duration: 3, frames: 75),
                MadeFile(path: "sound.aac", codecs: ["aac"], duration: 3),
            ], prints: ["output-failed"]),
        Page(
            path: "docs/guides/renditions.md",
            files: [
                MadeFile(path: "output/show.mp4", codecs: ["h264", "aac"], duration: 2, frames: 60),
                MadeFile(path: "small.mkv", codecs: ["h264", "aac"], duration: 2, frames: 60),
                MadeFile(path: "output/film/master_hd.m3u8", codecs: ["h264"], duration: 6, frames: 150),
                MadeFile(path: "output/film/master_sd.m3u8", codecs: ["h264"], duration: 6, frames: 150),
            ],
            texts: [
                ("output/film/master.m3u8", "RESOLUTION=320x180", 1), ("output/film/master.m3u8", "RESOLUTION=640x360", 1),
                ("output/film/master_sd.m3u8", "#EXTINF:2.000000,", 3),
            ]),
        Page(
            path: "docs/guides/hls.md",
            files: [
                MadeFile(path: "output/show/live.m3u8", codecs: ["h264", "aac"], duration: 12, frames: 300),
                MadeFile(path: "output/film/manifest.mpd", codecs: ["h264"], duration: 12, frames: 300),
                MadeFile(
                    path: "output/stills/img%03d.png", codecs: ["png"], duration: 0.4, frames: 10,
                    source: "testsrc2=size=640x360:rate=25:duration=0.4"),
            ],
            texts: [("output/show/live.m3u8", "#EXTINF:4.000000,", 3), ("output/show/live.m3u8", "#EXTINF:", 3)]),
        Page(path: "docs/guides/live-output.md", files: [MadeFile(path: "radio.aac", codecs: ["aac"], duration: 2)], prints: ["Penstock-Output: live"]),
        Page(
            path: "docs/guides/live.md",
            files: [
                MadeFile(path: "received.flv", codecs: ["h264", "aac"], duration: 3, frames: 75),
                MadeFile(path: "output/steps.mkv", codecs: ["h264"], duration: 4, frames: 100),
            ],
            prints: ["400000", "{\"streams\":[0]}", "\"frames_dropped_late\":0"]),
        Page(
            path: "docs/guides/overlays.md",
            files: [
                // On gray, which is 126 of YUV: white text, in a box that darkens, and a red logo of 3/4 over it.
                MadeFile(
                    path: "output/stamped.mp4", codecs: ["h264"], duration: 1, frames: 25,
                    pictures: [
                        PictureFact(filters: "crop=iw/2:ih/4:iw/2:0", statistic: "YMAX", range: 200...255),
                        PictureFact(filters: "crop=iw/2:ih/4:0:ih*3/4", statistic: "YMAX", range: 200...255),
                        PictureFact(filters: "crop=iw/2:ih/4:0:ih*3/4", statistic: "YMIN", range: 16...90),
                        PictureFact(filters: "crop=iw/2:ih/4:0:ih/2", statistic: "YMAX", range: 120...130),
                    ]),
                MadeFile(
                    path: "counted.mp4", codecs: ["h264"], duration: 1, frames: 25,
                    pictures: [PictureFact(filters: "crop=iw/2:ih/4:0:0", statistic: "YMAX", range: 200...255)]),
                MadeFile(
                    path: "logo.mp4", codecs: ["h264"], duration: 1, frames: 25,
                    pictures: [
                        PictureFact(filters: "crop=64:32:552:20", statistic: "VAVG", range: 206...218),
                        PictureFact(filters: "crop=320:360:0:0", statistic: "VAVG", range: 126...130),
                    ]),
            ]),
        Page(
            path: "docs/guides/quality.md",
            files: [
                MadeFile(path: "h264.mp4", codecs: ["h264"], duration: 2, frames: 50, stream: ["pix_fmt": "yuv420p"]),
                MadeFile(
                    path: "apple.mp4", codecs: ["hevc"], duration: 2, frames: 50,
                    stream: ["codec_tag_string": "hvc1", "profile": "Main 10", "pix_fmt": "yuv420p10le", "color_space": "bt709"]),
                MadeFile(path: "lossless.mkv", codecs: ["ffv1"], duration: 1, frames: 25, source: "testsrc2=size=640x360:rate=25:duration=1"),
            ],
            texts: [("libx264.json", "\"preset\"", 1)],
            prints: ["\"dry_run\":true", "640x360", "mpegts"]),
        Page(
            path: "docs/guides/variable-frame-rate.md",
            files: [MadeFile(path: "output/camera.mp4", codecs: ["h264"], duration: 2.5, frames: 6, times: [0, 0.1, 0.45, 1.2, 1.25, 2])]),
        Page(
            path: "docs/guides/resuming.md", files: [MadeFile(path: "output/take.mp4", codecs: ["h264"], duration: 2, frames: 50)],
            prints: ["cut", "taken: "]),
        Page(
            path: "docs/guides/failures.md",
            prints: ["\"supported\":[\"ultrafast\"", "curl's exit code: 22", "destination-failed", "rtmp://127.0.0.1:1/***", "\"state\":\"failed\""]),
    ]
}
