import Foundation
import StreamWriter
import Testing

/// What a container says about a stream beside its codec.
@Suite struct StreamFieldTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    private func video(_ name: String, _ change: (inout VideoStreamConfig) -> Void) throws -> Probe.Fields {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)
        change(&config)
        try encode(.video(config), pictures(count: 4, bytesPerFrame: Self.frame), to: folder.destination(name))
        return try Probe(folder.path(name)).streams[0]
    }

    private func error(_ change: (inout VideoStreamConfig) -> Void, _ name: String = "a.mp4") throws -> StreamWriterError {
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)
        change(&config)
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        return try #require(throws: StreamWriterError.self) { try writer.addStream(.video(config)) }
    }

    /// Writes a sound in that language; what ffprobe says it is in.
    private func language(_ language: String, in container: String, _ encoder: String, _ format: String? = nil) throws -> String? {
        let config = AudioStreamConfig(sampleRate: 16_000, numChannels: 1, format: .s16, encoder: encoder, language: language)
        let name = "\(language).\(container)"
        let writer = try StreamWriter(destination: folder.destination(name), format: format)
        _ = try writer.addStream(.audio(config))
        try writer.open()
        try writer.send(tone(samples: 4000, channels: 1), to: 0)
        _ = try writer.close()
        let stream = try Probe(folder.path(name)).streams[0]
        let tags: Probe.Fields = stream["tags"]
        return tags["language"] ?? tags["LANGUAGE"]
    }

    /// What FFmpeg's muxers keep, by ISO 14496-12 (terminological), RFC 9559 and ATSC A/65 (bibliographic).
    @Test(arguments: [
        ("mp4", "aac", "deu"), ("m4a", "aac", "deu"), ("3gp", "aac", "deu"), ("3g2", "aac", "deu"), ("f4v", "aac", "deu"), ("ismv", "aac", "deu"),
        ("mov", "pcm_s16le", "ger"), ("mkv", "aac", "ger"), ("webm", "libopus", "ger"), ("ts", "aac", "ger"), ("asf", "wmav2", "ger"),
        ("nut", "aac", "deu"), ("ogg", "libopus", "deu"), ("oga", "flac", "deu"), ("opus", "libopus", "deu"), ("spx", "libspeex", "deu"),
    ])
    func theLanguageIsInTheFileAsItsContainerWantsIt(container: String, encoder: String, german: String) throws {
        for english in ["en", "eng", "EN"] { #expect(try language(english, in: container, encoder) == "eng", "\(english)") }
        for text in ["de", "ger", "deu"] { #expect(try language(text, in: container, encoder) == german, "\(text)") }
        #expect(try language("fin", in: container, encoder) == "fin")
    }

    /// libav's table of QuickTime's languages has names of its own, by which ffprobe shows them.
    @Test(arguments: [("sv", "sve"), ("fr", "fra"), ("fre", "fra"), ("cs", "ces"), ("ro", "ron"), ("sk", "slk"), ("nl", "dut"), ("hr", "hr"), ("zh", "chi"), ("ja", "jpn")])
    func quickTimeKeepsItsOwnLanguages(text: String, shown: String) throws {
        #expect(try language(text, in: "mov", "pcm_s16le")?.trimmingCharacters(in: .whitespaces) == shown)
    }

    /// RFC 9559, section 12: "fre-ca" for Canadian French.
    @Test func matroskaKeepsTheCountryAndOthersSayThatTheyDoNot() throws {
        #expect(try language("fr-CA", in: "mkv", "flac") == "fre-ca")
        #expect(try language("en-US", in: "webm", "libopus") == "eng-us")
        let refused = try error({ $0.language = "en-US" }, "a.mp4")
        #expect(refused.parameter == "language" && refused.supported == ["eng"] && refused.code == .unsupportedValue)
    }

    @Test func aLanguageInTheMetadataIsTheSame() throws {
        #expect(try video("a.mp4") { $0.metadata = ["language": "de"] }["tags"]["language"] == "deu")
        #expect(try video("b.mp4") { $0.metadata = ["language": "ger"]; $0.language = "de" }["tags"]["language"] == "deu")
        #expect(try error { $0.metadata = ["language": "English"] }.parameter == "metadata.language")
    }

    @Test func dispositionsAreInTheFile() throws {
        let stream = try video("a.mkv") { $0.disposition = ["forced", "hearing_impaired", "default"] }
        let flags: Probe.Fields = stream["disposition"]
        #expect(flags.names.filter { flags[$0] == "1" }.sorted() == ["default", "forced", "hearing_impaired"])
    }

    @Test(arguments: ["mp3", "flac", "m4a"]) func anAttachedPictureIsTheCover(container: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a.\(container)"), format: nil)
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16)))
        _ = try writer.addStream(
            .video(
                VideoStreamConfig(
                    frameRate: Rational(1, 1)!, width: 64, height: 48, encoder: "png",
                    disposition: ["attached_pic"])))
        try writer.open()
        try writer.send(tone(samples: 44_100, channels: 2), to: 0)
        try writer.send(pictures(count: 1, bytesPerFrame: Self.frame), to: 1)
        _ = try writer.close()
        let streams = try Probe(folder.path("a.\(container)")).streams
        #expect(streams[1]["disposition"]["attached_pic"] == "1")
        #expect(streams[1]["codec_name"] == "png")
        #expect(abs(streams[0].number("duration")! - 1) < 0.06)
    }

    @Test(arguments: [("libx264", "mp4"), ("mpeg4", "avi"), ("ffv1", "mkv"), ("mpeg2video", "mpg"), ("rawvideo", "nut")])
    func theSampleAspectRatioIsInTheFile(encoder: String, container: String) throws {
        let stream = try video("a.\(container)") {
            $0.encoder = encoder
            $0.sampleAspectRatio = encoder == "mpeg2video" ? Rational(1, 1) : Rational(40, 33)
        }
        #expect(stream["sample_aspect_ratio"] == (encoder == "mpeg2video" ? "1:1" : "40:33"))
    }

    @Test func aFiltersSampleAspectRatioIsInTheFile() throws {
        #expect(try video("a.mp4") { $0.filterDesc = "setsar=4/3" }["sample_aspect_ratio"] == "4:3")
        let scaled = try video("b.mp4") { $0.filterDesc = "setsar=1"; $0.encoderWidth = 128 }
        #expect(scaled["sample_aspect_ratio"] == "1:2")
    }

    @Test(arguments: [(90, "90"), (180, "-180"), (270, "-90")])
    func theRotationIsADisplayMatrix(rotation: Int, shown: String) throws {
        let stream = try video("a.mp4") { $0.rotation = rotation }
        let data: [Probe.Fields] = stream["side_data_list"]
        #expect(data.first { $0["side_data_type"] == "Display Matrix" }?["rotation"] == shown)
    }

    /// The picture is white in its upper left corner. Where that is after a turn against the clock is arithmetic.
    @Test(arguments: [(0, (0, 0)), (90, (0, 63)), (180, (63, 47)), (270, (47, 0))])
    func aPlayerTurnsTheRotatedPictureAgainstTheClock(rotation: Int, white: (x: Int, y: Int)) throws {
        var picture = Data(count: Self.frame)
        for y in 0..<8 { picture.replaceSubrange(y * 64 * 3..<y * 64 * 3 + 24, with: Data(repeating: 255, count: 24)) }
        var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "png")
        config.rotation = rotation
        try encode(.video(config), picture, to: folder.destination("a.mov"))
        #expect(try Probe(folder.path("a.mov")).streams[0]["width"] == "64")
        let shown = [UInt8](try run(["ffmpeg", "-v", "error", "-i", folder.path("a.mov"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]))
        let width = rotation % 180 == 0 ? 64 : 48
        let corners = [(0, 0), (width - 1, 0), (0, 64 * 48 / width - 1), (width - 1, 64 * 48 / width - 1)]
        let lit = corners.filter { shown[($0.1 * width + $0.0) * 3] > 200 }
        #expect(lit.count == 1 && lit[0] == white, "\(lit)")
    }

    @Test(arguments: ["mp4", "mkv", "mov", "ts"]) func colorsAreInTheFile(container: String) throws {
        let stream = try video("a.\(container)") {
            $0.encoder = "libx264"
            $0.color = ColorConfig(range: "pc", primaries: "bt2020", transfer: "smpte2084", space: "bt2020nc")
        }
        #expect(stream["color_range"] == "pc")
        #expect(stream["color_primaries"] == "bt2020")
        #expect(stream["color_transfer"] == "smpte2084")
        #expect(stream["color_space"] == "bt2020nc")
    }

    @Test func colorsOfYUVAreWrittenDownAndChangeNoPixel() throws {
        for (name, color) in [("a.mkv", ColorConfig()), ("b.mkv", ColorConfig(range: "pc", space: "bt709"))] {
            _ = try video(name) { $0.format = "yuv444p"; $0.encoder = "ffv1"; $0.encoderFormat = "yuv420p"; $0.color = color }
        }
        #expect(
            try decodeVideo(folder.path("a.mkv"), format: "yuv420p") == decodeVideo(folder.path("b.mkv"), format: "yuv420p"))
    }

    @Test func aFiltersColorsAreInTheFile() throws {
        let stream = try video("a.mp4") {
            $0.encoder = "libx264"
            $0.filterDesc = "scale=out_color_matrix=bt709:out_range=pc,setparams=colorspace=bt709:color_primaries=bt709"
            $0.color = ColorConfig(primaries: "bt470bg")
        }
        #expect(stream["color_space"] == "bt709")
        #expect(stream["color_primaries"] == "bt470bg")
    }

    @Test func whatIsNotKnownIsRefusedWithWhatIs() throws {
        #expect(try error { $0.rotation = 45 }.supported == ["0", "90", "180", "270"])
        #expect(try error({ $0.rotation = 90 }, "a.ts").parameter == "rotation")
        for language in ["xx", "English", "e1n", "", "e", "engl", "en_US", "en-", "en-USA", "en-Latn-US", "es-419", "-en", "en ", "日本"] {
            let error = try error { $0.language = language }
            #expect(error.parameter == "language" && error.code == .invalidParameter, "\(language)")
        }
        #expect(try error { $0.language = "eng"; $0.metadata = ["language": "fin"] }.parameter == "language")
        let disposition = try error { $0.disposition = ["defualt"] }
        #expect(disposition.parameter == "disposition")
        #expect(disposition.supported?.contains("hearing_impaired") == true)
        #expect(try error { $0.color.range = "full" }.supported == ["unknown", "tv", "pc"])
        #expect(try error { $0.color.primaries = "bt709x" }.supported?.contains("smpte432") == true)
        #expect(try error { $0.color.transfer = "x" }.parameter == "color_trc")
        #expect(try error { $0.color.space = "reserved" }.parameter == "colorspace")
    }
}
