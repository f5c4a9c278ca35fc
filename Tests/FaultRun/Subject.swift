import Libav
import StreamWriter

/// What a line of the input asks for.
enum Subject {
    case filter(FilterCapability)
    case videoEncoder(String)
    case audioEncoder(String)
    case videoExtremes(String)
    case audioExtremes(String)
    case muxer(String)

    init(_ fields: [String]) {
        switch fields[0] {
        case "filter": self = .filter(Self.filters[fields[1]]!)
        case "video-encoder": self = .videoEncoder(fields[1])
        case "audio-encoder": self = .audioEncoder(fields[1])
        case "video-extremes": self = .videoExtremes(fields[1])
        case "audio-extremes": self = .audioExtremes(fields[1])
        case "muxer": self = .muxer(fields[1])
        default: fatalError("\(fields)")
        }
    }

    private static let filters = Dictionary(uniqueKeysWithValues: Capabilities.filters().map { ($0.name, $0) })

    var cases: [Case] {
        switch self {
        case .filter(let filter):
            let descriptions = FilterDescriptions(filter: filter)
            return descriptions.medium == .video ? VideoCases.filter(descriptions.all) : AudioCases.filter(descriptions.all)
        case .videoEncoder(let name): return VideoCases.encoder(name)
        case .audioEncoder(let name): return AudioCases.encoder(name)
        case .videoExtremes(let name): return ExtremeCases.videoEncoder(name)
        case .audioExtremes(let name): return ExtremeCases.audioEncoder(name)
        case .muxer(let name): return MuxerCases.muxer(name)
        }
    }
}
