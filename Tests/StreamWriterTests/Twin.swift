import Foundation
import StreamWriter
import Testing

/// One input and one set of options through Penstock and through FFmpeg's command line. What
/// ffprobe says about both files must be the same.
struct Twin {
    let folder = TemporaryFolder()
    let ours: Probe
    let theirs: Probe
    let description: StreamDescription
    /// Fields in which they may differ.
    var ignored: Set<String> = []

    var oursPath: String { folder.path("ours." + container) }
    var theirsPath: String { folder.path("theirs." + container) }
    private let container: String

    /// `input` are FFmpeg's options for reading `twin`, which is `data` where that is nil.
    init(
        _ config: StreamConfig, _ data: Data, container: String, format: String? = nil, input: [String],
        twin: Data? = nil, metadata: [String: String] = [:]
    ) throws {
        self.container = container
        let writer = try StreamWriter(destination: folder.destination("ours." + container), format: format)
        _ = try writer.addStream(config)
        description = writer.description(of: 0)
        try writer.open()
        try writer.send(data)
        _ = try writer.close()
        ours = try Probe(folder.path("ours." + container), showing: ["packets"], hashing: true)
        try (twin ?? data).write(to: folder.url.appendingPathComponent("input"))
        try run(
            ["ffmpeg", "-v", "error", "-threads", "1"] + input + ["-i", folder.path("input")]
                + Self.output(config, description) + Self.marks(ours.streams[0], folder.path("ours." + container))
                // Only FFmpeg's command line adds a delay to MPEG streams.
                + ["-muxdelay", "0", "-muxpreload", "0"] + (format.map { ["-f", $0] } ?? []) + [folder.path("theirs." + container)])
        theirs = try Probe(folder.path("theirs." + container), showing: ["packets"], hashing: true)
    }

    /// The names in which the files' streams differ, with both values.
    var streamDifferences: [String] {
        // Theora's headers hold a comment with the program's name.
        let comments = container == "ogv" ? ["extradata_hash", "extradata_size"] : []
        return differences(
            ours.streams[0], theirs.streams[0],
            except: Set(["tags", "side_data_list", "disposition"] + comments + assumedNames))
            + differences(ours.format, theirs.format, except: ["filename", "tags", "size", "bit_rate"])
    }

    /// FFmpeg 7's command line writes down what it was not told: a limited range of YUV, a full one of gray and RGB.
    private var assumedNames: [String] {
        let assumed = [("color_range", ["tv", "pc"]), ("color_space", ["gbr"])]
        return assumed.filter { name, values in
            isFFmpeg7 && ours.streams[0][name] == nil && values.contains(theirs.streams[0][name] ?? "")
        }.map(\.0)
    }

    /// The first packet that differs: in its time, duration, flags or bytes.
    var packetDifference: String? {
        for (index, (mine, other)) in zip(ours.packets, theirs.packets).enumerated() {
            let found = differences(mine, other, except: ["pos", "side_data_list"])
            if !found.isEmpty { return "packet \(index): \(found)" }
        }
        let counts = (ours.packets.count, theirs.packets.count)
        return counts.0 == counts.1 ? nil : "\(counts.0) packets, not \(counts.1)"
    }

    private func differences(_ mine: Probe.Fields, _ other: Probe.Fields, except: Set<String>) -> [String] {
        mine.names.union(other.names).subtracting(except).subtracting(ignored).sorted().compactMap { name in
            let (a, b): (String?, String?) = (mine[name], other[name])
            return a == b ? nil : "\(name): \(a ?? "none"), not \(b ?? "none")"
        }
    }

    private static func output(_ config: StreamConfig, _ chosen: StreamDescription) -> [String] {
        switch config {
        case .audio(let audio):
            // An encoder that takes one rate only was given it: so is FFmpeg.
            return ["-c:a", chosen.encoder, "-sample_fmt", chosen.encoderFormat, "-ar", "\(chosen.encoderSampleRate!)",
                "-ac", "\(chosen.encoderNumChannels!)"] + options(audio.encoderOption, audio.codecConfig, "a")
                // In frames of as many samples as Penstock's: how many FFmpeg reads at a time depends on its version.
                + ["-af", "asetnsamples=n=1024:p=0" + (audio.filterDesc.map { "," + $0 } ?? "")]
                // FFmpeg 7's FLAC takes it for leave to keep 32 bits.
                + (Capabilities.encoder(named: chosen.encoder)?.isExperimental == true ? ["-strict", "experimental"] : [])
        case .video(let video):
            return ["-c:v", chosen.encoder, "-pix_fmt", chosen.encoderFormat] + options(video.encoderOption, video.codecConfig, "v")
                + (video.filterDesc.map { ["-vf", $0] } ?? []) + ["-fps_mode", "passthrough"]
        }
    }

    /// Only Penstock marks what RGB became, and HEVC so that Apple's players take it.
    private static func marks(_ stream: Probe.Fields, _ path: String) throws -> [String] {
        var arguments: [String] = []
        var space: String? = stream["color_space"]
        // FFmpeg 7's decoder of ProRes says it of each frame alone.
        if isFFmpeg7, stream["codec_name"] == "prores" { space = try Probe(path, showing: ["frames"]).frames.first?["color_space"] }
        if space == "smpte170m" {
            arguments += ["-colorspace", "smpte170m", "-color_range", stream["color_range"] ?? "tv"]
        }
        if stream["codec_tag_string"] == "hvc1" { arguments += ["-tag:v", "hvc1"] }
        return arguments
    }

    private static func options(_ options: [String: String], _ config: CodecConfig, _ media: String) -> [String] {
        var arguments = options["threads"] == nil ? ["-threads", "1"] : []
        for (key, value) in options { arguments += ["-\(key)", value] }
        if let rate = config.bitRate { arguments += ["-b:\(media)", "\(rate)"] }
        if let level = config.compressionLevel { arguments += ["-compression_level", "\(level)"] }
        // ffmpeg takes -q below zero for none at all.
        if let scale = config.qscale {
            arguments += scale < 0
                ? ["-flags:\(media)", "+qscale", "-global_quality:\(media)", "\(Int(scale * 118))"] : ["-q:\(media)", "\(scale)"]
        }
        if let size = config.gopSize { arguments += ["-g", "\(size)"] }
        if let count = config.maxBFrames { arguments += ["-bf", "\(count)"] }
        return arguments
    }
}
