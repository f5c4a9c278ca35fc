/// What a stream is made of while it sends nothing and time goes on.
public enum StreamFill: String, Sendable, CaseIterable {
    /// Of an audio stream.
    case silence
    /// Of a video stream: its last picture, once there is one.
    case lastFrame = "last-frame"
}

/// What becomes of frames that come too late to go where their time is, or faster than they can be encoded.
public enum WhenLate: String, Sendable, CaseIterable {
    /// The client waits until there is room for them; times that have passed are refused.
    case wait
    /// They are left out, and counted.
    case drop
}

/// What a stream is while it is sent as it is made.
struct LiveTraits {
    let fills: Bool
    let dropsLate: Bool
    /// Milliseconds.
    let latency: Double

    init(_ config: StreamConfig) throws(StreamWriterError) {
        let isVideo = if case .video = config { true } else { false }
        let own = isVideo ? StreamFill.lastFrame : .silence
        if let fill = config.fill, fill != own {
            throw StreamWriterError(
                .unsupportedValue, "\(isVideo ? "video" : "audio") is filled with \(own.rawValue), and not with \(fill.rawValue)", parameter: "fill",
                supported: [own.rawValue])
        }
        fills = config.fill != nil
        dropsLate = config.whenLate == .drop
        latency = Self.latency(of: config)
        guard latency.isFinite, latency >= 0, latency <= Limits.latency else {
            throw StreamWriterError(
                .invalidParameter, "latency is a number of milliseconds from 0 to \(Int(Limits.latency)), and not \(latency)", parameter: "latency")
        }
        if dropsLate && isVideo && latency > 0 {
            throw StreamWriterError(
                .unsupportedValue, "with when_late drop pictures that come together are dropped; leave latency out, or give 0", parameter: "latency")
        }
        if fills || dropsLate { try requireShortLatency(of: "with \(fills ? "fill" : "when_late drop")") }
    }

    static func latency(of config: StreamConfig) -> Double {
        if let latency = config.latency { return latency }
        return if case .audio = config { Limits.latencyOfAudio } else { 0 }
    }

    /// Milliseconds that reading may take of it: less the block that samples wait for, where it is that short.
    func readLatency(ownBlock: Double) -> Double { ownBlock * 4 <= latency ? latency - ownBlock : latency }

    /// Beside a stream that is filled when it is half a second behind, or where frames that come together may be dropped.
    func requireShortLatency(of what: String) throws(StreamWriterError) {
        guard latency > Limits.latencyKeptLive else { return }
        throw StreamWriterError(
            .unsupportedValue, "latency is at most \(Int(Limits.latencyKeptLive)) milliseconds \(what), and not \(latency)", parameter: "latency")
    }

    /// Of a stream that comes to the `others` of its writer.
    func check(beside others: [LiveTraits]) throws(StreamWriterError) {
        if others.contains(where: \.fills) { try requireShortLatency(of: "in a writer that has a stream with fill") }
        guard fills, let other = others.firstIndex(where: { $0.latency > Limits.latencyKeptLive }) else { return }
        throw StreamWriterError(
            .unsupportedValue,
            "the streams of a writer with fill have a latency of at most \(Int(Limits.latencyKeptLive)) milliseconds, and stream \(other) has \(others[other].latency)",
            parameter: "fill")
    }
}

/// Another bit rate for an encoder that runs.
public struct BitRateChange: Sendable, Equatable {
    /// Bits per second.
    public var bitRate: Int
    /// `maxrate` and `bufsize`, as an encoder takes them; what is not named stays.
    public var encoderOption: [String: String]

    public init(bitRate: Int, encoderOption: [String: String] = [:]) {
        self.bitRate = bitRate
        self.encoderOption = encoderOption
    }
}

extension StreamConfig {
    public var fill: StreamFill? {
        switch self {
        case .audio(let audio): audio.fill
        case .video(let video): video.fill
        }
    }

    public var whenLate: WhenLate {
        switch self {
        case .audio(let audio): audio.whenLate
        case .video(let video): video.whenLate
        }
    }

    public var latency: Double? {
        switch self {
        case .audio(let audio): audio.latency
        case .video(let video): video.latency
        }
    }

    public var filterDesc: String? {
        switch self {
        case .audio(let audio): audio.filterDesc
        case .video(let video): video.filterDesc
        }
    }

    /// It is filled, or drops what comes late.
    public var isKeptLive: Bool { fill != nil || whenLate == .drop }

    /// The same, with a change that was made while its encoder ran. `name`: of its rendition, where it has any.
    public func changed(to change: BitRateChange, rendition name: String? = nil) -> StreamConfig {
        switch self {
        case .audio(var audio):
            if audio.renditions.isEmpty {
                change.apply(to: &audio.codecConfig, &audio.encoderOption)
            } else {
                change.apply(to: &audio.renditions, name)
            }
            return .audio(audio)
        case .video(var video):
            if video.renditions.isEmpty {
                change.apply(to: &video.codecConfig, &video.encoderOption)
            } else {
                change.apply(to: &video.renditions, name)
            }
            return .video(video)
        }
    }
}

extension BitRateChange {
    fileprivate func apply(to config: inout CodecConfig, _ option: inout [String: String]) {
        config.bitRate = bitRate
        option.merge(encoderOption) { $1 }
    }

    /// To the one of that name, or the only one.
    fileprivate func apply(to renditions: inout [RenditionConfig], _ name: String?) {
        for place in renditions.indices where name == nil || renditions[place].name == name {
            var rendition = renditions[place]
            apply(to: &rendition.codecConfig, &rendition.encoderOption)
            renditions[place] = rendition
        }
    }
}
