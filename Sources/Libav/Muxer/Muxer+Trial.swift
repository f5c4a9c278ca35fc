internal import CLibav

extension Muxer {
    /// Those that can't tell by their streams alone: they open what they write to by themselves, want to know its
    /// packets' size, or have a header only for streams that come later.
    private static let untried: Set<String> = [
        "amv", "dv", "film_cpk", "hds", "psp", "rtp", "rtp_mpegts", "sap", "smoothstreaming", "tee", "webm_dash_manifest",
    ]

    /// Covers may come before the sound, without which these do not begin.
    private static let needingSound: Set<String> = ["aiff", "flac", "mp3"]

    /// Begins a container of these streams in memory, to learn whether the muxer takes them at all: with whatever
    /// options, so as lax as libav can be told to be. What it counts the times of each in (`KnownFaults.Times.tick`), as far
    /// as that is known then.
    package static func tryOut(_ format: OutputFormat, _ streams: [StreamParameters]) throws(LibavError) -> [Fraction?] {
        for stream in streams { try KnownFaults.check(stream, in: format.name) }
        let unknown = streams.map { _ in nil as Fraction? }
        if format.opensItself || format.isDevice || untried.contains(format.name) { return unknown }
        if needingSound.contains(format.name), !streams.contains(where: { $0.media == .audio }) { return unknown }
        let muxer = try untold(format, streams, to: MemoryFile())
        muxer.context.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
        // Muxers have not all looked at their streams before the header.
        try check(avformat_write_header(muxer.context, nil), "opening the muxer \(format.name)")
        return streams.indices.map { muxer.tick(of: $0) }
    }

    /// A whole file of one stream with one packet.
    static func file(_ format: OutputFormat, of stream: StreamParameters, _ packet: Packet) throws(LibavError) -> MemoryFile {
        let file = try MemoryFile()
        let muxer = try untold(format, [stream], to: file)
        // Matroska wants to be asked for raw pictures that AVI's head is to tell of.
        av_opt_set(muxer.context, "allow_raw_vfw", "1", AV_OPT_SEARCH_CHILDREN)
        let doing = "trying \(format.name) out"
        try check(avformat_write_header(muxer.context, nil), doing)
        packet.rescale(from: stream.timeBase, to: Fraction(muxer.context.pointee.streams[0]!.pointee.time_base))
        packet.stream = 0
        try check(av_write_frame(muxer.context, packet.pointer), doing)
        try check(av_write_trailer(muxer.context), doing)
        avio_flush(file.context)
        return file
    }

    /// Without options.
    private static func untold(_ format: OutputFormat, _ streams: [StreamParameters], to file: MemoryFile) throws(LibavError) -> Muxer {
        let muxer = try Muxer(format: format, url: nil, interruption: Interruption()) { _ in .refused(reason: "nothing is opened yet") }
        for stream in streams { _ = try muxer.addStream(stream) }
        muxer.memory = file
        muxer.context.pointee.pb = file.context
        muxer.context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        return muxer
    }
}
