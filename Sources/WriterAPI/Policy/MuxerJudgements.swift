extension JudgementTable {
    /// Muxers and output devices. Of libavformat's muxers only those that are refused here open
    /// anything other than through AVFormatContext.io_open, before which the server's own gate stands
    /// (ffurl_open, avio_open2, ffio_open_whitelist, rename, unlink and mkdir in its source); devices
    /// are for `--allow-devices`.
    package static let muxers = JudgementTable(
        [
            .refused("hds smoothstreaming", "it makes, renames and removes folders and files by itself; dash and hls do not"),
            .refused("sap", "it announces itself on addresses of its own; rtp sends to one"),
            .refused("uncodedframecrc", "it takes no encoder's packets, only frames that were never encoded"),
            .refused("fifo tee", "it writes to several destinations; write to each with a writer of its own"),

            .options(
                "dash", "single_file single_file_name",
                .refused("it opens its file without asking the server; leave segments in files of their own")),
            .options("dash", "init_seg_name media_seg_name hls_master_name", .nameBesideDst),
            .options("dash", "format_options", .muxerOptions),
            .options("dash", "http_opts", .protocolOptions),
            .options("dash", "http_user_agent", .line),
            .options("dash hls webm_chunk", "method", .httpMethod),
            .options("dash hls", "http_persistent", .refused("its requests on one connection can't be judged one by one")),

            .options("hls", "hls_key_info_file", .refused("it reads a file, and another that it names; hls_enc with hls_enc_key takes the key")),
            .options("hls", "strftime_mkdir", .refused("it makes folders without asking the server")),
            .flag("hls", "hls_flags", "append_list", "it reads a playlist, and removes what that names, without asking the server"),
            .options("hls", "hls_segment_filename hls_subtitle_path hls_enc_key_url", .outputPath),
            .options("hls", "hls_fmp4_init_filename master_pl_name", .nameBesideDst),
            .options("hls", "hls_segment_options hls_vtt_options", .muxerOptions),
            .options("hls", "var_stream_map", .variants),
            .options("hls", "http_user_agent", .line),
            .options("hls", "headers", .httpHeaders),

            .options("image2", "protocol_opts", .protocolOptions),
            .options("rtp_mpegts", "mpegts_muxer_options rtp_muxer_options", .muxerOptions),
            .options("rtsp", "user_agent", .line),
            .options("segment stream_segment,ssegment", "segment_format", .muxer),
            .options("segment stream_segment,ssegment", "segment_format_options", .muxerOptions),
            .options("segment stream_segment,ssegment", "segment_list segment_header_filename", .outputPath),
            .options("webm_chunk", "header", .outputPath),

            .options("caca", "driver", .refused("it loads a driver, which is code")),
            .options("pulse", "server", .refused("it is a server to connect to, or to start")),
            .options("xv", "display_name", .refused("it is a display to connect to")),
            .allowed(plain), .harmless(harmless),
        ],
        untilFFmpeg5: [
            .refused("fifo_test", "it is for tests of libav's, and reads memory that is not there"),
            .options("hls", "hls_ts_options", .muxerOptions),
            .options("caca", "list_dither", .harmless),
        ],
        sinceFFmpeg7: [.allowed("ac4 aea evc iamf lc3 rcwt vvc")],
        elsewhere: [
            .refused("whip", "it opens connections and reads keys by itself"),
            .refused("decklink", "it is a device of its own"),
        ])

    /// What all muxers have.
    package static let everyMuxer = JudgementTable([
        .options("*", "protocol_whitelist protocol_blacklist", .refused("which protocols are used is the server's to say")),
        .options("*", "codec_whitelist format_whitelist", .refused("it is for reading, and the server's to say")),
        .options("*", "cryptokey dump_separator", .harmless),
    ])

    /// Names written into files, keys in hex, times, titles of windows.
    private static let harmless = """
        3g2: brand encryption_scheme encryption_key encryption_kid
        3gp: brand encryption_scheme encryption_key encryption_kid
        argo_asf: name
        caca: window_title algorithm antialias charset color
        dash: adaptation_sets utc_timing_url
        f4v: brand encryption_scheme encryption_key encryption_kid
        framehash: hash
        framemd5: hash
        hash: hash
        hls: hls_base_url hls_enc_key hls_enc_iv cc_stream_map
        ipod: brand encryption_scheme encryption_key encryption_kid
        ismv: brand encryption_scheme encryption_key encryption_kid
        md5: hash
        mov: brand encryption_scheme encryption_key encryption_kid
        mp4: brand encryption_scheme encryption_key encryption_kid
        mpjpeg: boundary_tag
        opengl: window_title
        psp: brand encryption_scheme encryption_key encryption_kid
        pulse: name stream_name device
        rtp: cname
        sdl,sdl2: window_title
        segment: reference_stream segment_times segment_frames segment_list_entry_prefix
        stream_segment,ssegment: reference_stream segment_times segment_frames segment_list_entry_prefix
        streamhash: hash
        webm_dash_manifest: adaptation_sets utc_timing_url
        xv: window_title
        """

    private static let plain = """
        a64 ac3 adts adx aiff alaw alp alsa amr amv apm apng aptx aptx_hd argo_cvg asf asf_stream ass ast au
        avi avif avm2 avs2 avs3 bit caf cavsvideo chromaprint codec2 codec2raw crc data daud dfpwm dirac
        dnxhd dts dv dvd eac3 f32be f32le f64be f64le fbdev ffmetadata film_cpk filmstrip fits
        flac flv framecrc g722 g723_1 g726 g726le gif gsm gxf h261 h263 h264 hevc ico ilbc image2pipe ircam
        ivf jacosub kvag latm lrc m4v matroska microdvd mjpeg mkvtimestamp_v2 mlp mmf mp2 mp3 mpeg
        mpeg1video mpeg2video mpegts mulaw mxf mxf_d10 mxf_opatom null nut obu oga ogg ogv oma opus oss
        rawvideo rm roq rso s16be s16le s24be s24le s32be s32le s8 sbc scc smjpeg sox spdif spx srt sup svcd
        swf truehd tta ttml u16be u16le u24be u24le u32be u32le u8 vc1 vc1test vcd vidc
        video4linux2,v4l2 vob voc w64 wav webm webp webvtt wsaud wtv wv yuv4mpegpipe
        """
}
