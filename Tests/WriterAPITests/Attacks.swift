/// What a client must not be able to ask for, by what it asks with.
enum Attacks {
    /// Filters, encoders and options that FFmpeg 5.1 has and 7.1 has not, and the other way round: elsewhere they
    /// are unknown.
    static let ofOneRelease: Set<String> = [
        "dnn_processing", "dnn_detect", "dnn_classify", "derain", "sr", "h264_omx", "mpeg4_omx", "hls_ts_options",
        "fsync", "ssim360", "xpsnr", "uspp", "av1_qsv",
    ]

    /// `filter_desc` of a video stream.
    static let videoFilters = [
        // Filters that open things by themselves.
        "movie=/etc/passwd", "movie=http\\://169.254.169.254/", "movie=filename=/etc/passwd", "movie=f=lavfi:filename=testsrc",
        "movie@m=/etc/passwd", "'movie'=/etc/passwd", "mo'vi'e=/etc/passwd", "mov\\ie=/etc/passwd", " movie = /etc/passwd ",
        "hflip,movie=/etc/passwd", "movie=/etc/passwd[m];[in][m]overlay", "[in]null[a];movie=/etc/passwd,null[b];[a][b]overlay[out]",
        "movie=/etc/passwd,nosuchfilter", "sws_flags=bicubic;movie=/etc/passwd", "hflip\n;\tmovie\n=\n/etc/passwd", "[movie]movie=/etc/passwd[out]",
        "movie='/etc/pass''wd'", "movie=/etc/passwd:loop=0", "movie=loop=0:/etc/passwd", "movie", "movie=",
        "frei0r=distort0r", "frei0r=filter_name=/tmp/evil.so", "frei0r_src=size=64x48:filter_name=x", "zmq", "zmq=tcp\\\\\\://*\\\\\\:5555", "zmq=b='tcp\\://0.0.0.0\\:5555'",
        "ass=/etc/passwd", "subtitles=/etc/passwd", "subtitles=f=/etc/passwd:force_style='FontName=x'", "subtitles=filename=http\\\\://127.0.0.1/",
        "removelogo=/etc/passwd", "find_rect=object=/etc/passwd", "fieldhint=/etc/passwd", "nnedi", "nnedi=weights=/etc/passwd",
        "vidstabdetect", "vidstabdetect=result=/tmp/x", "vidstabtransform=input=/etc/passwd", "vidstabtransform",
        "dnn_processing=model=/etc/passwd:input=x:output=y", "dnn_detect=model=/etc/passwd", "dnn_classify=model=/etc/passwd", "derain=model=/etc/passwd",
        "sr=model=/etc/passwd", "program_opencl=source=/etc/passwd:kernel=x", "openclsrc=source=/etc/passwd:kernel=x:size=64x48",
        "buffer=width=64:height=48:pix_fmt=0:time_base=1/25", "buffersink", "hflip[a];buffer@x=64:48:0:1:25:1:1[b];[a][b]overlay",
        // Options that open things.
        "drawtext=textfile=/etc/passwd", "drawtext=text=a:textfile=/etc/passwd", "drawtext=textfile=a:textfile=/etc/passwd",
        "drawtext=fontfile=/etc/passwd:text=a", "drawtext=/etc/passwd", "drawtext=/etc/passwd:text=a", "drawtext=::/etc/passwd",
        "drawtext='textfile'=/etc/passwd", "drawtext=textfile='/etc/passwd'", "drawtext= textfile = /etc/passwd ", "drawtext@x=textfile=/etc/passwd",
        "hflip,drawtext=text=x\\\\\\:y:textfile=/etc/passwd", "drawtext=text='a\\:b':textfile=/etc/passwd", "drawtext=TEXTFILE=/etc/passwd",
        "metadata=print:file=/tmp/x", "metadata=print:::::/tmp/x", "metadata=mode=print:file=-", "metadata@a=print:key=b:file=pipe\\\\\\:1", "metadata=file='/tmp/x':mode=print",
        "psnr=stats_file=/tmp/x", "psnr=/tmp/x", "psnr=f=/tmp/x", "ssim=f=/tmp/x", "ssim=/tmp/x", "vmafmotion=stats_file=/tmp/x", "vmafmotion=/tmp/x",
        "signature=filename=/tmp/x", "lut3d=/etc/passwd", "lut3d=file=/etc/passwd:interp=nearest", "lut1d=file=/etc/passwd", "lut1d=/etc/passwd",
        "curves=psfile=/etc/passwd", "curves=plot=/tmp/x", "curves=vintage:::::/tmp/a:/tmp/x", "selectivecolor=psfile=/etc/passwd", "paletteuse=debug_kdtree=/tmp/x",
        "deshake=filename=/tmp/x", "cover_rect=cover=/etc/passwd", "cellauto=filename=/etc/passwd", "cellauto=/etc/passwd", "life=f=/etc/passwd", "life=/etc/passwd",
        "libplacebo=custom_shader_path=/etc/passwd", "libplacebo=custom_shader_bin=00", "xfade_opencl=source=/etc/passwd:kernel=x",
        "sendcmd=f=/etc/passwd", "sendcmd=filename=/etc/passwd", "sendcmd=:/etc/passwd",
        // Commands that set them later.
        "drawtext=text=a,sendcmd=c='1 drawtext reinit textfile=/etc/passwd'", "sendcmd='1 drawtext reinit fontfile=/etc/passwd',drawtext=text=a",
        "sendcmd=c='0.0 [enter] curves plot /tmp/x',curves=vintage", "sendcmd=c='0 all psfile /etc/passwd',curves=vintage",
        "sendcmd=c='# hidden\n0 curves@a plot /tmp/x',curves@a=vintage", "sendcmd=c='0 hflip enable 1, Parsed_curves_1 plot /tmp/x',curves=vintage",
        "sendcmd=c='0 lut1d file /etc/passwd',lut1d", "sendcmd=c=0\\ lu\\\\\\t1d\\ file\\ /etc/passwd,lut1d@l", "sendcmd=c='0-1 all REINIT x'",
        // FFmpeg 7 cuts the name of an instance behind 63 bytes.
        "curves@\(String(repeating: "a", count: 80)),sendcmd=c='0 curves@\(String(repeating: "a", count: 56)) plot /tmp/x'",
        "fsync=/etc/passwd", "fsync=f=/etc/passwd", "ssim360=/tmp/x", "xpsnr=f=/tmp/x", "libplacebo=extra_opts='a=b'", "uspp=codec=h264_v4l2m2m",
        "sendcmd=c='0 hflip enable 1; 2 all file /etc/passwd',hflip,lut3d", "sendcmd=c='0 sendcmd c 0',sendcmd=c='1 all reinit x'",
    ]

    /// `filter_desc` of an audio stream.
    static let audioFilters = [
        "amovie=/etc/passwd", "amovie@x=/etc/passwd,anull", "ladspa=file=/tmp/evil.so:plugin=x", "ladspa=/tmp/evil.so:x", "lv2=p=http\\\\://x", "azmq", "azmq=b='ipc\\:///tmp/x'",
        "arnndn=m=/etc/passwd", "arnndn=/etc/passwd", "asr=hmm=/etc", "sofalizer=sofa=/etc/passwd", "sofalizer=/etc/passwd", "abuffer=time_base=1/8000",
        "flite=textfile=/etc/passwd", "ametadata=print:file=/tmp/x", "ametadata=print:::::/tmp/x", "firequalizer=dumpfile=/tmp/x", "asendcmd=f=/etc/passwd",
        "asendcmd=c='0 all reinit x'", "volume=1,amovie=/etc/passwd[b];[b]anullsink", "showcqt=fontfile=/etc/passwd", "showcqt=axisfile=/etc/passwd",
        "showcqt=font='Mono|file=/etc/passwd'",
    ]

    /// Encoder, and its `encoder_option`.
    static let encoderOptions: [(encoder: String, option: [String: String])] = [
        ("libx264", ["stats": "/tmp/x"]), ("libx264", ["passlogfile": "/tmp/x"]), ("libx264", ["STATS": "/tmp/x"]), ("libx264rgb", ["stats": "/tmp/x"]),
        ("libx264", ["x264-params": "stats=/tmp/x"]), ("libx264", ["x264-params": "pass=1"]), ("libx264", ["x264-params": "crf=20:stats=/tmp/x"]),
        ("libx264", ["x264-params": "crf='20:stats':stats=/tmp/x"]), ("libx264", ["x264-params": "\\stats=/tmp/x"]), ("libx264", ["x264-params": "'st'ats=/tmp/x"]),
        ("libx264", ["x264-params": " stats = /tmp/x"]), ("libx264", ["x264-params": "dump_yuv=/tmp/x"]), ("libx264", ["x264-params": "dump-yuv=/tmp/x"]),
        ("libx264", ["x264-params": "no-stats=1"]), ("libx264", ["x264-params": "nostats=1"]), ("libx264", ["x264-params": "cqmfile=/etc/passwd"]),
        ("libx264", ["x264-params": "cqm=/etc/passwd"]), ("libx264", ["x264-params": "cqm=flat/../../etc/passwd"]), ("libx264", ["x264-params": "opencl=1"]),
        ("libx264", ["x264-params": "opencl_clbin=/tmp/x"]), ("libx264", ["x264-params": "qpfile=/etc/passwd"]), ("libx264", ["x264-params": "zones=0,9,crf=20,stats=/tmp/x"]),
        ("libx264", ["x264-params": "zones=0,9,q=20/10,19,cqmfile=/etc/passwd"]), ("libx264", ["x264-params": "crf=20:crf=21:pass=2"]),
        ("libx264", ["x264opts": "stats=/tmp/x"]), ("libx264", ["x264opts": "crf=20:stats=/tmp/x:"]), ("libx264", ["x264opts": "pass"]), ("libx264", ["x264opts": "dump_yuv=/tmp/x"]),
        ("libx264", ["x264opts": "crf='20:stats=/tmp/x'"]), ("libx264", ["flags": "+pass1"]), ("libx264", ["flags": "pass2"]), ("libx264", ["flags": "512"]),
        ("libx264", ["flags": "0x200"]), ("libx264", ["flags": "global_header+pass1"]), ("libx264", ["flags": "256*2"]), ("libx264", ["flags": "1024"]),
        ("libx264", ["flags": "+pass1-low_delay"]), ("mpeg4", ["flags": "+pass2"]), ("libxvid", ["flags": "pass1"]), ("libx265", ["flags": "+pass1"]),
        ("libx265", ["x265-params": "stats=/tmp/x"]), ("libx265", ["x265-params": "--stats=/tmp/x"]), ("libx265", ["x265-params": "pass=1"]), ("libx265", ["x265-params": "csv=/tmp/x"]),
        ("libx265", ["x265-params": "no-csv=1"]), ("libx265", ["x265-params": "analysis_save=/tmp/x"]), ("libx265", ["x265-params": "analysis-load=/etc/passwd"]),
        ("libx265", ["x265-params": "analysis-reuse-file=/tmp/x"]), ("libx265", ["x265-params": "scaling-list=/etc/passwd"]), ("libx265", ["x265-params": "lambda-file=/etc/passwd"]),
        ("libx265", ["x265-params": "dhdr10-info=/etc/passwd"]), ("libx265", ["x265-params": "nalu-file=/etc/passwd"]), ("libx265", ["x265-params": "log-level=none:recon=/tmp/x"]),
        ("libx265", ["x265-params": "zonefile=/etc/passwd"]), ("libx265", ["x265-params": "qpfile=/etc/passwd"]), ("libx265", ["x265-params": "input-res=9999x9999"]),
        ("libx265", ["x265-params": "multi-pass-opt-analysis=1"]), ("libsvtav1", ["svtav1-params": "pass=1"]), ("libsvtav1", ["svtav1-params": "stats=/tmp/x"]),
        ("libsvtav1", ["svtav1-params": "width=9999"]), ("libsvtav1", ["svtav1-params": "config=/etc/passwd"]), ("libaom-av1", ["aom-params": "film-grain-table=/etc/passwd"]),
        ("libaom-av1", ["aom-params": "vmaf-model-path=/etc/passwd"]), ("libaom-av1", ["aom-params": "partition-info-path=/tmp/x"]), ("librav1e", ["rav1e-params": "width=9999"]),
        ("h264_omx", ["omx_libname": "/tmp/evil.so"]), ("mpeg4_omx", ["omx_libprefix": "/tmp/"]), ("hevc_qsv", ["load_plugins": "6fadc791a0c2eb479ab6dcd5ea9da347"]),
        ("av1_qsv", ["qsv_params": "a=b"]), ("h264_qsv", ["qsv_params": "a=b"]), ("wrapped_avframe", [:]),
    ]

    /// Keys that no list has: refused, but as what nothing takes.
    static let unknownParameters: [(encoder: String, option: [String: String])] = [
        ("libx264", ["x264-params": "nosuch=1"]), ("libx264", ["x264opts": "crf=20:statsfile=/tmp/x"]), ("libx264", ["x264-params": "--stats=/tmp/x"]),
        ("libx264", ["x264-params": "Stats=/tmp/x"]), ("libx264", ["x264-params": "stats/=/tmp/x"]), ("libx264", ["x264-params": "nono-stats=/tmp/x"]), ("libx265", ["x265-params": "----stats=/tmp/x"]),
        ("libx265", ["x265-params": "nosuch=1"]), ("libsvtav1", ["svtav1-params": "no-pass=1"]), ("libaom-av1", ["aom-params": "film_grain_table=/etc/passwd"]),
        ("librav1e", ["rav1e-params": "nosuch=1"]), ("libvpx", ["ts-parameters": "file=/etc/passwd"]),
    ]

    /// `dst`, `format` and the option of `open`.
    static let muxerOptions: [(dst: String, format: String?, option: [String: String])] = [
        ("a.m3u8", nil, ["hls_key_info_file": "/etc/passwd"]), ("a.m3u8", nil, ["HLS_key_info_file": "x"]), ("a.m3u8", nil, ["hls_segment_filename": "/tmp/%v/a.ts"]),
        ("a.m3u8", nil, ["hls_segment_filename": "../%v/a.ts"]), ("a.m3u8", nil, ["hls_segment_filename": "file:/tmp/a.ts"]), ("a.m3u8", nil, ["hls_segment_filename": "a/../../b.ts"]),
        ("a.m3u8", nil, ["hls_segment_filename": "File:///tmp/%v/a.ts"]), ("a.m3u8", nil, ["hls_segment_filename": "/tmp/a://b/%v/a.ts"]),
        ("a.m3u8", nil, ["hls_segment_filename": "concat,x:a"]), ("a.m3u8", nil, ["hls_fmp4_init_filename": "/tmp/x"]), ("a.m3u8", nil, ["master_pl_name": "../x.m3u8"]),
        ("a.m3u8", nil, ["hls_subtitle_path": "/tmp/x"]), ("a.m3u8", nil, ["hls_enc_key_url": "file:/tmp/x"]), ("a.m3u8", nil, ["strftime_mkdir": "1"]),
        ("a.m3u8", nil, ["hls_flags": "append_list"]), ("a.m3u8", nil, ["hls_flags": "+append_list+delete_segments"]), ("a.m3u8", nil, ["hls_flags": "delete_segments+append_list"]),
        ("a.m3u8", nil, ["hls_flags": "65535"]), ("a.m3u8", nil, ["hls_flags": "64"]), ("a.m3u8", nil, ["hls_flags": "8*8"]),
        ("a.m3u8", nil, ["var_stream_map": "v:0,name:../../x"]), ("a.m3u8", nil, ["hls_ts_options": "protocol_whitelist=file"]), ("a.m3u8", nil, ["hls_segment_options": "movflags=faststart:format_whitelist=x"]),
        ("a.m3u8", nil, ["hls_segment_options": "hls_key_info_file=/etc/passwd"]), ("a.m3u8", nil, ["hls_vtt_options": "strftime_mkdir=1"]), ("a.m3u8", nil, ["headers": "X: a\r\n\r\nGET / HTTP/1.1"]),
        ("a.m3u8", nil, ["http_user_agent": "a\r\nX: b"]), ("a.m3u8", nil, ["method": "GET /x HTTP/1.1\r\n"]),
        ("a.mpd", "dash", ["single_file": "1"]), ("a.mpd", nil, ["single_file_name": "../../x"]), ("a.mpd", nil, ["init_seg_name": "../x.m4s"]), ("a.mpd", nil, ["media_seg_name": "/tmp/x"]),
        ("a.mpd", nil, ["hls_master_name": "/tmp/x"]), ("a.mpd", nil, ["http_opts": "http_proxy=10.0.0.1"]), ("a.mpd", nil, ["format_options": "single_file=1"]),
        ("a.mpd", nil, ["http_opts": "user_agent='a':'http_proxy'='http\\://10.0.0.1/'"]),
        ("p%d.mkv", "segment", ["segment_list": "/tmp/x"]), ("p%d.mkv", "segment", ["segment_header_filename": "../x"]), ("p%d.mkv", "segment", ["segment_format": "sap"]),
        ("p%d.mkv", "segment", ["segment_format": "tee"]), ("p%d.mkv", "segment", ["segment_format": "nosuch"]), ("p%d.mkv", "stream_segment", ["segment_list": "/tmp/x"]),
        ("p%d.mkv", "ssegment", ["segment_format_options": "protocol_blacklist=x"]), ("i%d.png", nil, ["protocol_opts": "ca_file=/etc/passwd"]), ("c", "webm_chunk", ["header": "/tmp/x"]),
        ("a.mp4", nil, ["protocol_whitelist": "file,http"]), ("a.mp4", nil, ["Protocol_Whitelist": "file,http"]), ("a.mp4", nil, ["format_whitelist": "x"]), ("a.mp4", nil, ["protocol_blacklist": "x"]),
        ("http://h/a", "mpegts", ["http_proxy": "http://10.0.0.1/"]), ("http://h/a", "mpegts", ["headers": "Host: internal"]), ("http://h/a", "mpegts", ["headers": "Content-Length: 5"]),
        ("http://h/a", "mpegts", ["headers": "A: b\nC: d"]), ("http://h/a", "mpegts", ["headers": " A: b"]), ("http://h/a", "mpegts", ["headers": "A: b\r\n\r\nGET /"]), ("http://h/a", "mpegts", ["headers": "Proxy-Authorization: x"]),
        ("http://h/a", "mpegts", ["user_agent": "a\r\nHost: b"]), ("http://h/a", "mpegts", ["method": "POST /admin"]), ("http://h/a", "mpegts", ["cookies": "a=b\r\nX: y"]),
        ("https://h/a", "mpegts", ["ca_file": "/etc/passwd"]), ("https://h/a", "mpegts", ["cafile": "/etc/passwd"]), ("https://h/a", "mpegts", ["cert_file": "/etc/passwd"]),
        ("https://h/a", "mpegts", ["key_file": "/etc/shadow"]), ("https://h/a", "mpegts", ["KEY_FILE": "/etc/shadow"]), ("sftp://h/a", "mpegts", ["private_key": "/root/.ssh/id_rsa"]),
        ("rtmp://h/a/b", nil, ["rtmp_swfverify": "http://10.0.0.1/"]), ("rtp://h:5004", nil, ["fec": "prompeg=l=5:d=5"]), ("udp://h:1", nil, ["localaddr": "127.0.0.1"]), ("tcp://h:1", "mpegts", ["local_addr": "127.0.0.1"]),
        ("udp://h:1", nil, ["sources": "internal.example"]), ("rtp://h:5004", nil, ["block": "internal.example"]), ("icecast://h/a", "mp3", ["ice_name": "a\r\nX: y"]),
        ("ftp://h/a", "mpegts", ["ftp-user": "a\r\nDELE x"]), ("a.ts", nil, ["fd": "3"]),
        ("x", "pulse", ["server": "/run/user/0/pulse"]), ("x", "caca", ["driver": "../../tmp/evil"]), ("x", "xv", ["display_name": "10.0.0.1:0"]), ("x", "sap", [:]), ("sap://224.2.127.254", nil, [:]),
        ("x.isml", "smoothstreaming", [:]), ("x.f4m", "hds", [:]), ("[f=mp4]a.mp4|[f=mp4]/tmp/x", "tee", [:]), ("a.mp4", "fifo", ["fifo_format": "mp4"]),
    ]

    static let hardware = [
        "vaapi:/etc/passwd", "vaapi:/dev/dri/../../etc/passwd", "vaapi::0", "vaapi:/dev/dri//../../etc/passwd", "vaapi:/dev/dri/", "vaapi:10.0.0.1:0", "cuda:/etc/passwd", "cuda:0,x=y", "vaapi:/dev/drive", "vaapi:/tmp/renderD128",
    ]
}
