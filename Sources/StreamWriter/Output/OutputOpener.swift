import Libav

/// Decides what a writer's muxer may open.
public protocol OutputOpener: Sendable {
    /// Asked before a file or URL is opened, on the thread that opens it.
    func permission(toOpen name: String) -> OutputPermission
}

public enum OutputPermission: Sendable, Equatable {
    /// By these of libav's protocols and no others; nil: by any.
    case granted(protocols: [String]?)
    /// With a sentence that says why.
    case refused(reason: String)

    var answer: OpenAnswer {
        switch self {
        case .granted(let protocols): .granted(protocols: protocols)
        case .refused(let reason): .refused(reason: reason)
        }
    }
}
