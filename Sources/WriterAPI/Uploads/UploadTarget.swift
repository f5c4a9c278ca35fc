import Bytewise
import StreamWriter
import WriterModel

/// What is written by Uploads, and not by a protocol of libav's.
enum UploadTarget: Equatable {
    /// A URL of http or https.
    case http(String)
    case object(ObjectPlace)

    /// nil: it is libav's, as is a server that waits for its client.
    init?(_ url: String, option: [String: String]) {
        if let place = ObjectPlace(url) {
            self = .object(place)
        } else if let scheme = URLParts(url)?.scheme, Self.schemes.contains(where: { $0.isSame(as: scheme) }) {
            if let listen = option["listen"], !listen.isSame(as: "0") { return nil }
            self = .http(url)
        } else {
            return nil
        }
    }

    private static let schemes = ["http", "https"]

    /// Whether any output may be one, by what the operator allows.
    static func mayBe(_ policy: OutputPolicy) -> Bool {
        !policy.stores.isEmpty || policy.patterns.contains { pattern in UploadTarget(pattern, option: [:]) != nil }
    }

    /// What the muxer is told that it writes to.
    var muxerName: String {
        switch self {
        case .http(let url): url
        case .object(let place): place.muxerName
        }
    }
}
