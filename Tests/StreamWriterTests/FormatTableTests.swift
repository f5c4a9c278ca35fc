import Foundation
import StreamWriter
import Testing

/// docs/reference/formats.md shows what is chosen. `PENSTOCK_WRITE_DOCS=1` has the test write it anew.
@Suite struct FormatTableTests {
    static let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/reference/formats.md")
    static let (start, end) = ("<!-- generated -->\n", "<!-- end -->\n")
    static let hasTheDocumentsVersion = (try? run(["ffmpeg", "-version"])).map { String(decoding: $0.prefix(20), as: UTF8.self).contains("version 5.1") } ?? false

    /// Other versions of FFmpeg have other formats.
    @Test(.enabled(if: hasTheDocumentsVersion, "the document is of FFmpeg 5.1")) func documentShowsWhatIsChosen() throws {
        let text = try String(contentsOf: Self.document, encoding: .utf8)
        let before = try #require(text.components(separatedBy: Self.start).first)
        let after = try #require(text.components(separatedBy: Self.end).last)
        let current = before + Self.start + (try Self.tables()) + Self.end + after
        if ProcessInfo.processInfo.environment["PENSTOCK_WRITE_DOCS"] == "1" {
            try current.write(to: Self.document, atomically: true, encoding: .utf8)
        }
        #expect(text == current)
    }

    private static func tables() throws -> String {
        try "\n## Pictures\n\n" + table(
            "format", ["gray8", "gray16le", "rgb24", "rgba", "rgb48le", "yuv420p", "yuv444p", "yuva420p", "nv12", "yuv420p10le"],
            ["libx264", "libx265", "libvpx-vp9", "ffv1", "huffyuv", "png", "prores_ks", "mjpeg", "mpeg4", "gif"]
        ) { source, encoder in
            let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 64, format: source, encoder: encoder)
            let chosen = try choice(.video(config))
            return (chosen.encoderFormat, chosen.warnings)
        } + "\n## Pictures in mp4\n\n" + table(
            "format", ["gray8", "rgb24", "rgba", "rgb48le", "yuv420p", "yuv444p", "yuv420p10le"], ["libx264", "libx265", "libvpx-vp9", "libaom-av1", "mpeg4"]
        ) { source, encoder in
            let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 64, format: source, encoder: encoder)
            let chosen = try choice(.video(config), in: "a.mp4")
            return (chosen.encoderFormat, chosen.warnings)
        } + "\n## Samples\n\n" + table(
            "format", SampleFormat.allCases.map(\.rawValue), ["pcm_s16le", "flac", "alac", "wavpack", "tta", "aac", "libmp3lame", "libopus", "ac3"]
        ) { source, encoder in
            let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: SampleFormat(rawValue: source)!, encoder: encoder)
            let chosen = try choice(.audio(config), in: encoder == "tta" ? "a.tta" : "a.mkv")
            return (chosen.encoderFormat, chosen.warnings)
        } + "\n## Channels\n\n" + table(
            "num_channels", ["1", "2", "4", "6", "8", "16"], ["pcm_s16le", "flac", "alac", "aac", "libmp3lame", "mp2", "libopus", "ac3", "libspeex"]
        ) { source, encoder in
            let chosen = try choice(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: Int(source)!, format: .s16, encoder: encoder)))
            return ("\(chosen.encoderNumChannels!)", chosen.warnings.filter { $0.code == .channelsMixed })
        } + "\n## Rates\n\n" + table(
            "sample_rate", ["8000", "22050", "44100", "48000", "96000"], ["flac", "aac", "libmp3lame", "libopus", "ac3", "libspeex", "g722"]
        ) { source, encoder in
            let chosen = try choice(.audio(AudioStreamConfig(sampleRate: Int(source)!, numChannels: 1, format: .s16, encoder: encoder)))
            return ("\(chosen.encoderSampleRate!)", chosen.warnings.filter { $0.code == .sampleRateChanged })
        } + "\n"
    }

    private static func choice(_ config: StreamConfig, in name: String = "a.mkv") throws -> StreamDescription {
        let writer = try StreamWriter(destination: .file(descriptor: open("/dev/null", O_WRONLY | O_CLOEXEC), name: name), format: nil)
        return writer.description(of: try writer.addStream(config))
    }

    private static let letters: [Warning.Code: String] = [
        .depthReduced: "b", .alphaDropped: "a", .chromaSubsampled: "s", .colorDropped: "g", .colorConverted: "c", .channelsMixed: "m", .sampleRateChanged: "r", .fewPlayers: "p",
    ]

    private static func table(
        _ title: String, _ rows: [String], _ columns: [String], _ cell: (String, String) throws -> (String, [Warning])
    ) throws -> String {
        var text = "| \(title) | " + columns.joined(separator: " | ") + " |\n|---" + String(repeating: "|---", count: columns.count) + "|\n"
        for row in rows {
            let cells = try columns.map { column -> String in
                do {
                    let (value, warnings) = try cell(row, column)
                    let marks = warnings.map { letters[$0.code]! }.sorted().joined()
                    return marks.isEmpty ? value : "\(value) *\(marks)*"
                } catch let error as StreamWriterError where error.code == .unsupportedValue {
                    return "422"
                }
            }
            text += "| \(row) | " + cells.joined(separator: " | ") + " |\n"
        }
        return text
    }
}
