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

/// What a stream has of the two.
struct LiveTraits {
    let fills: Bool
    let dropsLate: Bool

    init(fill: StreamFill?, whenLate: WhenLate, isVideo: Bool) throws(StreamWriterError) {
        let own = isVideo ? StreamFill.lastFrame : .silence
        if let fill, fill != own {
            throw StreamWriterError(
                .unsupportedValue, "\(isVideo ? "video" : "audio") is filled with \(own.rawValue), and not with \(fill.rawValue)", parameter: "fill",
                supported: [own.rawValue])
        }
        fills = fill != nil
        dropsLate = whenLate == .drop
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
