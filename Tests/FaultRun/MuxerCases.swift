import Glibc
import StreamWriter

/// What a muxer may never have been given: streams far apart, one without a packet, times past 2^31 ticks.
enum MuxerCases {
    private struct Pair {
        let audio: AudioStreamConfig?
        let video: VideoStreamConfig?
        var streams: [StreamConfig] { (audio.map { [.audio($0)] } ?? []) + (video.map { [.video($0)] } ?? []) }
    }

    static func muxer(_ name: String) -> [Case] {
        guard let capability = Capabilities.muxer(named: name), let info = try? StreamWriter.resolveMuxer(format: name, name: "") else { return [] }
        let pairs = pairs(info)
        let options = [[:]] + (isOneOfMany(capability) ? [] : variants(capability))
        return options.enumerated().flatMap { number, option in
            pairs.flatMap { label, pair in
                scenarios(pair, isWhole: number == 0, step: step(info)).map { scenario in
                    Case(name: "\(label) \(scenario.name) \(option.map { "\($0)=\($1)" }.sorted().joined(separator: ","))") {
                        try write(info, pair, option, scenario.feed)
                    }
                }
            }
        }
    }

    /// Those of the kind of mp4 are one muxer with one set of options.
    private static func isOneOfMany(_ muxer: FormatCapability) -> Bool {
        guard muxer.name != "mp4", let first = Capabilities.muxer(named: "mp4") else { return false }
        return first.options.filter(\.isPrivate).map(\.name) == muxer.options.filter(\.isPrivate).map(\.name)
    }

    /// Each switch, choice and flag of the muxer's own options by itself; fragments of mp4 take two.
    private static func variants(_ muxer: FormatCapability) -> [[String: String]] {
        muxer.options.flatMap { option -> [[String: String]] in
            guard option.isPrivate else { return [] }
            if option.type == "boolean" { return [[option.name: option.defaultValue == "true" ? "0" : "1"]] }
            if option.type == "flags" { return option.choices.map { [option.name: "+\($0.name)"] } }
            if option.type == "duration" || option.name == "frag_duration" || option.name == "frag_size" { return [[option.name: "1000"]] }
            return option.choices.filter { $0.name != option.defaultValue }.map { [option.name: $0.name] }
        } + (muxer.options.contains { $0.name == "movflags" } ? [["movflags": "frag_keyframe+empty_moov+default_base_moof"]] : [])
    }

    private static func pairs(_ muxer: MuxerInfo) -> [(String, Pair)] {
        let audio = AudioStreamConfig(
            sampleRate: 48_000, numChannels: 2, format: .s16, encoder: muxer.defaultAudioEncoder)
        let video = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, format: "yuv420p", encoder: muxer.defaultVideoEncoder)
        let hasAudio = muxer.defaultAudioEncoder != nil, hasVideo = muxer.defaultVideoEncoder != nil
        var pairs: [(String, Pair)] = []
        if hasAudio { pairs.append(("audio", Pair(audio: audio, video: nil))) }
        if hasVideo { pairs.append(("video", Pair(audio: nil, video: video))) }
        if hasAudio && hasVideo { pairs.append(("both", Pair(audio: audio, video: video))) }
        return pairs
    }

    /// Seconds. What a container can't leave out is encoded, every frame of it.
    private static func step(_ muxer: MuxerInfo) -> Double {
        muxer.gapFilling(of: .audio) == .none && muxer.gapFilling(of: .video) == .none ? 60 : 0.5
    }

    private static func scenarios(_ pair: Pair, isWhole: Bool, step seconds: Double) -> [(name: String, feed: (Feeder) throws -> Void)] {
        var scenarios: [(name: String, feed: (Feeder) throws -> Void)] = [
            ("jump", { feeder in
                try feeder.all(); try feeder.all(at: 300_000); try feeder.all()
            }),
            ("jump and flush", { feeder in
                try feeder.all(); try feeder.writer.flush(); try feeder.all(at: 3e6); try feeder.writer.flush(); try feeder.all()
            }),
        ]
        if isWhole {
            scenarios += [
                ("none", { _ in }), ("plain", { feeder in for _ in 0..<3 { try feeder.all() } }),
                ("late", { feeder in try feeder.all(at: 1e6); try feeder.all() }),
                ("very late", { feeder in try feeder.all(at: 1e9); try feeder.all() }),
                ("far jump", { feeder in try feeder.all(); try feeder.all(at: 1e9); try feeder.all() }),
                ("middling jump", { feeder in try feeder.all(); try feeder.all(at: 40_000); try feeder.all() }),
            ]
        }
        guard pair.streams.count == 2 else { return scenarios }
        for index in 0...1 {
            scenarios += [
                ("only \(index)", { feeder in for _ in 0..<20 { try feeder.one(index) } }),
                ("\(index) ahead", { feeder in
                    try feeder.all(); for step in 1...20 { try feeder.one(index, at: Double(step) * seconds) }; try feeder.all()
                }),
                ("\(index) far ahead", { feeder in
                    try feeder.all(); try feeder.one(index, at: 300_000); try feeder.one(1 - index); try feeder.one(index)
                }),
            ]
        }
        return scenarios
    }

    private struct Feeder {
        let writer: StreamWriter
        let pair: Pair

        func all(at seconds: Double? = nil) throws { for index in pair.streams.indices { try one(index, at: seconds) } }

        /// About a tenth of a second.
        func one(_ index: Int, at seconds: Double? = nil) throws {
            let size = writer.description(of: index).inputFrameBytes
            var noise = Noise(size)
            let isAudio = pair.audio != nil && index == 0
            try writer.send(noise.bytes(size * (isAudio ? 4800 : 3)), to: index, pts: seconds)
        }
    }

    /// Those that open files of their own find a folder of theirs.
    private static func write(
        _ muxer: MuxerInfo, _ pair: Pair, _ option: [String: String], _ feed: (Feeder) throws -> Void
    ) throws -> String {
        let name = "output." + (muxer.extensions.first ?? "bin")
        if muxer.needsFile {
            return try StreamWriter.encode(pair.streams, format: muxer.name, option: option, name: name) { try feed(Feeder(writer: $0, pair: pair)) }
        }
        var template = Array("/dev/shm/fault-run-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, chdir(template) == 0 else { fatalError("no folder to write to") }
        defer { removeFolder(template) }
        let writer = try StreamWriter(destination: .url(muxer.name == "image2" ? "%d." + name : name), format: muxer.name)
        do {
            for stream in pair.streams { _ = try writer.addStream(stream) }
            try writer.open(option: option)
            try feed(Feeder(writer: writer, pair: pair))
            _ = try writer.close()
        } catch {
            writer.abort()
            throw error
        }
        return "= "
    }

    private static func removeFolder(_ path: [CChar]) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(name)
        }
        closedir(folder)
        chdir("/")
        rmdir(path)
    }
}
