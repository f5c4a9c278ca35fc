import Bytewise

/// What people write for parameters of this API: names of other programs and libraries, and names that are parameters
/// elsewhere in a request. The one table of them.
///
/// Keys are letters and digits alone. A value has the parameters that may be meant, in their order: a stream's by
/// their names, the others behind the object that they are members of (`writer` and `chunk` for those of a creation
/// and of a chunk's query). Behind "*" stands an object whose members have the names of their row.
public enum WrittenNames {
    static func targets(of name: String) -> [String] { table[name.lettersOnly] ?? [] }

    private static let table: [String: [String]] = {
        var table: [String: [String]] = [:]
        for (targets, names) in rows {
            for name in names.words(at: [" ", "\n"]) {
                let meant = targets.without(prefix: "*").map { ["\($0).\(name)"] } ?? targets.words(at: [" "])
                table[name.lettersOnly, default: []] += meant
            }
        }
        return table
    }()

    private static let rows: [(targets: String, names: String)] = writers + streams + codecs + chunks

    private static let streams = [
        ("num_channels", "channels ch nch nchannels channelcount channelnumber numberofchannels ac"),
        ("sample_rate frame_rate", "rate"),
        ("sample_rate", "sr ar fs freq frequency hz samplingrate samplingfrequency samplesrate samplespersecond"),
        ("frame_rate", "fps r framespersecond framespersec videorate"),
        ("sample_format", "samplefmt sampleformat audioformat sampletype"),
        ("pixel_format", "pixfmt pixelfmt pixelformat videoformat colorformat colourformat"),
        ("sample_format pixel_format", "dtype inputformat informat sourceformat srcformat rawformat"),
        ("encoder_format", "outputpixfmt outpixfmt outputpixelformat outputsampleformat outputsamplefmt encoderpixfmt encodersamplefmt"),
        ("encoder", "codec vcodec acodec cv ca codecv codeca codecname encodername enc videocodec audiocodec videoencoder audioencoder"),
        ("width+height", "size resolution s dimensions dimension dims framesize videosize picturesize imagesize shape"),
        ("width", "w cols columns framewidth"), ("height", "h rows frameheight"),
        ("layout=nchw", "channelsfirst chw nchw planar"), ("layout", "memoryformat dataformat tensorlayout dimorder channelorder"),
        ("encoder_sample_rate", "outputsamplerate outsamplerate targetsamplerate resample"),
        ("encoder_num_channels", "outputchannels outputnumchannels targetchannels encoderchannels downmix"),
        ("encoder_width+encoder_height", "scale outputsize targetsize encodersize"),
        ("encoder_width", "outputwidth targetwidth scalewidth"), ("encoder_height", "outputheight targetheight scaleheight"),
        ("encoder_frame_rate", "outputfps outputframerate targetfps encoderfps"),
        ("filter_desc", "filter filters vf af filterv filtera filterchain filtergraph filtercomplex videofilter audiofilter lavfi"),
        ("sample_aspect_ratio", "sar aspect aspectratio pixelaspectratio par dar"), ("rotation", "rotate orientation angle"),
        ("colorspace", "matrix colormatrix colourspace"), ("color_primaries", "primaries colourprimaries"),
        ("color_trc", "trc transfer colortransfer gamma transfercharacteristics"), ("color_range", "range fullrange colourrange"),
        ("time_base", "tb timescale"), ("codec_tag", "tag fourcc vtag atag"), ("hw_accel", "hwdevice device gpu cuda vaapi"),
        ("language", "lang locale"), ("channel_layout", "chlayout channellayouts chl"), ("field_order", "interlaced interlacing fieldorder"),
        ("mastering_display", "masterdisplay masteringmetadata hdr"), ("content_light_level", "maxcll cll"),
        ("type", "kind media mediatype streamtype"), ("encoder_option", "options opts option params parameters encoderopts codecoptions"),
    ]

    private static let codecs = [
        ("codec_config.bit_rate", "bitrate b bv ba br bps kbps abr audiobitrate videobitrate targetbitrate"),
        ("codec_config.gop_size", "gop g gopsize keyint kint keyframeinterval keyframe keyframes gopsz forcekeyframes keyintmax"),
        ("codec_config.max_b_frames", "bframes bf maxbframes"), ("codec_config.qscale", "q quality qscale qv qa globalquality"),
        ("codec_config.compression_level", "compression complevel compressionlevel"),
        (
            "*encoder_option",
            """
            crf cq preset tune profile level maxrate minrate bufsize threads application vbr cutoff deadline speed qmin qmax qp strict lossless
            tiles refs trellis flags slices rc aq x264opts
            """
        ),
        ("encoder_option.thread_type", "threadtype"), ("encoder_option.cpu-used", "cpuused"), ("encoder_option.row-mt", "rowmt"),
        ("encoder_option.x264-params", "x264params"), ("encoder_option.x265-params", "x265params"),
        ("encoder_option.svtav1-params", "svtav1params"), ("encoder_option.keyint_min", "keyintmin minkeyint"),
    ]

    private static let writers = [
        ("writer.format", "container muxer f format outputformat outformat fileformat filetype containerformat ext extension"),
        (
            "writer.dst",
            """
            dst url output path file filename uri out dest destination target outputpath outputfile outputurl location outputs dsturl save saveto rtmp
            """
        ),
        ("writer.overwrite", "overwrite force y clobber replace"), ("writer.buffer_size", "buffersize bufsz buffer"), ("writer.verify", "verify check verification"),
        ("writer.streams", "stream tracks track inputs input audio video"),
        ("writer.open", "option options opts openoption openoptions muxeroptions formatoptions outputoptions muxeropts formatopts"),
        ("writer.metadata", "tags meta"),
        ("*metadata", "title artist album author comment copyright description genre date year track publisher composer"),
        ("option.movflags=faststart", "faststart"),
        (
            "*option",
            """
            movflags hls_time hls_list_size hls_flags hls_segment_type hls_segment_filename hls_playlist_type segment_time seg_duration flvflags
            frag_duration mpegts_flags muxrate rtsp_transport
            """
        ),
    ]

    private static let chunks = [
        ("chunk.pts", "time timestamp ts start starttime t presentationtime pos position"), ("chunk.duration", "dur length"),
        ("chunk.keyframe", "key iframe idr forcekeyframe iskeyframe keyframes"),
    ]

    // MARK: Values

    /// A stream's `format` by NumPy's, PyTorch's and libav's names.
    public static func sampleFormat(_ value: String) -> String? { meant(by: value, sampleFormats) }

    /// A stream's `layout`.
    public static func layout(_ value: String) -> String? { meant(by: value, layouts) }

    private static func meant(by value: String, _ rows: [(value: String, names: String)]) -> String? {
        let key = value.shortened().lettersOnly
        return rows.first { key.isSame(as: $0.value) || $0.names.words(at: [" "]).contains { $0.isSame(as: key) } }?.value
    }

    private static let sampleFormats = [
        ("s16", "s16le s16p int16 i16 short pcms16le pcm16 pcm i2 16"), ("s32", "s32le s32p int32 i32 int pcms32le i4 s24 s24le 32"),
        ("flt", "fltp float float32 f32 f32le single pcmf32le f4"), ("dbl", "dblp double float64 f64 f64le pcmf64le f8"),
        ("u8", "u8p uint8 byte pcmu8 u1 8"), ("s64", "s64le s64p int64 i64 long pcms64le i8"),
    ]

    private static let layouts = [
        ("nchw", "chw channelsfirst channelfirst planar tchw bchw cthw pytorch torch"),
        ("packed", "hwc nhwc channelslast channellast interleaved thwc bhwc ffmpeg numpy opencv default"),
    ]
}
