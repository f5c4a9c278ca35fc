import Logging
import Synchronization
import WriterModel

/// Tells the log when another node begins to be missing in lists, or a name to have no address, and when that ends.
final class PeerLog: Sendable {
    private let log: Logger
    private let conditions = Mutex(PeerConditions())

    init(_ log: Logger) { self.log = log }

    /// How a node's part of a list went; `name`: what it is called, if that is known by now.
    func note(_ answer: CollectedList.Answer, named name: NodeName?) {
        let address = answer.peer.addresses.first.map { "\($0)" } ?? "\(answer.peer.place)"
        let subject = name?.text ?? address
        var metadata: Logger.Metadata = ["node": "\(subject)", "place": "\(answer.peer.place)"]
        switch answer.result {
        case .busy, .unresolved: return  // This node's own; that of a name (below).
        case .ok:
            // What is known of the address alone ends with its name.
            let wasMissing = change(nil, of: subject) != nil
            if wasMissing || answer.peer.name == nil && change(nil, of: address) != nil {
                log.info("another node is in lists again", metadata: metadata)
            }
        case .timeout, .unreachable, .refused, .unusable:
            metadata["reason"] = "\(answer.result.rawValue)"
            metadata["status"] = answer.status.map { "\($0)" }
            if change("\(answer.result.rawValue) \(answer.status ?? 0)", of: subject) != nil {
                log.warning("another node is missing in lists", metadata: metadata)
            }
        }
    }

    /// Whether a name of `--peers` has addresses now.
    func note(_ place: PeerPlace.HostPort, isResolved: Bool) {
        switch change(isResolved ? nil : PeerResult.unresolved.rawValue, of: "name \(place)") {
        case .began: log.warning("a name of other nodes has no address", metadata: ["place": "\(place)"])
        case .ended: log.info("a name of other nodes has an address again", metadata: ["place": "\(place)"])
        case nil: break
        }
    }

    private func change(_ flaw: String?, of subject: String) -> PeerConditions.Change? {
        conditions.withLock { $0.note(flaw, of: subject, at: .now) }
    }
}
