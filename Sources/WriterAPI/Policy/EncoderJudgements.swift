extension JudgementTable {
    /// Encoders. Their options are also those of AVCodecContext, `everyEncoder`.
    package static let encoders = JudgementTable(
        [
            .options("libx264 libx264rgb", "stats passlogfile", .refused(passFile)),
            .options("libx264 libx264rgb", "x264-params", .parameters(.x264)),
            .options("libx264 libx264rgb", "x264opts", .unquotedParameters(.x264)),
            .options("libx265", "x265-params", .parameters(.x265)),
            .options("libsvtav1", "svtav1-params", .parameters(.svtav1)),
            .options("libaom-av1", "aom-params", .parameters(.aom)),
            .options("librav1e", "rav1e-params", .parameters(.rav1e)),
            .options("libvpx libvpx-vp9", "ts-parameters", .parameters(.vpxTemporalScaling)),
            .options("hevc_qsv", "load_plugins", .refused("it loads plugins, which are code")),
            .allowed("wrapped_avframe"), .allowed(plain), .harmless(harmless),
        ],
        untilFFmpeg5: [
            .options("h264_omx mpeg4_omx", "omx_libname omx_libprefix", .refused("it loads a library, which is code")),
            .allowed("ayuv"),
        ],
        sinceFFmpeg7: [
            .options("av1_qsv h264_qsv hevc_qsv mpeg2_qsv vp9_qsv", "qsv_params", .refused("its parameters have not been judged")),
            .allowed("anull av1_nvenc av1_vaapi dxv h264_vulkan hdr hevc_vulkan msrle vnull wbmp"),
        ],
        elsewhere: [
            .options("libkvazaar", "kvazaar-params", .parameters(.kvazaar)),
            .options("libvvenc", "vvenc-params", .refused("its parameters have not been judged")),
            .options("libxeve", "xeve-params", .refused("its parameters have not been judged")),
            .options("libxavs2", "xavs2-params", .refused("its parameters have not been judged")),
            .options("libsvt_hevc", "svthevc-params", .refused("its parameters have not been judged")),
            .allowed(
                """
                aac_at aac_mf av1_amf h264_amf h264_mf h264_videotoolbox hevc_amf hevc_mf hevc_videotoolbox
                libfdk_aac libilbc liblc3 libopencore_amrnb libopenh264 libvo_amrwbenc vp8_mf
                """),
        ])

    /// What all encoders have.
    package static let everyEncoder = JudgementTable([
        .flag("*", "flags", "pass1", passFile), .flag("*", "flags", "pass2", passFile),
        .options("*", "sub_charenc dump_separator codec_whitelist", .harmless),
    ])

    /// The encoder wrapped_avframe gives pointers instead of pictures: only muxers that ask for it by
    /// default know what to do with them, others would write them down.
    static let wrappedFrames = "wrapped_avframe"
    static let wrappedFramesRefusal = "its packets are addresses in the server's memory; rawvideo holds the pictures"

    private static let passFile = "it keeps statistics in a file, for a second pass; use crf, or bit_rate in codec_config"

    /// Names the encoder knows, numbers and equations.
    private static let harmless = """
        amv: rc_eq
        flv: rc_eq
        h261: rc_eq
        h263: rc_eq
        h263p: rc_eq
        jpeg2000: layer_rates
        libx264: preset tune profile level wpredp psy-rd deblock partitions
        libx264rgb: preset tune profile level wpredp psy-rd deblock partitions
        libx265: preset tune profile
        mjpeg: rc_eq
        mpeg1video: rc_eq gop_timecode
        mpeg2video: rc_eq gop_timecode
        mpeg4: rc_eq
        msmpeg4: rc_eq
        msmpeg4v2: rc_eq
        prores: vendor
        prores_aw: vendor
        prores_ks: vendor
        rv10: rc_eq
        rv20: rc_eq
        snow: rc_eq
        speedhq: rc_eq
        wmv1: rc_eq
        wmv2: rc_eq
        """

    private static let plain = """
        a64multi a64multi5 aac ac3 ac3_fixed adpcm_adx adpcm_argo adpcm_ima_alp adpcm_ima_amv adpcm_ima_apm
        adpcm_ima_qt adpcm_ima_ssi adpcm_ima_wav adpcm_ima_ws adpcm_ms adpcm_swf adpcm_yamaha alac alias_pix
        apng aptx aptx_hd asv1 asv2 avrp avui bitpacked bmp cfhd cinepak cljr comfortnoise dca dfpwm
        dnxhd dpx dvvideo eac3 exr ffv1 ffvhuff fits flac flashsv flashsv2 g722 g723_1 g726 g726le gif
        h263_v4l2m2m h264_nvenc h264_qsv h264_v4l2m2m h264_vaapi hap hevc_nvenc hevc_v4l2m2m hevc_vaapi
        huffyuv jpegls libcodec2 libgsm libgsm_ms libjxl libmp3lame libopenjpeg libopus libshine libspeex
        libtheora libtwolame libvorbis libwebp libwebp_anim libxvid ljpeg magicyuv mjpeg_qsv mjpeg_vaapi mlp
        mp2 mp2fixed mpeg2_qsv mpeg2_vaapi mpeg4_v4l2m2m msvideo1 nellymoser opus pam pbm pcm_alaw
        pcm_bluray pcm_dvd pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw pcm_s16be pcm_s16be_planar
        pcm_s16le pcm_s16le_planar pcm_s24be pcm_s24daud pcm_s24le pcm_s24le_planar pcm_s32be pcm_s32le
        pcm_s32le_planar pcm_s64be pcm_s64le pcm_s8 pcm_s8_planar pcm_u16be pcm_u16le pcm_u24be pcm_u24le
        pcm_u32be pcm_u32le pcm_u8 pcm_vidc pcx pfm pgm pgmyuv phm png ppm qoi qtrle r10k r210 rawvideo
        real_144 roq_dpcm roqvideo rpza s302m sbc sgi smc sonic sonicls sunrast svq1 targa tiff truehd tta
        utvideo v210 v308 v408 v410 vbn vc2 vorbis vp8_v4l2m2m vp8_vaapi vp9_qsv vp9_vaapi wavpack wmav1
        wmav2 xbm xface xwd y41p yuv4 zlib zmbv
        """
}
