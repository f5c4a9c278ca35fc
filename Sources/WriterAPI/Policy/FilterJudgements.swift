extension JudgementTable {
    /// Filters, for `filter_desc`. A line or a name is here because a developer has read what the filter
    /// does with it (libavfilter's source says which filters open files: fopen, av_file_map, avio_open,
    /// avformat_open_input, ff_load_image, dlopen).
    package static let filters = JudgementTable(
        [
            .refused("amovie movie", "it opens a file or a URL; send what it should read as another stream"),
            .refused("frei0r frei0r_src ladspa lv2", "it loads a plugin, which is code"),
            .refused("azmq zmq", "it listens on a socket for commands; sendcmd takes them in the description"),
            .refused("arnndn asr", "it loads a model from a file"),
            .refused("ass subtitles", "it reads subtitles and fonts from files; drawtext writes text given in text"),
            .refused("openclsrc program_opencl", "it runs a program from a file on the GPU"),
            .refused("sofalizer", "it reads a file; headphone takes the responses as further inputs"),
            .refused("removelogo", "it reads a picture from a file; delogo takes a rectangle"),
            .refused("find_rect fieldhint", "it reads a file"),
            .refused("nnedi", "it reads its weights from a file, also when none is named; bwdif and estdif need none"),
            .refused(
                "vidstabdetect vidstabtransform",
                "it keeps what it finds in a file, also when none is named; deshake works in one pass"),
            .refused("abuffer abuffersink buffer buffersink", "it is an end of the graph, which the server makes itself"),

            .options("ametadata metadata", "file", .refused(writesFile)),
            .options("asendcmd sendcmd", "filename f", .refused("it reads a file; give the commands in commands")),
            .options("asendcmd sendcmd", "commands c", .commands),
            .options("cellauto", "filename f", .refused("it reads a file; give the pattern in pattern")),
            .options("cover_rect", "cover", .refused(readsFile)),
            .options("curves", "plot", .refused(writesFile)),
            .options("curves", "psfile", .refused("it reads a file; give the points in master, red, green and blue")),
            .options("deshake", "filename", .refused(writesFile)),
            .options("drawtext", "fontfile", .refused("it reads a file; name a font in font")),
            .options("drawtext", "textfile", .refused("it reads a file; give the text in text")),
            .options("firequalizer", "dumpfile", .refused(writesFile)),
            .options("flite", "textfile", .refused("it reads a file; give the text in text")),
            .options("libplacebo", "custom_shader_path custom_shader_bin", .refused("it is a program for the GPU")),
            .options("life", "filename f", .refused(readsFile)),
            .options("lut1d lut3d", "file", .refused("it reads a file; haldclut takes the table as a second input")),
            .options("paletteuse", "debug_kdtree", .refused(writesFile)),
            .options("psnr ssim", "stats_file f", .refused(writesFile)),
            .options("vmafmotion", "stats_file", .refused(writesFile)),
            .options("selectivecolor", "psfile", .refused("it reads a file; give the colors in reds, yellows, …")),
            .options("showcqt", "axisfile", .refused(readsFile)),
            .options("showcqt", "fontfile", .refused("it reads a file; name a font in font")),
            .options("showcqt", "font", .fontName),
            .options("signature", "filename", .refused(writesFile)),
            .options("xfade_opencl", "source kernel", .refused("it runs a program from a file on the GPU")),
            .allowed(plain), .harmless(harmless),
        ],
        untilFFmpeg5: [
            .refused("derain dnn_classify dnn_detect dnn_processing sr", "it loads a model from a file"),
            .allowed("afifo fifo"), .harmless(harmlessUntilFFmpeg5),
        ],
        sinceFFmpeg7: [
            .refused("fsync", "it reads a file"),
            .refused("tiltandshift", "it takes the numbers of pictures for addresses, and crashes"),
            .refused("xpsnr", "it writes a file, and divides by zero where pictures are small; psnr and ssim measure as well"),
            .options("ssim360", "stats_file f", .refused(writesFile)),
            .options("libplacebo", "extra_opts", .refused("it is for further options of libplacebo's, which have not been judged")),
            .options("uspp", "codec", .refused("it opens an encoder and a decoder of any name; leave it at snow")),
            .allowed(plainSinceFFmpeg7), .harmless(harmlessSinceFFmpeg7),
        ],
        elsewhere: [
            .refused("coreimage coreimagesrc", "it reads files"),
            .refused("ddagrab gfxcapture", "it records the screen"),
            .refused("libvmaf libvmaf_cuda", "it loads a model from a file and writes a log"),
            .refused("ocr", "it loads a model from a file"),
            .refused("ocv", "it reads a file"),
            .refused("drawvg qrencode qrencodesrc whisper", "it reads or writes files"),
            .options("libplacebo", "shader_cache", .refused(writesFile)),
        ])

    /// What all filters have.
    package static let everyFilter = JudgementTable([.options("*", "enable", .harmless)])

    private static let readsFile = "it reads a file"
    private static let writesFile = "it writes a file"

    /// What takes text here are expressions, numbers, colors, channel layouts, pixel and sample
    /// formats, metadata keys, and text to draw or speak.
    private static let harmless = """
        abitscope: colors
        acrossover: split gain
        addroi: x y w h
        adelay: delays
        adrawgraph: m1 fg1 m2 fg2 m3 fg3 m4 fg4
        aecho: delays decays
        aeval: exprs channel_layout c
        aevalsrc: exprs sample_rate s channel_layout c
        afftdn: band_noise bn
        afftfilt: real imag
        afirsrc: frequency f magnitude m phase p
        aiir: zeros z poles p gains k
        allpass: channels c
        ametadata: key value expr
        amix: weights
        anequalizer: params colors
        aphasemeter: mpc
        asegment: timestamps samples
        aselect: expr e
        asetpts: expr
        asettb: expr tb
        astreamselect: map
        asubboost: channels
        bandpass: channels c
        bandreject: channels c
        bass: channels c
        biquad: channels c
        blend: c0_expr c1_expr c2_expr c3_expr all_expr
        boxblur: luma_radius lr chroma_radius cr alpha_radius ar
        boxblur_opencl: luma_radius lr chroma_radius cr alpha_radius ar
        cellauto: pattern p
        channelmap: map
        channelsplit: channels
        chorus: delays decays speeds depths
        compand: attacks decays points
        convolution: 0m 1m 2m 3m
        convolution_opencl: 0m 1m 2m 3m
        crop: out_w w out_h h x y
        curves: master m red r green g blue b all
        dctdnoiz: expr e
        delogo: x y w h
        detelecine: pattern
        drawbox: x y width w height h color c thickness t box_source
        drawgraph: m1 fg1 m2 fg2 m3 fg3 m4 fg4
        drawgrid: x y width w height h color c thickness t
        drawtext: text fontcolor_expr fontsize x y font timecode alpha text_source
        dynaudnorm: channels h
        eq: contrast brightness saturation gamma gamma_r gamma_g gamma_b gamma_weight
        equalizer: channels c
        fftfilt: weight_Y weight_U weight_V
        firequalizer: gain gain_entry
        flite: text v voice
        format: pix_fmts
        fps: fps
        geq: lum_expr lum cb_expr cb cr_expr cr alpha_expr a red_expr r green_expr g blue_expr b
        headphone: map
        highpass: channels c
        highshelf: channels c
        hue: h s H b
        hwmap: derive_device
        hwupload: derive_device
        join: map
        libplacebo: w h format upscaler downscaler
        life: rule
        lowpass: channels c
        lowshelf: channels c
        lut: c0 c1 c2 c3 y u v r g b a
        lut2: c0 c1 c2 c3
        lutrgb: c0 c1 c2 c3 y u v r g b a
        lutyuv: c0 c1 c2 c3 y u v r g b a
        mcompand: args
        metadata: key value expr
        mix: weights
        noformat: pix_fmts
        overlay: x y
        overlay_cuda: x y
        overlay_qsv: x y w h
        pad: width w height h x y
        pad_opencl: width w height h x y
        pan: args
        perspective: x0 y0 x1 y1 x2 y2 x3 y3
        pp: subfilters
        pseudocolor: c0 c1 c2 c3
        qp: qp
        rotate: angle a out_w ow out_h oh fillcolor c
        scale: w width h height flags size s
        scale2ref: w width h height flags size s
        scale_cuda: w h
        scale_qsv: w h format
        scale_vaapi: w h format out_color_matrix out_color_primaries out_color_transfer out_chroma_location
        scale_vulkan: w h format
        segment: timestamps frames
        select: expr e
        selectivecolor: reds yellows greens cyans blues magentas whites neutrals blacks
        setdar: dar ratio r
        setpts: expr
        setsar: sar ratio r
        settb: expr tb
        shear: fillcolor c
        showcqt: sono_v volume bar_v volume2 tlength fontcolor cscheme
        showfreqs: colors channels
        showspectrum: fps
        showvolume: c
        showwaves: colors
        showwavespic: colors
        shuffleframes: mapping
        sine: samples_per_frame
        speechnorm: channels h
        streamselect: map
        swaprect: w h x1 y1 x2 y2
        tblend: c0_expr c1_expr c2_expr c3_expr all_expr
        telecine: pattern
        tiltshelf: channels c
        tlut2: c0 c1 c2 c3
        tmix: weights
        tonemap_vaapi: format matrix m primaries p transfer t
        treble: channels c
        v360: in_forder out_forder in_frot out_frot rorder
        vignette: angle a x0 y0
        volume: volume
        vpp_qsv: cw ch cx cy w width h height format
        xfade: expr
        xstack: layout fill
        zoompan: zoom z x y d
        zscale: w width h height size s
        """

    private static let plain = """
        abench acompressor acontrast acopy acrossfade acrusher acue adeclick adeclip adecorrelate adenorm
        aderivative adynamicequalizer adynamicsmooth aemphasis aexciter afade afir aformat afreqshift afwtdn agate
        agraphmonitor ahistogram aintegral ainterleave alatency alimiter allrgb allyuv aloop alphaextract alphamerge
        amerge amplify amultiply anlmdn anlmf anlms anoisesrc anull anullsink anullsrc apad aperms aphaser aphaseshift
        apsyclip apulsator arealtime aresample areverse asdr asetnsamples asetrate ashowinfo asidedata asoftclip
        aspectralstats asplit astats asubcut asupercut asuperpass asuperstop atadenoise atempo atilt atrim
        avectorscope avgblur avgblur_opencl avgblur_vulkan avsynctest axcorrelate bbox bench bilateral bitplanenoise
        blackdetect blackframe blend_vulkan blockdetect blurdetect bm3d bs2b bwdif cas chromaber_vulkan chromahold
        chromakey chromakey_cuda chromanr chromashift ciescope codecview color colorbalance colorchannelmixer
        colorchart colorcontrast colorcorrect colorhold colorize colorkey colorkey_opencl colorlevels colormap
        colormatrix colorspace colorspectrum colortemperature compensationdelay concat convolve copy cropdetect
        crossfeed crystalizer cue datascope dblur dcshift deband deblock decimate deconvolve dedot deesser deflate
        deflicker deinterlace_qsv deinterlace_vaapi dejudder denoise_vaapi deshake_opencl despill dialoguenhance
        dilation dilation_opencl displace doubleweave drmeter earwax ebur128 edgedetect elbg entropy epx erosion
        erosion_opencl estdif exposure extractplanes extrastereo fade feedback fftdnoiz field fieldmatch fieldorder
        fillborders flanger flip_vulkan floodfill framepack framerate framestep freezedetect freezeframes fspp
        gblur gblur_vulkan gradfun gradients graphmonitor grayworld greyedge guided haas haldclut haldclutsrc hdcd
        hflip hflip_vulkan hilbert histeq histogram hqdn3d hqx hstack hsvhold hsvkey huesaturation hwdownload
        hwupload_cuda hysteresis identity idet il inflate interlace interleave kerndeint kirsch lagfun latency
        lenscorrection limitdiff limiter loop loudnorm lumakey mandelbrot maskedclamp maskedmax maskedmerge
        maskedmin maskedthreshold maskfun median mergeplanes mestimate midequalizer minterpolate monochrome morpho
        mpdecimate mptestsrc msad multiply negate nlmeans nlmeans_opencl noise normalize null nullsink nullsrc
        oscilloscope overlay_opencl overlay_vaapi overlay_vulkan owdenoise pal100bars pal75bars palettegen perms
        phase photosensitivity pixdesctest pixelize pixscope pp7 premultiply prewitt prewitt_opencl procamp_vaapi
        pullup random readeia608 readvitc realtime remap remap_opencl removegrain repeatfields replaygain reverse
        rgbashift rgbtestsrc roberts roberts_opencl rubberband sab scdet scharr scroll separatefields setfield
        setparams setrange sharpness_vaapi showinfo showpalette showspatial showspectrumpic shufflepixels
        shuffleplanes sidechaincompress sidechaingate sidedata sierpinski signalstats silencedetect silenceremove
        sinc siti smartblur smptebars smptehdbars sobel sobel_opencl spectrumsynth split spp stereo3d stereotools
        stereowiden super2xsai superequalizer surround swapuv testsrc testsrc2 thistogram threshold thumbnail thumbnail_cuda
        tile tinterlace tmedian tmidequalizer tonemap tonemap_opencl tpad transpose transpose_opencl transpose_vaapi
        transpose_vulkan tremolo trim unpremultiply unsharp unsharp_opencl untile vaguedenoiser varblur vectorscope
        vflip vflip_vulkan vfrdet vibrance vibrato vif virtualbass volumedetect vstack w3fdif waveform weave xbr
        xcorrelate xmedian yadif yadif_cuda yaepblur yuvtestsrc
        """

    /// As text; FFmpeg 7 reads them by itself, as layouts, rates, formats and matrices.
    private static let harmlessUntilFFmpeg5 = """
        aformat: sample_fmts f sample_rates r channel_layouts cl
        anullsrc: channel_layout cl sample_rate r
        channelmap: channel_layout
        channelsplit: channel_layout
        join: channel_layout
        scale: in_color_matrix out_color_matrix
        scale2ref: in_color_matrix out_color_matrix
        surround: chl_out chl_in
        """

    /// Expressions, numbers, colors, color spaces, ssim360's map of weights.
    private static let harmlessSinceFFmpeg7 = """
        adrc: transfer channels
        afireqsrc: gains g bands b
        color_vulkan: format
        drawbox_vaapi: x y width w height h thickness t
        drawtext: boxborderw
        dynaudnorm: curve v
        format: color_spaces color_ranges
        libplacebo: fps crop_x crop_y crop_w crop_h pos_x pos_y pos_w pos_h fillcolor frame_mixer
        noformat: color_spaces color_ranges
        overlay_vaapi: x y w h
        pad_vaapi: width w height h x y
        showcwt: rate r
        ssim360: heatmap_str
        tonemap_vaapi: display light
        vpp_qsv: out_color_matrix out_color_primaries out_color_transfer
        xstack_qsv: layout fill
        xstack_vaapi: layout fill
        """

    private static let plainSinceFFmpeg7 = """
        a3dscope aap afdelaysrc apsnr arls asisdr backgroundkey bilateral_cuda bwdif_cuda bwdif_vulkan ccrepack
        colorspace_cuda corr hstack_qsv hstack_vaapi mcdeint nlmeans_vulkan perlin vstack_qsv
        vstack_vaapi xfade_vulkan zoneplate
        """
}
