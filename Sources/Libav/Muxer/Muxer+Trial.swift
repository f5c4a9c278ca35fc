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
    /// options, so as lax as libav can be told to be.
    package static func tryOut(_ format: OutputFormat, _ streams: [StreamParameters]) throws(LibavError) {
        for stream in streams { try KnownFaults.check(stream, in: format.name) }
        if format.opensItself || format.isDevice || untried.contains(format.name) { return }
        if needingSound.contains(format.name), !streams.contains(where: { $0.media == .audio }) { return }
        let muxer = try Muxer(format: format, url: nil, interruption: Interruption()) { _ in .refused(reason: "nothing is opened yet") }
        for stream in streams { _ = try muxer.addStream(stream) }
        var memory: UnsafeMutablePointer<AVIOContext>?
        try check(avio_open_dyn_buf(&memory), "opening the muxer \(format.name)")
        defer {
            var bytes: UnsafeMutablePointer<UInt8>?
            avio_close_dyn_buf(memory, &bytes)
            av_free(bytes)
        }
        muxer.context.pointee.pb = memory
        muxer.context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        muxer.context.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
        // Muxers have not all looked at their streams before the header.
        try check(avformat_write_header(muxer.context, nil), "opening the muxer \(format.name)")
    }
}
