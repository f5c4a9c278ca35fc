import Foundation
import Testing

/// What a hostile client asks for. Braces name what only the running test knows: `{secrets}` and
/// `{outside}` (folders), `{other}` (another writer's folder of the output directory), `{state}`
/// (another writer's own folder), `{tcp}`, `{udp}`, `{listen}`, `{own}` (ports), `{unix}` (a socket).
struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Of `PUT /v1/writers/{id}`.
    let body: JSON
    /// Of the chunk that is sent when the writer was made after all.
    var chunkBytes = 0
    /// What may answer it where what clients ask for is judged.
    var answers: Set<Int> = [403]

    init(_ description: String, _ body: JSON, chunkBytes: Int = 0, answers: Set<Int> = [403]) {
        testDescription = description
        self.body = body
        self.chunkBytes = chunkBytes
        self.answers = answers
    }
}

extension Attack {
    private static let pictures: JSON = [
        "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "rgb24", "encoder": "ffv1",
    ]
    private static let sound: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
    private static let pictureBytes = 64 * 48 * 3 * 12

    private static func with(_ stream: JSON, _ members: [String: JSON]) -> JSON {
        members.reduce(into: stream) { $0[$1.key] = $1.value }
    }

    /// A filter of a picture stream. `isOptional`: not every build of libav has it.
    private static func picture(_ filter: String, isOptional: Bool = false) -> Attack {
        Attack(
            filter, ["format": "nut", "streams": [with(pictures, ["filter_desc": .string(filter)])], "open": true],
            chunkBytes: pictureBytes, answers: isOptional ? [403, 422] : [403])
    }

    private static func sound(_ filter: String) -> Attack {
        Attack(
            filter, ["format": "wav", "streams": [with(sound, ["filter_desc": .string(filter)])], "open": true],
            chunkBytes: 16_000)
    }

    private static func encoder(_ name: String, _ option: [String: JSON]) -> Attack {
        let stream = with(pictures, ["encoder": .string(name), "encoder_option": .object(option)])
        return Attack(
            "\(name) \(option)", ["format": "matroska", "streams": [stream], "open": true], chunkBytes: pictureBytes)
    }

    private static func destination(
        _ dst: String, format: JSON = "wav", overwrite: Bool = false, option: [String: JSON] = [:],
        answers: Set<Int> = [403]
    ) -> Attack {
        Attack(
            "dst \(dst) \(format.string ?? "")\(option.isEmpty ? "" : " \(option)")",
            [
                "dst": .string(dst), "format": format, "overwrite": .bool(overwrite), "streams": [sound],
                "open": ["option": .object(option)],
            ], chunkBytes: 16_000, answers: answers)
    }

    private static func folder(_ format: String, _ dst: String, _ option: [String: JSON], answers: Set<Int> = [403]) -> Attack {
        Attack(
            "\(format) \(dst) \(option)",
            [
                "dst": .string(dst), "format": .string(format),
                "streams": [with(pictures, ["encoder": "mpeg4", "codec_config": ["gop_size": 2]])],
                "open": ["option": .object(option)],
            ], chunkBytes: pictureBytes, answers: answers)
    }

    static let filters: [Attack] = [
        // Files that are read.
        picture("movie={secrets}/canary.png[m];[in][m]overlay"),
        picture("movie=filename={secrets}/canary.png[m];[in][m]overlay"),
        picture("movie@innocent='{secrets}/canary.png'[m];[in][m]overlay"),
        picture("'movie'={secrets}/canary.png[m];[in][m]overlay"),
        picture("m\\ovie={secrets}/canary.png[m];[in][m]overlay"),
        picture(" movie = {secrets}/canary.png [m]; [in] [m] overlay"),
        picture("sws_flags=bilinear;movie={secrets}/canary.png[m];[in][m]overlay"),
        picture("movie={other}/kept.png[m];[in][m]overlay"),
        picture("movie={state}/record.json[m];[in][m]overlay"),
        sound("amovie={secrets}/canary.wav[m];[in][m]amix"),
        sound("[in]anull[a];amovie=f=wav:filename={secrets}/canary.wav[b];[a][b]amerge,pan=mono|c0=c1"),
        picture("drawtext=textfile={secrets}/canary.txt"),
        picture("drawtext=text=x:textfile={secrets}/canary.txt:reload=1"),
        picture("drawtext={secrets}/canary.ttf:x"),
        picture("drawtext=text=x:fontfile={secrets}/canary.ttf"),
        picture("sendcmd=filename={secrets}/canary.txt"),
        picture("sendcmd=f={secrets}/canary.txt"),
        picture("sendcmd=commands='0.0 [enter] drawtext@t reinit textfile={secrets}/canary.txt',drawtext@t=text=x"),
        picture("sendcmd=c='0.0-9.0 [enter] drawtext@t reinit textfile={secrets}/canary.txt',drawtext@t=text=x"),
        sound("asendcmd=filename={secrets}/canary.txt"),
        picture("subtitles={secrets}/canary.srt"),
        picture("subtitles=filename={secrets}/canary.srt"),
        picture("subtitles=f={secrets}/canary.srt:fontsdir={secrets}"),
        picture("ass={secrets}/canary.ass"),
        picture("lut3d={secrets}/canary.cube"),
        picture("lut3d=file={secrets}/canary.cube:interp=nearest"),
        picture("lut1d={secrets}/canary.cube"),
        picture("curves=psfile={secrets}/canary.acv"),
        picture("removelogo={secrets}/canary.png"),
        picture("find_rect={secrets}/canary.pgm"),
        picture("cover_rect={secrets}/canary.png"),
        picture("split[a][b];[b]cover_rect=cover={secrets}/canary.png[c];[a][c]hstack"),
        picture("nnedi=weights={secrets}/canary.bin"),
        picture("vidstabtransform=input={secrets}/canary.trf"),
        picture("cellauto={secrets}/canary.txt[m];[in][m]overlay"),
        picture("life=filename={secrets}/canary.txt[m];[in][m]overlay"),
        sound("arnndn=model={secrets}/canary.txt"),
        sound("arnndn={secrets}/canary.txt"),
        sound("sofalizer=sofa={secrets}/canary.bin"),
        sound("flite=textfile={secrets}/canary.txt[m];[in][m]amix"),
        sound("asplit[a][b];[b]showcqt=fontfile={secrets}/canary.ttf,nullsink;[a]anull"),
        sound("asplit[a][b];[b]showcqt=axisfile={secrets}/canary.png,nullsink;[a]anull"),
        picture("ocr=datapath={secrets}", isOptional: true),
        picture("dnn_processing=dnn_backend=native:model={secrets}/canary.bin:input=x:output=y", isOptional: true),
        picture("sr=model={secrets}/canary.bin", isOptional: true),
        picture("derain=model={secrets}/canary.bin", isOptional: true),
        picture("fsync=file={secrets}/canary.txt", isOptional: true),
        picture("libvmaf=model=path={secrets}/canary.txt", isOptional: true),
        // Files that are written.
        picture("metadata=mode=print:file={outside}/made"),
        picture("metadata=print:k:v:same_str:1:{outside}/made"),
        picture("metadata=mode=print:file=tcp\\\\://127.0.0.1\\\\:{tcp}"),
        sound("ametadata=mode=print:file={outside}/made"),
        picture("split[a][b];[a][b]psnr=stats_file={outside}/made"),
        picture("split[a][b];[a][b]xpsnr=stats_file={outside}/made", isOptional: true),
        picture("split[a][b];[a][b]ssim360=stats_file={outside}/made", isOptional: true),
        picture("split[a][b];[a][b]psnr=f={outside}/made"),
        picture("split[a][b];[a][b]ssim=stats_file={outside}/made"),
        picture("split[a][b];[a][b]libvmaf=log_path={outside}/made", isOptional: true),
        picture("signature=filename={outside}/made"),
        picture("vidstabdetect=result={outside}/made"),
        picture("deshake=filename={outside}/made"),
        picture("curves=plot={outside}/made"),
        // Code and sockets.
        sound("ladspa=file={secrets}/canary.so:plugin=x"),
        sound("ladspa={secrets}/canary.so:x"),
        sound("lv2=p=http\\\\://canary"),
        picture("frei0r={secrets}/canary.so"),
        picture("frei0r_src=64x48:25:{secrets}/canary.so[m];[in][m]overlay"),
        picture("zmq=bind_address=tcp\\\\://127.0.0.1\\\\:{listen}"),
        picture("zmq='tcp\\://127.0.0.1\\:{listen}'"),
        sound("azmq=b=tcp\\\\://127.0.0.1\\\\:{listen}"),
        picture("movie=tcp\\\\://127.0.0.1\\\\:{tcp}[m];[in][m]overlay"),
        picture("movie=http\\\\://127.0.0.1\\\\:{tcp}/x[m];[in][m]overlay"),
        picture("movie=udp\\\\://127.0.0.1\\\\:{udp}[m];[in][m]overlay"),
        picture("movie=unix\\\\:{unix}[m];[in][m]overlay"),
    ]

    static let encoderOptions: [Attack] = [
        encoder("libx264", ["x264-params": "pass=1:stats={outside}/made"]),
        encoder("libx264", ["x264opts": "pass=1:stats={outside}/made"]),
        encoder("libx264", ["x264-params": "bframes=0:stats='{outside}/made':pass=1"]),
        encoder("libx264", ["x264-params": "pass=1"]),
        encoder("libx264", ["flags": "+pass1", "stats": "{outside}/made"]),
        encoder("libx264", ["flags": "+pass1"]),
        encoder("libx264", ["flags": "512"]),
        encoder("libx264", ["flags": "0x200"]),
        encoder("libx264", ["flags": "pass2", "stats": "{secrets}/canary.txt"]),
        encoder("libx264", ["x264-params": "pass=2:stats={secrets}/canary.txt"]),
        encoder("libx264", ["x264-params": "cqmfile={secrets}/canary.txt"]),
        encoder("libx264", ["x264-params": "dump-yuv={outside}/made"]),
        encoder("libx264", ["x264-params": "opencl=1:opencl-clbin={secrets}/canary.bin"]),
        encoder("libx265", ["x265-params": "csv={outside}/made:csv-log-level=2"]),
        encoder("libx265", ["x265-params": "pass=1:stats={outside}/made"]),
        encoder("libx265", ["x265-params": "analysis-save={outside}/made"]),
        encoder("libx265", ["x265-params": "analysis-load={secrets}/canary.bin"]),
        encoder("libx265", ["x265-params": "scaling-list={secrets}/canary.txt"]),
        encoder("libx265", ["x265-params": "lambda-file={secrets}/canary.txt"]),
        encoder("libx265", ["x265-params": "qpfile={secrets}/canary.txt"]),
        encoder("libx265", ["x265-params": "zonefile={secrets}/canary.txt"]),
        encoder("libx265", ["x265-params": "dhdr10-info={secrets}/canary.txt"]),
        encoder("libx265", ["flags": "+pass1"]),
        encoder("mpeg4", ["flags": "pass1"]),
        encoder("libxvid", ["flags": "pass1"]),
        encoder("libxvid", ["flags": "pass2"]),
    ]

    static let destinations: [Attack] = [
        destination("../made.wav"),
        destination("mine/../../made.wav"),
        destination("mine/../other/made.wav"),
        destination("mine/./../../made.wav"),
        destination("{outside}/made.wav"),
        destination("//{outside}/made.wav"),
        destination("mine/link/made.wav"),
        destination("mine/last.wav", answers: [403, 409]),
        // The link itself is replaced, not what it leads to.
        destination("mine/last.wav", overwrite: true, answers: [200]),
        destination("file:{outside}/made.wav"),
        destination("file://{outside}/made.wav"),
        destination("FILE:{outside}/made.wav"),
        destination("file,seekable,0:{outside}/made.wav"),
        destination("concat:{secrets}/canary.txt|{outside}/made.wav"),
        destination("subfile,,start,0,end,0,,:{outside}/made.wav"),
        destination("crypto:{outside}/made.wav"),
        destination("crypto+file:{outside}/made.wav"),
        destination("async:{outside}/made.wav"),
        destination("cache:{outside}/made.wav"),
        destination("md5:{outside}/made.wav"),
        destination("tee:{outside}/made.wav"),
        destination("data:text/plain,x"),
        destination("pipe:1"),
        destination("pipe:3"),
        destination("fd:3"),
        destination("unix:{unix}"),
        destination("unix://{unix}"),
        destination("tcp://127.0.0.1:{tcp}"),
        destination("tcp://localhost:{tcp}"),
        destination("tcp://2130706433:{tcp}"),
        destination("tcp://[::ffff:127.0.0.1]:{tcp}"),
        destination("tcp:127.0.0.1:{tcp}"),
        destination("udp://127.0.0.1:{udp}", format: "mpegts"),
        destination("rtp://127.0.0.1:{udp}", format: "rtp"),
        destination("srt://127.0.0.1:{udp}", format: "mpegts"),
        destination("http://127.0.0.1:{tcp}/x"),
        destination("http://127.0.0.1:{own}/v1/writers"),
        destination("http://169.254.169.254/latest/meta-data/"),
        destination("rtmp://169.254.169.254/live/key", format: "flv"),
        destination("rtmp://127.0.0.1:{tcp}/live/key", format: "flv"),
        destination("tls://127.0.0.1:{tcp}?cafile={secrets}/canary.txt", answers: [403, 422]),
        destination("ftp://127.0.0.1:{tcp}/x"),
        destination("gopher://127.0.0.1:{tcp}/_x"),
        destination("icecast://127.0.0.1:{tcp}/x"),
        destination("zmq:tcp://127.0.0.1:{listen}"),
        destination("tcp://127.0.0.1:{listen}?listen=1", answers: [403]),
        destination("tcp://127.0.0.1:{listen}", option: ["listen": "1"]),
        destination("http://127.0.0.1:{listen}/x", option: ["listen": "1"]),
        destination("rtmp://127.0.0.1:{listen}/a/b", format: "flv", option: ["listen": "1"]),
        destination("[f=wav]{outside}/made.wav|[f=wav]tcp://127.0.0.1:{tcp}", format: "tee"),
        destination("mine/x.wav", format: "fifo", option: ["fifo_format": "tee"]),
        destination("sap://127.0.0.1:{udp}", format: "sap"),
        destination("rtsp://127.0.0.1:{tcp}/x", format: "rtsp"),
        destination("default", format: "alsa"),
        destination("plug:{outside}/made", format: "alsa"),
        destination("tcp:127.0.0.1:{tcp}", format: "pulse"),
        destination("{outside}/made", format: "oss"),
    ]

    /// Files that a muxer opens by itself, and what it is told to do with them.
    static let muxers: [Attack] = [
        folder("hls", "mine/a.m3u8", ["hls_segment_filename": "{outside}/made%d.ts"]),
        folder("hls", "mine/b.m3u8", ["hls_segment_filename": "../made%d.ts"]),
        folder("hls", "mine/c.m3u8", ["hls_segment_filename": "mine/link/made%d.ts"]),
        folder("hls", "mine/d.m3u8", ["hls_segment_filename": "file:{outside}/made%d.ts"]),
        folder("hls", "mine/e.m3u8", ["hls_segment_filename": "http://127.0.0.1:{tcp}/%d.ts"]),
        folder("hls", "mine/f.m3u8", ["hls_segment_filename": "mine/../other/kept.wav"]),
        folder("hls", "mine/l.m3u8", ["hls_segment_filename": "mine/../other/kept%d.ts"]),
        folder("hls", "mine/g.m3u8", ["hls_key_info_file": "{secrets}/canary.txt"]),
        folder("hls", "mine/h.m3u8", ["hls_segment_type": "fmp4", "hls_fmp4_init_filename": "../../outside/made.mp4"]),
        folder("hls", "mine/i.m3u8", ["master_pl_name": "../../outside/made.m3u8"]),
        folder("hls", "mine/j.m3u8", ["strftime": "1", "strftime_mkdir": "1", "hls_segment_filename": "{outside}/%s/made.ts"]),
        folder("hls", "mine/k.m3u8", ["hls_flags": "append_list", "hls_segment_filename": "../other/%d.ts"]),
        folder("hls", "../made.m3u8", [:]),
        folder("hls", "mine/link/made.m3u8", [:]),
        folder("hls", "http://127.0.0.1:{tcp}/x.m3u8", [:]),
        folder("dash", "mine/a.mpd", ["init_seg_name": "../../outside/made.m4s"]),
        folder("dash", "mine/b.mpd", ["media_seg_name": "../other/kept.wav"]),
        folder("dash", "mine/c.mpd", ["init_seg_name": "link/made.m4s"]),
        folder("dash", "{outside}/made.mpd", [:]),
        folder("segment", "mine/s%d.nut", ["segment_list": "{outside}/made.csv"]),
        folder("segment", "mine/t%d.nut", ["segment_list": "tcp://127.0.0.1:{tcp}"]),
        folder("segment", "mine/u%d.nut", ["segment_list": "../outside/made.csv"]),
        folder("segment", "../outside/made%d.nut", [:]),
        folder("segment", "mine/v%d.nut", ["segment_format_options": "protocol_whitelist=file", "segment_list": "pipe:1"]),
        folder("stream_segment", "mine/w%d.nut", ["segment_list": "{outside}/made.csv"]),
        folder("image2", "../outside/made%d.png", [:]),
        folder("image2", "mine/link/made%d.png", [:]),
        folder("image2", "mine/%s/../../../outside/made.png", ["strftime": "1"]),
        folder("webm_chunk", "mine/x%d.chk", ["header": "../../outside/made.hdr"], answers: [403, 422]),
        folder("smoothstreaming", "../outside/made", [:]),
        folder("hds", "../outside/made", [:]),
        folder("rtp", "rtp://127.0.0.1:{udp}", ["sdp_file": "{outside}/made.sdp"]),
    ]

    static let all = filters + encoderOptions + destinations + muxers
}
