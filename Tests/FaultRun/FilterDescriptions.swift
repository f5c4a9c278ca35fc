import StreamWriter

/// A chain with one input and one output around any filter of libav's, whatever it takes and gives.
struct FilterDescriptions {
    let filter: FilterCapability

    enum Medium: String { case video, audio }

    /// Of the stream that the chain is for.
    var medium: Medium {
        if let output = filter.outputs.first(where: { $0 != "dynamic" }) { return output == "audio" ? .audio : .video }
        return filter.inputs.first == "audio" || audioByName ? .audio : .video
    }

    /// Filters whose pads all follow from their options say nothing of their medium.
    private var audioByName: Bool {
        filter.inputs.allSatisfy { $0 == "dynamic" } && (filter.name.hasPrefix("a") || Self.audioWithDynamicPads.contains(filter.name))
    }

    private static let audioWithDynamicPads: Set<String> = ["headphone", "join", "ladspa", "lv2"]

    /// The plain one first, then one for each choice and switch of its options.
    var all: [(label: String, text: String)] {
        let plain = Self.arguments[filter.name] ?? ""
        var all = [("", text(plain))]
        for option in filter.options where option.isPrivate {
            for value in values(of: option) {
                let setting = "\(option.name)=\(value)"
                all.append((setting, text(plain.isEmpty ? setting : "\(plain):\(setting)")))
            }
        }
        return all
    }

    private func values(of option: OptionCapability) -> [String] {
        if Self.fixed.contains(option.name) { return [] }
        if option.type == "boolean" { return ["0", "1"].filter { $0 != (option.defaultValue == "true" ? "1" : "0") } }
        if option.type == "flags" { return [] }
        return option.choices.map(\.name).filter { $0 != option.defaultValue }.prefix(40).map { $0 }
    }

    /// Set by `arguments`, or by the chain around the filter.
    private static let fixed: Set<String> = [
        "size", "s", "seed", "random_mode", "threads", "thread_type", "flags", "n_threads", "shortest", "repeatlast", "eof_action", "duration", "d",
    ]

    // MARK: The chain

    private func text(_ arguments: String) -> String {
        var arguments = arguments
        let size = medium == .video ? "{size}" : "32x16"
        for option in filter.options where Self.derived[option.name] != nil && !arguments.contains("\(option.name)=") {
            if option.name == "size" && option.type != "image_size" { continue }
            if option.name == "s" && option.type != "image_size" || option.name == "s" && filter.options.contains(where: { $0.name == "size" }) { continue }
            arguments += (arguments.isEmpty ? "" : ":") + "\(option.name)=\(Self.derived[option.name]!)"
        }
        arguments = arguments.split(separator: "{size}", omittingEmptySubsequences: false).joined(separator: size)
        let use = arguments.isEmpty ? filter.name : "\(filter.name)=\(arguments)"
        return (Self.prefixes[filter.name] ?? prefix) + use + (Self.suffixes[filter.name] ?? suffix)
    }

    /// Around filters whose inputs differ from each other, or that have one of their outputs as an input.
    private static let prefixes = [
        "feedback": "[in][back]",
        "haldclut": "haldclutsrc=level=2:rate=25:duration=1[table];[in][table]",
        "headphone": "[in]asplit[a][b];[b]pan=stereo|c0=c0|c1=c0[responses];[a]pan=mono|c0=c0[mono];[mono][responses]",
        "xcorrelate": "[in]split[a][b];[b]crop=floor((iw+1)/2):floor((ih+1)/2):exact=1[part];[a][part]",
    ]
    private static let suffixes = [
        "feedback": "[out][cut];[cut]null[back]", "headphone": "[out]", "spectrumsynth": ",aformat=channel_layouts=mono,atrim=end_sample=2000[out]",
        "xcorrelate": "[out]",
    ]

    /// What would differ from run to run.
    private static let derived = [
        "size": "{size}", "s": "{size}", "seed": "7", "all_seed": "7", "random_seed": "7", "rand_seed": "7",
    ]

    private var inputs: [Medium] {
        var inputs = filter.inputs.filter { $0 != "dynamic" }.map { $0 == "audio" ? Medium.audio : .video }
        if filter.inputs.contains("dynamic") {
            let count = Self.inputCounts[filter.name] ?? 2
            while inputs.count < count { inputs.append(medium) }
        }
        return inputs
    }

    private var isSource: Bool { !inputs.contains(medium) }

    private var prefix: String {
        let own = medium == .video ? "split" : "asplit"
        if isSink { return "[in]\(own)[out][a];[a]" }
        let other = medium == .video ? "sine=frequency=440:sample_rate=8000:samples_per_frame=256:duration=0.5" : "testsrc=size=16x16:rate=25:duration=1"
        if inputs == [medium] { return "" }
        if inputs.isEmpty || isSource {
            let sink = medium == .video ? "[in]nullsink;" : "[in]anullsink;"
            let sources = inputs.indices.map { "\(other)[b\($0)];" }.joined()
            return sink + sources + inputs.indices.map { "[b\($0)]" }.joined()
        }
        var chains = ""
        let mine = inputs.indices.filter { inputs[$0] == medium }
        chains += "[in]\(own)=\(mine.count)" + mine.map { "[b\($0)]" }.joined() + ";"
        for index in inputs.indices where inputs[index] != medium { chains += "\(other)[b\(index)];" }
        return chains + inputs.indices.map { "[b\($0)]" }.joined()
    }

    /// What goes on is a copy of what goes in.
    private var isSink: Bool { filter.outputs.isEmpty }

    private var suffix: String {
        if isSink { return "" }
        let outputs = filter.outputs.filter { $0 != "dynamic" }
        let count = Self.outputCounts[filter.name] ?? max(1, outputs.count)
        let end = !isSource ? "" : medium == .video ? "trim=end_frame=4" : "atrim=end_sample=2000"
        if count > 1 {
            let kinds = (0..<count).map { $0 < outputs.count ? outputs[$0] : medium.rawValue }
            let kept = kinds.firstIndex(of: medium.rawValue) ?? 0
            let labels = kinds.indices.map { $0 != kept ? "[x\($0)]" : isSource ? "[whole]" : "[out]" }.joined()
            let others = kinds.indices.filter { $0 != kept }.map { ";[x\($0)]" + (kinds[$0] == "audio" ? "anullsink" : "nullsink") }.joined()
            return labels + (isSource ? ";[whole]\(end)[out]" : "") + others
        }
        if isSource { return ",\(end)[out]" }
        return prefix.isEmpty ? "" : "[out]"
    }

    private static let inputCounts: [String: Int] = [
        "xmedian": 3, "scale": 1, "decimate": 1, "fieldmatch": 1, "segment": 1, "asegment": 1, "mergeplanes": 1, "guided": 1, "bm3d": 1, "signature": 1,
    ]

    private static let outputCounts: [String: Int] = [
        "split": 2, "asplit": 2, "segment": 2, "asegment": 2, "acrossover": 2, "channelsplit": 2,
    ]

    /// What a filter refuses to be without, or would do nothing or never end without.
    private static let arguments: [String: String] = [
        "adrawgraph": "m1=lavfi.a", "aeval": "exprs=val(0):c=same", "aevalsrc": "exprs=sin(t)", "allrgb": "rate=25", "ametadata": "mode=add:key=a:value=b",
        "anequalizer": "params=c0 f=200 w=100 g=-10", "anoisesrc": "color=pink", "apad": "whole_len=3000", "aphasemeter": "video=0",
        "arealtime": "speed=1000", "asegment": "samples=500", "asendcmd": "commands=0.0 anull enable 1", "astreamselect": "map=0",
        "channelmap": "map=0", "ciescope": "size=256", "chorus": "delays=50|60:decays=0.4|0.3:speeds=0.25|0.4:depths=2|1.3", "colormatrix": "src=bt601:dst=bt709", "colorspace": "all=bt709:iall=bt601-6-625", "curves": "preset=negative",
        "delogo": "x=1:y=1:w=2:h=2", "drawbox": "color=red", "drawgraph": "m1=lavfi.a", "drawtext": "text=a", "extractplanes": "planes=y",
        "feedback": "x=0:y=0:w=1:h=1",
        "fftfilt": "dc_Y=0:weight_Y=1", "flite": "text=a", "format": "pix_fmts=gray", "geq": "lum=X+Y",
        "gradients": "c0=red:c1=blue:c2=green:c3=white:c4=black:c5=gray:c6=red:c7=blue:x0=0:y0=0:x1=1:y1=1", "headphone": "map=FC:hrir=multich",
        "mcompand": "args='0.005,0.1 6 -47/-40,-34/-34,-17/-33 100 | 0.003,0.05 6 -47/-40,-34/-34,-17/-33 400'", "mergeplanes": "mapping=0x000102:format=yuv420p", "noformat": "pix_fmts=gray",
        "metadata": "mode=add:key=a:value=b", "perlin": "random_mode=seed", "pan": "stereo|c0=c0|c1=c0", "realtime": "speed=1000", "segment": "frames=2",
        "sendcmd": "commands=0.0 null enable 1", "streamselect": "map=0", "xfade": "duration=0.04:offset=0", "xstack": "layout=0_0|w0_0",
        "rotate": "angle=1", "zoompan": "d=1",
    ]
}
