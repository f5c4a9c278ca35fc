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

    @Test(arguments: ["mp4", "mkv", "mov", "nut", "ts"]) func theLanguageIsInTheFile(container: String) throws {
        let config = AudioStreamConfig(
            sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac", language: "fin")
        try encode(.audio(config), tone(samples: 5000, channels: 1), to: folder.destination("a.\(container)"))
        #expect(try Probe(folder.path("a.\(container)")).streams[0]["tags"]["language"] == "fin")
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

    @Test func aPlayerTurnsTheRotatedPicture() throws {
        let stream = try video("a.mov") { $0.encoder = "png"; $0.rotation = 90; $0.filterDesc = "null" }
        #expect(stream["width"] == "64")
        let turned = try run(["ffmpeg", "-v", "error", "-i", folder.path("a.mov"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        let expected = try run(
            ["ffmpeg", "-v", "error", "-noautorotate", "-i", folder.path("a.mov"), "-vf", "transpose=cclock",
             "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        #expect(turned == expected)
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
        for language in ["en", "English", "EN", "e1n", ""] {
            #expect(try error { $0.language = language }.parameter == "language", "\(language)")
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
