import Foundation
import StreamWriter
import Testing

/// docs/reference/containers.md shows what each container is while it is written. `PENSTOCK_WRITE_DOCS=1` has the test write it anew.
@Suite struct ContainerTableTests {
    private static let document = FormatTableTests.document.deletingLastPathComponent().appendingPathComponent("containers.md")

    private struct Row {
        let format: String
        var option: [String: String] = [:]
        var streams: [StreamConfig] = [ContainerTableTests.sound]
        /// Of a muxer that makes several files.
        var dst: String?
    }

    private static let sound = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16))

    private static func pictures(_ encoder: String, _ option: [String: String] = [:]) -> StreamConfig {
        .video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 320, height: 240, format: "gray8", encoder: encoder, encoderOption: option,
                codecConfig: .init(gopSize: 25)))
    }

    private static let h264 = [pictures("libx264", ["preset": "ultrafast"]), sound]
    private static let mpeg4 = [pictures("mpeg4"), sound]

    private static let rows = [
        Row(format: "mp4", streams: h264),
        Row(format: "mp4", option: ["movflags": "frag_keyframe+empty_moov"], streams: h264),
        Row(format: "mov", streams: h264), Row(format: "mov", option: ["movflags": "frag_keyframe+empty_moov"], streams: h264),
        Row(format: "ipod"), Row(format: "ismv", streams: h264), Row(format: "matroska", streams: h264),
        Row(format: "matroska", option: ["live": "1"], streams: h264),
        Row(format: "webm", streams: [pictures("libvpx", ["deadline": "realtime", "cpu-used": "8"]), sound]),
        Row(format: "mpegts", streams: h264), Row(format: "flv", streams: h264), Row(format: "avi", streams: mpeg4),
        Row(format: "nut", streams: mpeg4), Row(format: "mpeg", streams: [pictures("mpeg2video"), sound]),
        Row(format: "asf", streams: mpeg4), Row(format: "gif", streams: [pictures("gif")]),
        Row(format: "ogg"), Row(format: "opus"), Row(format: "mp3"), Row(format: "adts"), Row(format: "ac3"), Row(format: "flac"),
        Row(format: "wav"), Row(format: "w64"), Row(format: "aiff"), Row(format: "au"), Row(format: "caf"), Row(format: "wv"),
        Row(format: "tta"),
        Row(format: "hls", option: ["hls_time": "2"], streams: h264, dst: "list.m3u8"),
        Row(format: "hls", option: ["hls_segment_type": "fmp4", "hls_time": "2"], streams: h264, dst: "list.m3u8"),
        Row(format: "segment", option: ["segment_time": "2"], streams: h264, dst: "part%d.mkv"),
    ]

    /// Other versions of FFmpeg write otherwise.
    @Test(.enabled(if: FormatTableTests.hasTheDocumentsVersion, "the document is of FFmpeg 5.1"))
    func documentShowsWhatAContainerIsWhileItIsWritten() async throws {
        let text = try String(contentsOf: Self.document, encoding: .utf8)
        let before = try #require(text.components(separatedBy: FormatTableTests.start).first)
        let after = try #require(text.components(separatedBy: FormatTableTests.end).last)
        let table = try await onThread { Result { try Self.table() } }.get()
        let current = before + FormatTableTests.start + table + FormatTableTests.end + after
        if ProcessInfo.processInfo.environment["PENSTOCK_WRITE_DOCS"] == "1" {
            try current.write(to: Self.document, atomically: true, encoding: .utf8)
        }
        #expect(text == current)
    }

    private static func table() throws -> String {
        var text = "\n| `format` | `option` | `…/output` while it is written | plays after a crash |\n|---|---|---|---|\n"
        for row in rows {
            let option = row.option.filter { !$0.key.hasSuffix("_time") }.map { "`\($0.key)=\($0.value)`" }.sorted().joined(separator: ", ")
            let info = try StreamWriter.resolveMuxer(format: row.format, name: "")
            let output = row.dst != nil ? "none: files in a folder" : info.willSeekBack(option: row.option) ? "`after-finalize`" : "`live`"
            text += "| \(row.format) | \(option) | \(output) | \(try playsAfterCrash(row) ? "yes" : "no") |\n"
        }
        return text + "\n"
    }

    /// Eight seconds are written, and the file is looked at as it lies there: at what a process that is killed leaves.
    private static func playsAfterCrash(_ row: Row) throws -> Bool {
        let folder = TemporaryFolder()
        let name = row.dst ?? "file"
        let writer = try StreamWriter(
            destination: row.dst.map { .url(folder.path($0)) } ?? folder.destination(name), format: row.format)
        for stream in row.streams { _ = try writer.addStream(stream) }
        try writer.open(option: row.option)
        var random = UInt64(1)
        for _ in 0..<8 {
            for (index, stream) in row.streams.enumerated() {
                switch stream {
                case .audio: try writer.send(tone(samples: 48_000, channels: 2), to: index)
                case .video: try writer.send(noise(25 * 320 * 240, &random), to: index)
                }
            }
        }
        let left = try read(folder, row)
        writer.abort()
        try left.write(to: URL(fileURLWithPath: folder.path("left")))
        let found = try? Probe(ifReadable: folder.path("left"), showing: ["packets"])
        // Most of each stream, and none is missing.
        return row.streams.indices.allSatisfy { index in
            let seconds = found?.packets(of: index).compactMap { $0.number("pts_time") } ?? []
            return (seconds.max() ?? 0) - (seconds.min() ?? 0) > 4
        }
    }

    private static func read(_ folder: TemporaryFolder, _ row: Row) throws -> Data {
        guard row.dst != nil else { return try folder.bytes("file") }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        if row.format == "segment" {
            // Each is a file of its own: those that are done, which are all but the last.
            let parts = names.filter { $0.hasSuffix(".mkv") }.dropLast()
            let list = parts.map { "file '\(folder.path($0))'" }.joined(separator: "\n")
            try Data(list.utf8).write(to: URL(fileURLWithPath: folder.path("list")))
            return try run(["ffmpeg", "-v", "error", "-f", "concat", "-safe", "0", "-i", folder.path("list"), "-map", "0", "-c", "copy", "-f", "matroska", "-"])
        }
        let playlist = String(decoding: try folder.bytes("list.m3u8"), as: UTF8.self)
        let listed = playlist.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        return try (names.filter { $0.hasPrefix("init") } + listed).reduce(into: Data()) { $0 += try folder.bytes($1) }
    }

    private static func noise(_ count: Int, _ state: inout UInt64) -> Data {
        var bytes = Data(count: count)
        bytes.withUnsafeMutableBytes { bytes in
            for index in bytes.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[index] = UInt8(state >> 56)
            }
        }
        return bytes
    }
}
