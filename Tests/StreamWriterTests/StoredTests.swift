import Foundation
import StreamWriter
import Testing

/// What is said of a stream is found in the file by ffprobe, or `warnings` say that it is not.
@Suite struct StoredTests {
    let folder = TemporaryFolder()

    static let colors = ColorConfig(range: "pc", primaries: "bt2020", transfer: "smpte2084", space: "bt2020nc")
    static let colorNames = [
        "color_range": ("color_range", "pc"), "color_primaries": ("color_primaries", "bt2020"), "color_trc": ("color_transfer", "smpte2084"),
        "colorspace": ("color_space", "bt2020nc"),
    ]
    static let fast = [
        "libx264": ["preset": "ultrafast"], "libx265": ContainerMarkTests.hevc, "libaom-av1": ["cpu-used": "8"], "libvpx-vp9": ["cpu-used": "8"],
        "libsvtav1": ["preset": "12"], "librav1e": ["speed": "10"], "dnxhd": ["profile": "dnxhr_lb"],
    ]

    /// What is written, what is said at create and by reading back, and what ffprobe finds.
    private struct Written {
        let chosen: StreamDescription
        let parameters: Set<String>
        let probe: Probe
        let stream: Probe.Fields
    }

    private func write(_ muxer: String, _ config: StreamConfig, frames: Int) throws -> Written? {
        let path = folder.path("out")
        let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
        let chosen = writer.description(of: try writer.addStream(config))
        try writer.open()
        try writer.send(Data(repeating: 0x40, count: chosen.inputFrameBytes * frames))
        let summary = try writer.close()
        let descriptor = Glibc.open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        let found = try VerifiedOutput(of: descriptor, format: muxer, against: summary)?.warnings(track: 0, config, format: muxer) ?? []
        guard let probe = try? Probe(ifReadable: path, showing: ["frames"]), let stream = probe.streams.last(where: { $0["codec_type"] == chosen.kind.rawValue })
        else { return nil }
        return Written(chosen: chosen, parameters: Set((chosen.warnings + found).compactMap(\.parameter)), probe: probe, stream: stream)
    }

    private static func picture(_ encoder: String?, width: Int = 176, height: Int = 144) -> VideoStreamConfig {
        VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: width, height: height, format: "yuv420p", encoder: encoder, encoderOption: encoder.flatMap { fast[$0] } ?? [:],
            metadata: ["title": "T1"], language: "fra", disposition: ["forced"], sampleAspectRatio: Rational(4, 3)!, color: colors,
            // FFmpeg's decoder does not read its fields.
            fieldOrder: encoder == "vc2" ? nil : "tt")
    }

    /// Another FFmpeg may keep more than is said here, and must not keep less.
    static let isTablesVersion = FormatTableTests.hasTheDocumentsVersion

    /// By parameter.
    private static func isKept(_ written: Written) -> [String: Bool] {
        let (stream, frame) = (written.stream, written.probe.frames.first { $0["stream_index"] == written.stream["index"] })
        var kept = said(of: stream)
        // YUV's matrix and range are those that were converted with; RGB has none.
        let isRGB = ["rgb", "bgr", "gbr", "pal8", "argb", "abgr"].contains { written.chosen.encoderFormat.hasPrefix($0) }
        for (parameter, (name, value)) in colorNames where !isRGB || ["color_primaries", "color_trc"].contains(parameter) {
            // FFmpeg 7's decoder of ProRes says it of each frame alone.
            let ofStream: String? = stream[name]
            let ofFrame: String? = frame?[name]
            kept[parameter] = (ofStream ?? ofFrame) == value
        }
        let ratio = (stream["sample_aspect_ratio"] ?? "").split(separator: ":").compactMap { Double($0) }
        kept["sample_aspect_ratio"] = ratio.count == 2 && abs(ratio[0] / ratio[1] / (4.0 / 3) - 1) < 0.01
        let order: String = stream["field_order"] ?? ""
        let isTop = frame?["interlaced_frame"] == "1" && frame?["top_field_first"] == "1"
        if written.chosen.encoder != "vc2" { kept["field_order"] = ["tt", "tb"].contains(order) || isTop }
        return kept
    }

    private static func said(of stream: Probe.Fields) -> [String: Bool] {
        let tags: Probe.Fields = stream["tags"]
        let disposition: Probe.Fields = stream["disposition"]
        return [
            "metadata.title": ["title", "TITLE"].contains { tags[$0] == "T1" }, "language": tags["language"] != nil,
            "disposition": disposition["forced"] == "1",
        ]
    }

    private static func expect(_ kept: [String: Bool], _ written: Written, _ what: String) {
        for (parameter, isKept) in kept where !isKept || isTablesVersion {
            #expect(written.parameters.contains(parameter) != isKept, "\(what): \(parameter) \(isKept ? "is kept" : "is not kept")")
        }
    }

    private static func names(_ list: String) throws -> [String] {
        let text = String(decoding: try run(["ffmpeg", "-hide_banner", list]), as: UTF8.self)
        return text.split(separator: "\n").drop { !$0.contains("--") }.dropFirst()
            .compactMap { $0.split(separator: " ").dropFirst().first?.split(separator: ",").first.map(String.init) }
    }

    @Test func whatAMuxerDoesNotKeepOfPicturesIsSaid() throws {
        var checked: Set<String> = []
        for muxer in try Self.names("-muxers") {
            guard let info = try? StreamWriter.resolveMuxer(format: muxer, name: ""), info.needsFile, !info.isDevice, let encoder = info.defaultVideoEncoder
            else { continue }
            let sizes = [(176, 144), (720, 576)]
            guard let written = sizes.lazy.compactMap({ try? write(muxer, .video(Self.picture(encoder, width: $0, height: $1)), frames: 3) }).first
            else { continue }
            checked.insert(muxer)
            Self.expect(Self.isKept(written), written, "\(muxer) of \(written.chosen.encoder)")
        }
        let expected: Set = ["3gp", "apng", "asf", "avi", "dv", "flv", "gxf", "ivf", "matroska", "mov", "mp4", "mpegts", "mxf", "nut", "ogg", "rm", "vob", "webm"]
        #expect(checked.isSuperset(of: expected), "not checked: \(expected.subtracting(checked))")
    }

    @Test func whatAMuxerDoesNotKeepOfSoundIsSaid() throws {
        var checked: Set<String> = []
        for muxer in try Self.names("-muxers") {
            guard let info = try? StreamWriter.resolveMuxer(format: muxer, name: ""), info.needsFile, !info.isDevice, info.defaultAudioEncoder != nil
            else { continue }
            let config = { (channels: Int, rate: Int) in
                StreamConfig.audio(
                    AudioStreamConfig(
                        sampleRate: rate, numChannels: channels, format: .s16, metadata: ["title": "T1"], language: "fra", disposition: ["forced"]))
            }
            guard let written = [(2, 48_000), (1, 8000)].lazy.compactMap({ try? write(muxer, config($0, $1), frames: 4800) }).first else { continue }
            checked.insert(muxer)
            Self.expect(Self.said(of: written.stream), written, muxer)
        }
        let expected: Set = ["adts", "aiff", "asf", "au", "avi", "caf", "flac", "flv", "matroska", "mov", "mp3", "mp4", "mpegts", "nut", "ogg", "wav", "webm", "wv"]
        #expect(checked.isSuperset(of: expected), "not checked: \(expected.subtracting(checked))")
    }

    /// In a container that tells of none of it.
    @Test func whatPacketsDoNotTellIsSaid() throws {
        var checked = 0
        // FFmpeg's demuxer does not know these in AVI.
        for encoder in try Self.names("-encoders") where !["libx265", "roqvideo"].contains(encoder) {
            guard let written = try? write("avi", .video(Self.picture(encoder)), frames: 3) else { continue }
            checked += 1
            Self.expect(Self.isKept(written).filter { $0.key.hasPrefix("color") || $0.key == "field_order" }, written, encoder)
        }
        #expect(checked > 20, "\(checked)")
    }

    @Test(arguments: [
        ("mov", "ffv1"), ("mov", "mpeg4"), ("mov", "utvideo"), ("mov", "prores_ks"), ("mov", "mjpeg"), ("mp4", "mpeg4"), ("mp4", "mjpeg"), ("mp4", "libvpx-vp9"),
        ("mp4", "mpeg2video"), ("mp4", "libx265"), ("ipod", "mpeg4"), ("3gp", "mpeg4"), ("matroska", "ffv1"), ("matroska", "mpeg4"), ("matroska", "mjpeg"),
        ("matroska", "utvideo"), ("matroska", "mpeg2video"), ("matroska", "vc2"), ("webm", "libvpx"), ("webm", "libsvtav1"), ("ivf", "libvpx-vp9"),
        ("ivf", "libsvtav1"), ("flv", "libx264"), ("mpegts", "libx264"), ("mpegts", "libx265"), ("mxf", "jpeg2000"), ("mxf", "dvvideo"), ("ogg", "libvpx"), ("asf", "wmv2"),
    ])
    func whatAMuxerAndAnEncoderDoNotKeepIsSaid(muxer: String, encoder: String) throws {
        let size = encoder == "dvvideo" || muxer == "mpegts" ? (720, 576) : (176, 144)
        let written = try #require(try write(muxer, .video(Self.picture(encoder, width: size.0, height: size.1)), frames: 3))
        Self.expect(Self.isKept(written), written, "\(muxer) of \(encoder)")
    }

    @Test(arguments: [("mov", "ffv1"), ("mp4", "mpeg4"), ("mp4", "libx264"), ("matroska", "mpeg4"), ("avi", "mjpeg")])
    func oneColorAloneIsFoundOrSaid(muxer: String, encoder: String) throws {
        for (parameter, (name, value)) in Self.colorNames {
            var config = Self.picture(encoder)
            config.color = .init()
            switch parameter {
            case "color_range": config.color.range = value
            case "color_primaries": config.color.primaries = value
            case "color_trc": config.color.transfer = value
            default: config.color.space = value
            }
            let written = try #require(try write(muxer, .video(config), frames: 2))
            Self.expect([parameter: written.stream[name] == value], written, muxer)
        }
    }

    @Test func matrixOfRGBIsForRGB() throws {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 64, encoder: "libx264", color: ColorConfig(space: "gbr"))
        let error = try #require(throws: StreamWriterError.self) { try write("mp4", .video(config), frames: 1) }
        #expect(error.parameter == "colorspace" && error.message.contains("encoder_format"))
        config.format = "yuv420p"
        #expect(throws: StreamWriterError.self) { try write("mp4", .video(config), frames: 1) }
        config.format = "rgb24"
        config.encoder = "libx264rgb"
        let written = try #require(try write("mp4", .video(config), frames: 1))
        #expect(written.stream["color_space"] == "gbr" && written.chosen.warnings == [])
    }

    @Test func marksThatTheFormatDoesNotHaveAreSaid() throws {
        let rgb = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 64, encoder: "ffv1", color: ColorConfig(range: "tv", space: "bt709"))
        #expect(try write("matroska", .video(rgb), frames: 1)?.parameters == ["colorspace", "color_range"])
    }

    @Test(arguments: [("mpeg4", "avi"), ("libx264", "mp4")]) func whatFiltersDecideAndTheFileDoesNotKeepIsSaid(encoder: String, muxer: String) throws {
        let filter = "scale=out_color_matrix=bt709,setsar=4/3,setfield=tff"
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 64, encoder: encoder, encoderFormat: "yuv420p", filterDesc: filter)
        let written = try #require(try write(muxer, .video(config), frames: 2))
        #expect((written.stream["color_space"] == "bt709") == written.chosen.warnings.isEmpty, "\(written.chosen.warnings)")
    }

    @Test(arguments: [("flv", "flv"), ("ivf", "libvpx"), ("h263", "h263"), ("dv", "dvvideo")]) func squarePixelsAreTakenForGranted(muxer: String, encoder: String) throws {
        let (width, height) = muxer == "dv" ? (720, 576) : (176, 144)
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: width, height: height, encoder: encoder, sampleAspectRatio: Rational(1, 1)!)
        let written = try #require(try write(muxer, .video(config), frames: 2))
        let ratio: String? = written.stream["sample_aspect_ratio"]
        Self.expect(["sample_aspect_ratio": ratio == nil || ratio == "1:1"], written, muxer)
    }

    // MARK: Screens

    static let display = ContainerMarkTests.display

    @Test(arguments: [
        ("libx264", ["mp4", "mpegts", "flv", "avi", "h264", "ipod"]), ("libx265", ["mp4", "mpegts", "hevc"]), ("libsvtav1", ["mp4", "webm", "ivf"]),
        ("libvpx-vp9", ["webm", "mp4", "ivf"]), ("mpeg4", ["avi", "mp4", "mov", "ipod", "matroska"]), ("mpeg2video", ["mpegts", "mxf"]), ("ffv1", ["nut", "mov"]),
    ])
    func screenAndBrightnessAreFoundOrSaid(encoder: String, muxers: [String]) throws {
        for muxer in muxers {
            var config = VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 720, height: 576, format: "yuv420p", encoder: encoder, encoderOption: Self.fast[encoder] ?? [:])
            config.masteringDisplay = Self.display
            config.contentLightLevel = "1000,400"
            let written = try #require(try write(muxer, .video(config), frames: 3), "\(muxer)")
            let ofStream: [Probe.Fields] = written.stream["side_data_list"]
            let ofFrame: [Probe.Fields] = written.probe.frames[0]["side_data_list"]
            var found = Set((ofStream + ofFrame).compactMap { fields -> String? in fields["side_data_type"] })
            // FFmpeg's decoder of 5.1 does not read these, its parser for rewriting does.
            if encoder == "libx264", try headers().contains("Mastering Display Colour Volume") {
                found = ["Mastering display metadata", "Content light level metadata"]
            }
            let kept = [
                "mastering_display": found.contains("Mastering display metadata"), "content_light_level": found.contains("Content light level metadata"),
            ]
            Self.expect(kept, written, muxer)
        }
    }

    private func headers() throws -> String {
        let command = "ffmpeg -hide_banner -i '\(folder.path("out"))' -map 0:v -c copy -bsf:v trace_headers -frames:v 1 -f null - 2>&1"
        return String(decoding: try run(["sh", "-c", command]), as: UTF8.self)
    }

    // MARK: Codec tags

    @Test(arguments: [
        ("matroska", "libx264", "avc1"), ("matroska", "mpeg4", "XVID"), ("matroska", "huffyuv", "HFYU"), ("avi", "mpeg4", "DX50"), ("mp4", "libx264", "avc3"),
        ("mov", "prores_ks", "apcn"), ("mov", "dvvideo", "dvc "), ("nut", "mpeg4", "XVID"), ("asf", "msmpeg4v3", "DIV3"),
    ])
    func codecTagIsFoundOrSaid(muxer: String, encoder: String, tag: String) throws {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 720, height: 576, encoder: encoder)
        if encoder == "prores_ks" { config.format = "yuva444p10le" }
        config.codecTag = tag
        let written = try #require(try write(muxer, .video(config), frames: 2))
        Self.expect(["codec_tag": written.stream["codec_tag_string"] == tag], written, muxer)
    }
}
