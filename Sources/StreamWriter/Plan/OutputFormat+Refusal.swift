import Bytewise
import Libav

// What a muxer can't carry is refused when a stream is added, and not when the writer is opened or ended.
extension OutputFormat {
    func require(_ codec: Codec) throws(StreamWriterError) {
        if carries(codec) { return }
        let encoders = encoders(of: codec.media)
        let formats = Self.formats(for: codec)
        var message = "the format \(name) does not take \(codec.codecName)"
        if !codec.codecName.isSame(as: codec.name) { message += ", which \(codec.name) makes" }
        if Self.sinceFFmpeg7[name]?.contains(codec.codecName) == true { message += " (FFmpeg takes it there since its version 7)" }
        var ways: [String] = []
        if let first = encoders.first { ways.append("an encoder that it takes, such as \(first)") }
        if !formats.isEmpty { ways.append("a format that takes \(codec.codecName): \(formats.joined(separator: ", "))") }
        if !ways.isEmpty { message += ". Choose \(ways.joined(separator: "; or "))" }
        throw StreamWriterError(
            .unsupportedValue, message, parameter: "encoder", supported: encoders.isEmpty ? nil : encoders)
    }

    /// Of a stream whose encoder is not named: it may be of a kind that the container does not have at all.
    func withoutDefault(_ media: Codec.Media) -> StreamWriterError {
        let (kind, other, otherKind) = media == .audio ? ("audio", Codec.Media.video, "video") : ("video", .audio, "audio")
        let encoders = encoders(of: media)
        if let first = Self.usualEncoders.first(where: encoders.contains) ?? encoders.first {
            return StreamWriterError(
                .unsupportedValue, "the format \(name) has no default \(kind) encoder here; name one that it takes, such as \(first)",
                parameter: "encoder", supported: [first] + encoders.filter { !$0.isSame(as: first) })
        }
        let formats = Self.usual.filter { OutputFormat(named: $0).map { !$0.encoders(of: media).isEmpty } ?? false }
        return StreamWriterError(
            .unsupportedValue, "the format \(name) holds no \(kind). Choose a format that does: \(formats.joined(separator: ", "))",
            parameter: "type", supported: self.encoders(of: other).isEmpty ? nil : [otherKind])
    }

    private static let usualEncoders = ["libx264", "mpeg4", "aac", "libmp3lame", "libopus", "flac", "pcm_s16le"]

    /// The usual ones that take it.
    static func formats(for codec: Codec) -> [String] { usual.filter { OutputFormat(named: $0)?.carries(codec) ?? false } }

    /// Enhanced RTMP.
    private static let sinceFFmpeg7: [String: Set<String>] = ["flv": ["av1", "hevc", "vp9"]]

    /// What people write to, the most common first.
    private static let usual = ["mp4", "mov", "matroska", "webm", "mpegts", "ogg", "avi", "flv", "wav", "nut"]

    /// Its default first. Those of hardware are not on every machine.
    private func encoders(of media: Codec.Media) -> [String] {
        let usual = media == .audio ? defaultAudioEncoder : defaultVideoEncoder
        let all = Codec.all(media).filter { !$0.isHardware && carries($0) }.map(\.name)
        guard let usual = usual?.name, all.contains(usual) else { return all }
        return [usual] + all.filter { !$0.isSame(as: usual) }
    }

    /// With the tracks that are there already, the last of which is new.
    func require(_ parts: [PreparedRendition]) throws(StreamWriterError) {
        if name.isSame(as: "rtp"), parts.count > 1 {
            throw StreamWriterError(
                .unsupportedValue,
                "the format rtp carries one stream, and this is a second one. Choose the format rtp_mpegts, which carries several, or a writer for each stream",
                parameter: "streams")
        }
        let streams = try translating(.outOfMemory) { () throws(LibavError) in
            try parts.map { (part) throws(LibavError) in try part.parameters }
        }
        if let added = streams.last { try requirePictures(of: added) }
        try tryOut(streams, added: parts.last?.encoder.settings)
    }

    /// `added`: how the last is encoded; nil: they are those of a writer that is open.
    func tryOut(_ streams: [StreamParameters], added: EncoderSettings?) throws(StreamWriterError) {
        _ = Log.take()
        let ticks: [Fraction?]
        do throws(LibavError) {
            ticks = try Muxer.tryOut(self, streams)
        } catch {
            throw StreamWriterError(refusing: added, error, in: self)
        }
        for (stream, tick) in zip(streams, ticks) { try require(stream.frameRate, asTimesOf: tick) }
    }

    /// More pictures than ticks in a second would not all have times of their own.
    func require(_ rate: Fraction?, asTimesOf tick: Fraction?) throws(StreamWriterError) {
        guard let rate, let tick, rate.isPositive, tick.isPositive, rate.inverse.isShorter(1, thanTickOf: tick) else { return }
        let most = "\(Rational(tick.inverse))"
        throw StreamWriterError(
            .unsupportedValue,
            "the format \(name) counts time in \(Rational(tick)) s, and so takes at most \(most) pictures a second, not \(Rational(rate)); encoder_frame_rate \(most) leaves the others out",
            parameter: "encoder_frame_rate", supported: [most])
    }
}

extension StreamWriterError {
    /// A muxer that would not begin with a stream: the parameter of the stream's that its reason is about.
    init(refusing settings: EncoderSettings?, _ error: LibavError, in format: OutputFormat) {
        self.init(beginning: error, options: [])
        guard code == .unsupportedValue else { return }
        // Of all of them: a stream has a `format` of its own.
        parameter = error.parameter ?? "streams"
        guard let cause = error.cause?.lowercasedASCII else { return }
        func says(_ words: String...) -> Bool { words.contains { cause.holds($0) } }
        let choices = Self.choices(in: cause)
        defer { if parameter == "encoder", let codec = settings?.codec { addWays(for: codec, in: format) } }
        switch settings?.input {
        case .audio where says("sample rate", "samplerate", " hz", "khz"):
            parameter = "encoder_sample_rate"
            supported = choices
        case .audio where says("channel", "mono", "stereo"): parameter = "encoder_num_channels"
        case .video where says("pixel format", "pix_fmt", "pixel_format", "can only handle"): parameter = "encoder_format"
        case .video where says("frame rate", "framerate", " fps", "frames per second"): parameter = "encoder_frame_rate"
        case .video where says("resolution", "dimension", "width", "height", "frame size"): parameter = "encoder_width"
        case .some where says("codec", "support muxing", "only supported in", "currently not supported", "block align", "bits per sample"):
            parameter = "encoder"
        default: break
        }
    }

    /// The container's own encoder, and containers that are made for the codec.
    private mutating func addWays(for codec: Codec, in format: OutputFormat) {
        let usual = codec.media == .audio ? format.defaultAudioEncoder : format.defaultVideoEncoder
        let formats = OutputFormat.formats(for: codec).filter { !$0.isSame(as: format.name) }
        var ways: [String] = []
        if let usual, !usual.codecName.isSame(as: codec.codecName) {
            supported = [usual.name]
            ways.append("the encoder \(usual.name)")
        }
        if !formats.isEmpty { ways.append("a format that takes \(codec.codecName): \(formats.joined(separator: ", "))") }
        if !ways.isEmpty { message += ". Choose \(ways.joined(separator: "; or "))" }
    }

    /// "… choose from (44100, 22050, 11025)".
    private static func choices(in cause: String) -> [String]? {
        guard let list = cause.cut(at: "(")?.after.cut(at: ")")?.before else { return nil }
        let words = list.words(at: [",", " "])
        return !words.isEmpty && words.allSatisfy { $0.utf8.allSatisfy(\.isASCIIDigit) } ? words : nil
    }
}
