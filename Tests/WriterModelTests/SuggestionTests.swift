import Testing
import WriterModel

@Suite struct SuggestionTests {
    private static let video = [
        "type", "layout", "format", "frame_rate", "time_base", "width", "height", "encoder", "encoder_option", "encoder_frame_rate", "encoder_width",
        "encoder_height", "encoder_format", "codec_config", "filter_desc", "hw_accel", "metadata", "language", "disposition", "sample_aspect_ratio",
        "rotation", "color_range", "color_primaries", "color_trc", "colorspace", "field_order", "codec_tag",
    ]
    private static let audio = [
        "type", "format", "sample_rate", "num_channels", "channel_layout", "encoder", "encoder_option", "encoder_sample_rate", "encoder_num_channels",
        "encoder_format", "codec_config", "filter_desc", "metadata", "language", "disposition", "codec_tag",
    ]
    private static let writer = ["dst", "format", "buffer_size", "overwrite", "verify", "metadata", "streams", "open"]

    @Test(arguments: [
        ("channels", "num_channels"), ("ch", "num_channels"), ("nchannels", "num_channels"), ("numChannels", "num_channels"), ("ac", "num_channels"),
        ("rate", "sample_rate"), ("samplerate", "sample_rate"), ("sr", "sample_rate"), ("sampel_rate", "sample_rate"), ("bitrate", "codec_config.bit_rate"),
        ("bit_rate", "codec_config.bit_rate"), ("b", "codec_config.bit_rate"), ("b:a", "codec_config.bit_rate"), ("acodec", "encoder"), ("codec", "encoder"),
        ("af", "filter_desc"), ("sample_fmt", "format"), ("dtype", "format"), ("lang", "language"), ("dst", "dst"), ("output", "dst"), ("vbr", "encoder_option.vbr"),
    ])
    func whatIsWrittenForAParameterOfAnAudioStream(name: String, meant: String) {
        #expect(ParameterSuggestion(for: name, at: .stream, known: Self.audio)?.parameter == meant)
    }

    @Test(arguments: [
        ("fps", "frame_rate"), ("rate", "frame_rate"), ("framerate", "frame_rate"), ("pix_fmt", "format"), ("pixel_fmt", "format"), ("vcodec", "encoder"),
        ("c:v", "encoder"), ("gop", "codec_config.gop_size"), ("g", "codec_config.gop_size"), ("keyint", "codec_config.gop_size"), ("crf", "encoder_option.crf"),
        ("preset", "encoder_option.preset"), ("tune", "encoder_option.tune"), ("vf", "filter_desc"), ("bframes", "codec_config.max_b_frames"),
        ("gop_sise", "codec_config.gop_size"), ("widht", "width"), ("url", "dst"), ("movflags", "option.movflags"), ("channels_first", "layout"),
    ])
    func whatIsWrittenForAParameterOfAVideoStream(name: String, meant: String) {
        #expect(ParameterSuggestion(for: name, at: .stream, known: Self.video)?.parameter == meant)
    }

    @Test(arguments: [
        ("url", "dst"), ("output", "dst"), ("path", "dst"), ("file", "dst"), ("container", "format"), ("muxer", "format"), ("force", "overwrite"),
        ("title", "metadata.title"), ("option", "open.option"), ("sample_rate", "sample_rate"), ("channels", "num_channels"), ("crf", "encoder_option.crf"),
        ("bitrate", "codec_config.bit_rate"), ("hls_time", "option.hls_time"), ("stream", "streams"), ("over_write", "overwrite"),
    ])
    func whatIsWrittenForAParameterOfAWriter(name: String, meant: String) {
        #expect(ParameterSuggestion(for: name, at: .writer, known: Self.writer)?.parameter == meant)
    }

    @Test func theSentenceSaysWhereAParameterStands() {
        #expect(ParameterSuggestion(for: "size", at: .stream, known: Self.video)?.phrase == "width and height")
        #expect(ParameterSuggestion(for: "chw", at: .stream, known: Self.video)?.phrase == "layout with the value \"nchw\"")
        #expect(ParameterSuggestion(for: "fps", at: .writer, known: Self.writer)?.phrase == "frame_rate, which is a stream's (in streams)")
        #expect(ParameterSuggestion(for: "movflags", at: .writer, known: Self.writer)?.phrase == "open.option.movflags")
        #expect(ParameterSuggestion(for: "crf", at: .codecConfig, known: ["bit_rate"])?.parameter == "encoder_option.crf")
        #expect(ParameterSuggestion(for: "bitrate", at: .encoderOption, known: [])?.parameter == "codec_config.bit_rate")
        #expect(ParameterSuggestion(for: "pix_fmt", at: .encodeQuery, known: ["format", "pixel_format"])?.parameter == "pixel_format")
        #expect(ParameterSuggestion(for: "timestamp", at: .other, known: ["pts", "duration", "keyframe"])?.parameter == "pts")
    }

    @Test func whatWasSentIsNotSuggested() {
        let refusal = Problem(.unknownOption, "Nothing takes it.", parameter: "option.movflags")
        #expect(refusal.suggesting(ParameterSuggestion(for: "movflags", at: .option, known: [])) == refusal)
        #expect(refusal.suggesting(value: "option.brand") != refusal)
    }

    @Test(arguments: ["xyzzy", "q1", "zz", "", "\u{301}", String(repeating: "widht", count: 100)])
    func whatIsLikeNothingHasNoSuggestion(name: String) {
        #expect(ParameterSuggestion(for: name, at: .stream, known: Self.video) == nil)
    }

    // fps, gop and the like are of pictures.
    @Test(arguments: ["fps", "gop", "width", "pix_fmt"])
    func anAudioStreamIsNotToldOfParametersOfPictures(name: String) {
        let found = ParameterSuggestion(for: name, at: .stream, known: Self.audio)?.parameter
        #expect(found == nil || found == "format")
    }
}
