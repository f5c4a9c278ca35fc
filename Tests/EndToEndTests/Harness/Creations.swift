import Foundation

/// Requests that create writers, many of them right and many strange: the same for the same seed
/// and number.
struct Creations: Sendable {
    /// What an encoder or a muxer takes, from the server's own list of it.
    struct Option: Sendable {
        let name: String
        let type: String
        let bounds: [String]
        let choices: [String]
    }

    struct Creation: Sendable {
        let body: JSON
        let isDryRun: Bool
        /// Of the chunk that follows; nil for none.
        let pts: String?
        let frames: Int
        let finalizes: Bool
    }

    let seed: UInt64
    private var options: [String: [Option]] = [:]

    private static let audio: [(muxer: String, encoder: String)] = [
        ("wav", "pcm_s16le"), ("wav", "pcm_f32le"), ("mp3", "libmp3lame"), ("adts", "aac"), ("mp4", "aac"), ("flac", "flac"),
        ("ogg", "libopus"), ("webm", "libopus"), ("ogg", "libvorbis"), ("matroska", "ac3"), ("matroska", "vorbis"),
        ("aiff", "pcm_s16be"), ("mov", "alac"), ("tta", "tta"), ("matroska", "wmav2"), ("mp2", "mp2"),
        ("matroska", "eac3"), ("matroska", "dca"), ("matroska", "opus"), ("wv", "wavpack"), ("wav", "adpcm_ima_wav"),
        ("wav", "adpcm_ms"), ("matroska", "truehd"), ("matroska", "mlp"), ("sbc", "sbc"), ("caf", "pcm_mulaw"),
    ]
    private static let video: [(muxer: String, encoder: String)] = [
        ("mp4", "libx264"), ("matroska", "libx264"), ("mpegts", "libx264"), ("mp4", "mpeg4"), ("webm", "libvpx"),
        ("webm", "libvpx-vp9"), ("matroska", "ffv1"), ("avi", "mjpeg"), ("gif", "gif"), ("mpegts", "mpeg2video"),
        ("flv", "flv"), ("nut", "rawvideo"), ("mov", "prores_ks"), ("apng", "apng"), ("matroska", "png"),
        ("avi", "utvideo"), ("avi", "huffyuv"), ("avi", "ffvhuff"), ("matroska", "dnxhd"), ("mpeg", "mpeg1video"),
        ("mov", "qtrle"), ("mxf", "mpeg2video"), ("avi", "zlib"), ("avi", "msmpeg4"), ("matroska", "vc2"),
        ("matroska", "theora"), ("matroska", "snow"), ("matroska", "jpeg2000"), ("mov", "hap"), ("avi", "cinepak"),
        ("image2pipe", "bmp"), ("matroska", "libx264rgb"), ("matroska", "h263p"), ("rm", "rv10"), ("asf", "wmv2"),
        ("matroska", "magicyuv"), ("mov", "cfhd"), ("mov", "jpegls"), ("avi", "asv1"), ("avi", "dvvideo"),
        ("matroska", "speedhq"), ("webp", "libwebp"), ("matroska", "roqvideo"), ("avi", "flashsv2"),
    ]
    /// They take seconds to start or to encode: now and then.
    private static let slow: [(muxer: String, encoder: String)] = [
        ("matroska", "libx265"), ("matroska", "libaom-av1"), ("matroska", "libsvtav1"), ("matroska", "librav1e"),
    ]

    /// Options whose values are names of files: another suite's matter.
    private static let judgedElsewhere: Set<String> = ["pass", "flags", "stats", "passlogfile"]

    init(seed: UInt64, server: PenstockServer) async throws {
        self.seed = seed
        for pair in Self.audio + Self.video + Self.slow {
            for path in ["encoders/\(pair.encoder)", "muxers/\(pair.muxer)"] where options[path] == nil {
                let answer = try await server.curl("GET", "/v1/" + path)
                options[path] = answer.json["options"].array.compactMap(Self.option)
            }
        }
    }

    private static func option(_ json: JSON) -> Option? {
        guard let name = json["name"].string, let type = json["type"].string, !judgedElsewhere.contains(name) else {
            return nil
        }
        let choices = json["choices"].array.compactMap { $0["name"].string }
        // Free text is names of files, of hosts, of libraries.
        if choices.isEmpty && ["string", "binary", "dictionary"].contains(type) { return nil }
        let bounds = [json["minimum"], json["maximum"], json["default"]].compactMap { $0.double.map { "\($0)" } ?? $0.string }
        return Option(name: name, type: type, bounds: bounds, choices: choices)
    }

    func creation(_ index: Int) -> Creation {
        var dice = Dice(SeededRandom(index, seed: seed))
        let isVideo = dice.happens(0.55)
        let pair = isVideo ? (dice.happens(0.03) ? dice.pick(Self.slow) : dice.pick(Self.video)) : dice.pick(Self.audio)
        var streams = [stream(isVideo, pair.encoder, &dice)]
        if dice.happens(0.2) {
            let other = dice.pick(isVideo ? Self.audio : Self.video)
            streams.append(stream(!isVideo, dice.happens(0.5) ? other.encoder : nil, &dice))
        }
        if dice.happens(0.01) { streams = Array(repeating: streams[0], count: dice.pick([0, 15, 16, 17, 40])) }
        var body: JSON = ["format": .string(pair.muxer), "streams": .array(streams)]
        if dice.happens(0.85) { body["open"] = opening(pair.muxer, &dice) }
        if dice.happens(0.3) { body["dst"] = .string("p\(index)/\(dice.pick(["a", "b c", "ü", "%d", "-", "a.\(pair.muxer)"]))") }
        if dice.happens(0.1) { body["metadata"] = ["title": dice.strange(), "artist": "a"] }
        if dice.happens(0.1) { body["buffer_size"] = dice.pick([4_096, 1, 65_536, dice.strangeNumber()]) }
        if dice.happens(0.3) { change(&body, &dice) }
        return Creation(
            body: body, isDryRun: dice.happens(0.2), pts: dice.happens(0.15) ? dice.pick(Dice.texts) : nil,
            frames: dice.pick([1, 1, 2, 3, 5]), finalizes: dice.happens(0.6))
    }

    // MARK: Parts

    private func stream(_ isVideo: Bool, _ encoder: String?, _ dice: inout Dice) -> JSON {
        var stream: JSON =
            isVideo
            ? [
                "type": "video", "frame_rate": dice.pick([25, 30, "30000/1001", 24, 15]),
                "width": dice.pick([64, 128, 176, 320, 33]), "height": dice.pick([48, 96, 144, 240, 17]),
                "format": dice.pick(["rgb24", "yuv420p", "gray", "nv12", "rgba", "yuv422p10le", "gbrp"]),
            ]
            : [
                "type": "audio", "sample_rate": dice.pick([8_000, 16_000, 44_100, 48_000]),
                "num_channels": dice.pick([1, 2, 2, 6, 3]), "format": dice.pick(["s16", "flt", "u8", "dbl", "s32"]),
            ]
        if let encoder, dice.happens(0.9) { stream["encoder"] = .string(encoder) }
        if dice.happens(0.45) { stream["encoder_option"] = chosenOptions("encoders/\(encoder ?? "aac")", &dice) }
        if dice.happens(0.25) { stream["filter_desc"] = .string(dice.filters(isVideo)) }
        if dice.happens(0.25) { stream["codec_config"] = codecConfig(isVideo, &dice) }
        if dice.happens(0.08) {
            let name = dice.pick(
                isVideo
                    ? ["encoder_width", "encoder_height", "encoder_frame_rate", "rotation", "sample_aspect_ratio"]
                    : ["encoder_sample_rate", "encoder_num_channels"])
            stream[name] = dice.pick([2, 16, 90, 8_000, 48_000, "4:3", dice.strange()])
        }
        if dice.happens(0.06) { stream["fill"] = dice.pick([isVideo ? "last-frame" : "silence", "silence", dice.strange()]) }
        if dice.happens(0.06) { stream["latency"] = dice.pick([0, 20, 100, 2_000, dice.strange()]) }
        if dice.happens(0.06) { stream["when_late"] = dice.pick(["drop", "wait", dice.strange()]) }
        return stream
    }

    private func codecConfig(_ isVideo: Bool, _ dice: inout Dice) -> JSON {
        var config: JSON = [:]
        for name in ["bit_rate", "compression_level", "qscale"] + (isVideo ? ["gop_size", "max_b_frames"] : [])
        where dice.happens(0.4) {
            config[name] = dice.happens(0.7) ? dice.pick([0, 1, 2, 5, 12, 64_000, 500_000]) : dice.strangeNumber()
        }
        return config
    }

    private func opening(_ muxer: String, _ dice: inout Dice) -> JSON {
        guard dice.happens(0.35) else { return true }
        return ["option": chosenOptions("muxers/\(muxer)", &dice)]
    }

    private func chosenOptions(_ path: String, _ dice: inout Dice) -> JSON {
        guard let known = options[path], !known.isEmpty else { return [:] }
        var chosen: JSON = [:]
        for _ in 0..<dice.pick([1, 1, 2, 4]) {
            let option = dice.pick(known)
            let usual = option.choices + option.bounds + ["0", "1", "2"]
            chosen[option.name] = dice.happens(0.75) ? .string(dice.pick(usual)) : dice.strange()
        }
        return chosen
    }

    /// One member, wherever it lies, becomes something else, goes, or comes.
    private func change(_ json: inout JSON, _ dice: inout Dice) {
        switch json {
        case .object(let members) where !members.isEmpty && dice.happens(0.9):
            let name = dice.pick(members.keys.sorted())
            var value = json[name]
            switch value {
            case .object, .array: if dice.happens(0.85) { change(&value, &dice) } else { value = dice.strange() }
            default: value = dice.strange()
            }
            json[name] = value
        case .array(var items) where !items.isEmpty && dice.happens(0.9):
            let index = dice.number(below: items.count)
            change(&items[index], &dice)
            json = .array(items)
        case .object: json[dice.pick(["nonsense", "type", "format", "width", ""])] = dice.strange()
        default: json = dice.strange()
        }
    }
}

/// Decides by a seed.
struct Dice {
    private var random: SeededRandom

    init(_ random: SeededRandom) { self.random = random }

    mutating func happens(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }
    mutating func number(below count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
    mutating func pick<T>(_ values: [T]) -> T { values[number(below: values.count)] }

    static let numbers: [Double] = [
        0, -1, 1, 2, 3, 7, 255, 256, 65_535, 65_536, 16_384, 1e6, 1e9, 2_147_483_647, 2_147_483_648, 4_294_967_296,
        9_007_199_254_740_992, 9_223_372_036_854_775_808, -2_147_483_649, -9_223_372_036_854_775_808, 1e300, -1e300, 1e-300,
        0.5, 29.97,
    ]
    static let texts = [
        "", "0", "-1", "1", "nan", "inf", "-inf", "1e9", "1e300", "2147483647", "2147483648", "9223372036854775808", "0x10",
        "1/0", "0/1", "30000/1001", "auto", "default", "true", "none", "%s%n%d", "a=b:c=d", "\\", "'", "[", ";", "ü€😀",
        String(repeating: "9", count: 400), String(repeating: "a", count: 3_000), "copy", "../x", "1.5", "+", "1k", "1M", "1G",
    ]

    mutating func strangeNumber() -> JSON { .number(pick(Self.numbers)) }

    mutating func strange() -> JSON {
        switch number(below: 10) {
        case 0...3: strangeNumber()
        case 4...7: .string(pick(Self.texts))
        case 8: pick([.null, true, false, [], [:], [1], ["a": 1]])
        default: .string(String(pick(Self.numbers)))
        }
    }

    /// A number as filters take it, more often a small one.
    private mutating func argument() -> String {
        happens(0.7) ? pick(["0", "1", "2", "3", "5", "10", "16", "0.5", "1.5", "64"]) : pick(Self.texts.filter { $0.count < 20 })
    }

    private static let video = [
        "scale=#:#", "scale=64:-2", "fps=#", "crop=#:#", "crop=iw/2:ih/2", "pad=#:#:#:#", "setpts=PTS*#", "setpts=#", "hflip",
        "vflip", "transpose=#", "boxblur=#", "tpad=stop=3", "tpad=start=#", "loop=loop=2:size=#", "format=yuv420p",
        "format=#", "setsar=#", "setdar=#", "zoompan=z=#:d=2:s=64x48", "split[a][b];[a][b]hstack", "split[a][b];[a][b]vstack",
        "split[a][b];[a][b]blend=all_mode=average", "rotate=#", "trim=#", "trim=end_frame=#", "select=not(mod(n\\,2))",
        "drawbox=#:#:#:#", "noise=alls=#", "tmix=frames=3", "framestep=#", "reverse", "tile=2x2", "tile=#x#", "thumbnail=#",
        "eq=brightness=#", "hue=h=#", "unsharp=#", "yadif", "geq=lum=X+#", "telecine", "null", "negate", "edgedetect",
        "gblur=#", "avgblur=#", "median=#", "lutyuv=y=#", "colorbalance=rs=#", "curves=preset=vintage", "deflicker=#",
        "fade=in:0:#", "field", "interlace", "kerndeint", "mpdecimate", "nlmeans=s=#:r=3", "pixelize=#:#", "random=#",
        "scroll=#", "shuffleframes=0", "shuffleframes=#", "swapuv", "smartblur=#", "vignette=#", "xbr=#", "hqx=#",
        "minterpolate=fps=30", "framerate=#", "separatefields", "weave", "untile=#x#", "untile=2x2", "fillborders=#:#",
        "lagfun=#", "convolution=#", "delogo=#:#:#:#", "dilation", "histogram", "waveform", "vectorscope", "scale2ref",
        "rotate=a=#:ow=#:oh=#", "perspective", "lenscorrection=#:#", "shear=#:#", "v360", "cropdetect", "deshake",
    ]
    private static let audio = [
        "volume=#", "aresample=#", "aresample=16000", "atempo=#", "atempo=1.5", "aecho=0.8:0.9:#:0.3", "adelay=#",
        "apad=pad_len=#", "apad=whole_len=2000", "asetrate=#", "aformat=channel_layouts=#", "aformat=channel_layouts=mono",
        "pan=stereo|c0=c0|c1=c0", "pan=#c|c0=c0", "afade=t=in:d=#", "aloop=loop=2:size=#", "highpass=f=#", "lowpass=f=#",
        "compand", "anull", "asetnsamples=n=#", "asetnsamples=n=100", "atrim=#", "loudnorm", "dynaudnorm=f=#", "areverse",
        "silenceremove=#", "asplit[a][b];[a][b]amix", "asplit[a][b];[a][b]amerge", "asplit[a][b];[a][b]join", "chorus=0.5:0.9:50:0.4:0.25:2",
        "flanger=delay=#", "aphaser=#", "tremolo=f=#", "vibrato=f=#", "equalizer=f=#:w=#", "bass=g=#", "treble=g=#", "asetpts=PTS*#",
        "acompressor=threshold=#", "alimiter=#", "agate", "afftdn=nr=#", "anlmdn=s=#", "stereotools", "extrastereo=#", "haas",
        "earwax", "headphone", "sofalizer", "superequalizer", "surround", "crystalizer=#", "dcshift=#", "aiir", "firequalizer", "hdcd",
        "channelmap=#", "channelmap=0", "replaygain", "silencedetect", "stereowiden", "volumedetect", "afreqshift=#", "adeclick", "acrusher",
    ]

    mutating func filters(_ isVideo: Bool) -> String {
        (0..<pick([1, 1, 2, 3])).map { _ in
            var filter = ""
            for character in pick(isVideo ? Self.video : Self.audio) { filter += character == "#" ? argument() : String(character) }
            return filter
        }.joined(separator: ",")
    }
}
