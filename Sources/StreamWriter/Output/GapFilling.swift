import Libav

/// Which gaps in a stream's time are filled, since the container can't tell of them.
public enum GapFilling: Sendable {
    case none, all
    /// Those before the first frame.
    case start
}

extension OutputFormat {
    /// With times of their own for each packet, though libav does not say that their rate may vary.
    ///
    /// Not MPEG's program streams (mpeg, vob, dvd, svcd, vcd), where small frames share a time with others of their
    /// packet, nor Ogg, where those of a page do: RFC 7845 4.1 has gaps in Opus filled, and decoders of the
    /// others play on as if there were none.
    private static let keepingTimes: Set<String> = movFamily.union([
        "asf", "asf_stream", "avif", "dash", "hds", "hls", "ivf", "matroska", "rtp", "rtp_mpegts", "rtsp", "sap", "smoothstreaming",
        "webm_chunk", "wtv",
    ])

    /// Pictures last until the next, and the first one begins.
    private static let beginningWithPicture: Set<String> = ["apng", "avif", "gif", "webp"]

    /// `countsSamples` says that the encoder's sound is as many samples as its bytes say (`Encoder.countsSamples`).
    ///
    /// `VARIABLE_FPS` says that a packet has a time of its own, `NOTIMESTAMPS` that none has.
    func gapFilling(of kind: StreamDescription.Kind, countsSamples: Bool = false) -> GapFilling {
        // What is played at once has the time of its arrival.
        if isDevice || name == "null" { return .none }
        // Frames that are missing are empty ones, though only behind the first; sound is bytes one after the other.
        if name == "avi" && kind == .video { return .start }
        // flv begins with its first packet, which is then at zero.
        if Self.beginningWithPicture.contains(name) || name == "flv" && kind == .audio { return .start }
        if ignoresTimes || countsSamples && Self.movFamily.contains(name) { return .all }
        return allowsVariableRate || Self.keepingTimes.contains(name) ? .none : .all
    }

    /// Pictures may be anywhere in time, rather than at their rate's.
    var takesPicturesAtAnyTime: Bool { name != "avi" && gapFilling(of: .video) != .all }

    /// How long the last picture is can be read in it, or is that of its rate anyway.
    var keepsLastDuration: Bool {
        gapFilling(of: .video) == .all || Self.movFamily.contains(name)
            || ["apng", "avif", "dash", "gif", "matroska", "null", "smoothstreaming", "webm", "webp"].contains(name)
    }

    /// What holds the packets: a muxer of segments has another for each of them.
    func holding(option: [String: String], destination: String) -> OutputFormat {
        guard ["segment", "stream_segment,ssegment"].contains(name) else { return self }
        return option["segment_format"].flatMap { OutputFormat(named: $0) } ?? OutputFormat(forFile: destination) ?? self
    }
}

extension MuxerInfo {
    /// Which gaps in a stream's time are filled before they come to it.
    public func gapFilling(of kind: StreamDescription.Kind) -> GapFilling {
        OutputFormat(named: name)?.gapFilling(of: kind) ?? .none
    }
}
