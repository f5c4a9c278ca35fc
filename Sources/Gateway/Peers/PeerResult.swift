/// How a request to another node went. The names are labels of a metric, and reasons in a list's `partial`.
package enum PeerResult: String, Sendable, CaseIterable {
    case ok
    case timeout
    case unreachable
    /// Its name has no address.
    case unresolved
    /// Its response was no list: 401, 422, 503.
    case refused
    /// Its response makes no sense here.
    case unusable
    /// This node is asking for too much at once.
    case busy

    /// For clients; nil for what went well.
    func detail(_ status: Int?) -> String? {
        switch self {
        case .ok: nil
        case .timeout: "The node did not respond in time (--peer-timeout)."
        case .unreachable: "The node can't be reached."
        case .unresolved: "The node's name has no address."
        case .refused: "The node's response was \(status ?? 0). All nodes need the same tokens and the same Penstock."
        case .unusable: "The node's response is no list of its writers."
        case .busy: "This node is collecting too many lists at once. Try again."
        }
    }
}
