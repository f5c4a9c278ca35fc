/// What people do with filters and options every day.
enum Ordinary {
    static let videoFilters = [
        "hflip", "scale=640:-2", "scale=w=iw/2:h=ih/2:flags=lanczos", "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:(ow-iw)/2:(oh-ih)/2",
        "crop=32:32:8:8,transpose=1", "fps=30000/1001", "format=yuv420p|nv12", "setpts=0.5*PTS", "setsar=1", "setdar=16/9", "rotate=PI/6:c=black@0", "drawbox=x=4:y=4:w=20:h=10:color=red:t=fill",
        "drawgrid=w=iw/3:h=ih/3:t=2:c=white@0.5", "drawtext=text='Hello':x=10:y=10:fontsize=24:fontcolor=white", "drawtext=text='%{localtime\\:%T}':font=Sans:box=1:boxcolor=black@0.5",
        "drawtext=text='%{n} %{pts\\:hms} %{metadata\\:key\\:none}':alpha='if(lt(t,1),t,1)'", "drawtext=font='DejaVu Sans\\:bold':text=a:timecode='00\\:00\\:00\\:00':r=25", "drawtext=text=a b c:expansion=none:enable='between(t,1,2)'",
        "eq=contrast=1.2:brightness=0.05:saturation=1.3", "hue=s=0", "curves=preset=vintage", "curves=r='0/0.11 .42/.51 1/0.95':g='0/0 0.50/0.48 1/1'", "colorbalance=rs=.3", "lutyuv=y=negval", "lut=c0=val/2",
        "geq=lum='p(X,Y)*0.5'", "select='eq(pict_type,I)'", "select='not(mod(n,3))',setpts=N/FRAME_RATE/TB", "split[a][b];[a]negate[c];[b][c]vstack", "overlay=10:10", "[in]split[m][t];[t]crop=iw/4:ih/4[u];[m][u]overlay=W-w:H-h[out]",
        "testsrc=size=64x48:rate=25[t];[in][t]hstack", "color=red:s=64x48[c];[in][c]blend=all_mode=multiply:all_expr='A*B'", "unsharp=5:5:1.0", "gblur=sigma=2", "boxblur=2:1", "yadif=1", "bwdif", "deband", "hqdn3d", "nlmeans", "vignette=PI/4",
        "fade=in:0:30", "zoompan=z='min(zoom+0.0015,1.5)':d=125", "tile=2x2", "thumbnail=50", "loop=3:10", "reverse", "trim=1:2,setpts=PTS-STARTPTS", "tpad=stop=3", "minterpolate=fps=60", "framestep=2", "mpdecimate", "deshake", "tblend=all_mode=average",
        "convolution='0 -1 0 -1 5 -1 0 -1 0'", "colorkey=green:0.3:0.2", "chromakey=0x00ff00", "lumakey", "haldclutsrc=4[h];[in][h]haldclut", "xfade=transition=fade:duration=1:offset=1", "pp=hb/vb/dr/al", "telecine=pattern=23",
        "metadata=add:key=a:value=b", "metadata=print", "psnr=stats_version=1", "ssim", "signalstats,metadata=mode=print", "cropdetect", "blackdetect=d=2", "lut3d=interp=tetrahedral", "paletteuse=dither=bayer", "palettegen", "v360=e:c3x2:out_forder=frblud",
        "sendcmd=c='1.0 [enter] crop x 10, crop y 10; 2 hue s 0',crop=32:24,hue", "sendcmd=c='0 drawbox@a color red',drawbox@a=1:1:9:9", "sendcmd=c='0 scale w 32; 1 all enable 0',scale=64:48", "sws_flags=lanczos;scale=32:24",
        "curves=vintage,sendcmd=c='1 curves preset vintage'", "zscale=w=64:h=48", "streamselect=inputs=1:map=0", "perspective=0:0:W:0:0:H:W:H", "cellauto=rule=30:size=64x48[c];[in][c]hstack", "life=rule=B3/S23:s=64x48[l];[in][l]hstack", "showinfo",
    ]

    static let audioFilters = [
        "volume=0.5", "volume='if(lt(t,10),1,max(1-(t-10)/5,0))':eval=frame", "atempo=2", "aecho=0.8:0.9:40:0.3", "aresample=16000", "aresample=48000:resampler=swr:dither_method=triangular", "pan=stereo|c0<c0+c1|c1=c1", "pan=mono|c0=.5*c0+.5*c1",
        "atrim=end_sample=5000", "areverse", "apad=pad_len=1000", "highpass=f=500", "lowpass=f=3000:channels=FL", "asetrate=24000", "adelay=20|20", "loudnorm=I=-16:TP=-1.5:LRA=11", "acompressor", "alimiter", "afade=t=in:d=1",
        "equalizer=f=1000:t=q:w=1:g=2", "firequalizer=gain_entry='entry(0,0);entry(1000,-5)'", "anequalizer=c0 f=200 w=100 g=-10 t=1", "aeval='val(0)|-val(1)'", "channelmap=0-0|1-1", "channelsplit=channel_layout=stereo[l][r];[l][r]join=inputs=2",
        "afftdn", "dynaudnorm", "silenceremove=1:0:-50dB", "compand=attacks=0:points=-80/-900|-45/-15|-27/-9|0/-7|20/-7", "chorus=0.7:0.9:55:0.4:0.25:2", "aformat=sample_fmts=s16:channel_layouts=mono", "asetnsamples=1024", "ametadata=print", "astats=metadata=1",
        "sine=f=440:d=1[s];[in][s]amix=inputs=2:weights=1 0.5", "aevalsrc=0:d=1[z];[in][z]concat=n=2:v=0:a=1", "asendcmd=c='1 volume volume 0.2; 2 atempo tempo 1.5',volume,atempo", "flite=text=hello:voice=slt[f];[in][f]amix", "asplit=2[a][b];[a][b]amix",
        "rubberband=pitch=1.2", "stereotools", "crystalizer", "bass=g=5", "aiir=k=1:z=1 0:p=1 0", "surround=chl_out=5.1",
    ]

    static let encoderOptions: [(encoder: String, option: [String: String])] = [
        ("libx264", ["preset": "ultrafast", "tune": "zerolatency", "crf": "23", "profile": "high", "level": "4.1", "threads": "2"]), ("libx264", ["x264-params": "keyint=50:min-keyint=25:scenecut=0:bframes=2:b-pyramid=none"]),
        ("libx264", ["x264-params": "ref=3:no-cabac=1:weightp=0:8x8dct=0:aq_mode=2:zones=0,10,crf=20,no-psy/11,20,b=1.5:cqm=jvt:nal-hrd=cbr:force-cfr=1"]), ("libx264", ["x264opts": "rc-lookahead=10:no-mbtree:log=-1:cqm=flat:deblock=-1,-1"]),
        ("libx264", ["flags": "+cgop-global_header", "psy-rd": "1.0:0.1", "partitions": "all"]), ("libx264", ["flags": "+low_delay"]), ("libx265", ["x265-params": "pools=none:frame-threads=1:log-level=none:keyint=25:no-sao=1:aq-mode=3:scaling-list=default"]),
        ("libx265", ["preset": "ultrafast", "crf": "28", "tune": "grain"]), ("libsvtav1", ["preset": "8", "svtav1-params": "tune=0:film-grain=8:keyint=2s:enable-overlays=1"]), ("libaom-av1", ["cpu-used": "8", "aom-params": "enable-cdef=0:tune=ssim:aq-mode=1"]),
        ("librav1e", ["speed": "10", "rav1e-params": "low_latency=true:tune=Psnr"]), ("libvpx-vp9", ["row-mt": "1", "ts-parameters": "ts_number_layers=2:ts_target_bitrate=100,200:ts_rate_decimator=2,1"]), ("mpeg2video", ["gop_timecode": "00:00:00:00"]),
        ("mpeg4", ["rc_eq": "tex^qComp"]), ("prores_ks", ["vendor": "apl0", "profile": "3"]), ("ffv1", ["level": "3", "slices": "4"]),
    ]

    static let muxerOptions: [(dst: String, format: String?, option: [String: String])] = [
        ("a.mp4", nil, ["movflags": "faststart+frag_keyframe"]), ("a.mp4", nil, ["brand": "isom", "encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"]),
        ("s/a.m3u8", nil, ["hls_time": "2", "hls_list_size": "0", "hls_segment_filename": "s/seg%03d.ts", "hls_flags": "delete_segments+independent_segments", "hls_base_url": "https://cdn/x/"]),
        ("a.m3u8", nil, ["hls_segment_type": "fmp4", "hls_fmp4_init_filename": "init.mp4", "hls_segment_options": "movflags=+frag_discont:brand=iso6"]), ("a.m3u8", nil, ["hls_ts_options": "mpegts_flags=resend_headers", "master_pl_name": "master.m3u8"]),
        ("%v/a.m3u8", "hls", ["var_stream_map": "v:0,a:0,name:high", "hls_segment_filename": "%v/seg%d.ts"]), ("a.mpd", nil, ["seg_duration": "2", "adaptation_sets": "id=0,streams=v id=1,streams=a", "init_seg_name": "init-$RepresentationID$.m4s", "media_seg_name": "chunk-$Number%05d$.m4s"]),
        ("a.mpd", nil, ["format_options": "movflags=+cmaf", "http_opts": "user_agent=x", "utc_timing_url": "https://time.example/iso"]), ("p/%d.mkv", "segment", ["segment_time": "2", "segment_list": "p/list.csv", "segment_format": "matroska", "segment_format_options": "live=1"]),
        ("i%d.png", nil, ["start_number": "5", "strftime": "0"]), ("a.webm", nil, ["live": "1"]), ("a.ts", nil, ["mpegts_flags": "resend_headers", "muxrate": "1000000"]), ("rtmp://h/a/b", nil, ["listen": "1", "rtmp_live": "live", "rtmp_playpath": "key", "rtmp_flashver": "FMLE/3.0"]),
        ("srt://h:1", nil, ["latency": "120000", "passphrase": "0123456789", "streamid": "publish:x", "mode": "listener"]), ("http://h/a", "mpegts", ["method": "PUT", "headers": "Authorization: Bearer x\r\nX-A: b\r\n", "content_type": "video/mp2t", "chunked_post": "1"]),
        ("https://h/a", "mpegts", ["headers": "X-A: b", "tls_verify": "1", "verifyhost": "h", "user_agent": "Penstock/1 (x; y)"]), ("udp://h:1", nil, ["pkt_size": "1316", "ttl": "4"]), ("icecast://h/a", "mp3", ["ice_name": "Radio", "password": "x", "content_type": "audio/mpeg"]),
        ("x", "sdl2", ["window_title": "preview", "window_size": "320x240"]), ("x", "pulse", ["name": "penstock", "device": "sink1"]), ("a.wav", nil, ["write_peak": "on"]), ("a.mp4", nil, ["nosuch": "1"]), ("a.md5", "md5", ["hash": "sha256"]),
    ]

    static let hardware = ["cuda", "cuda:", "cuda:0", "vaapi", "vaapi:/dev/dri/renderD128", "vaapi:/dev/dri/card0", "vaapi:/dev/dri/by-path/pci-0000:00:02.0-render"]
}
