import Logging
import Synchronization
import WriterModel

/// Tells the log when a name of other nodes begins to have no address, and when that ends.
final class PeerLog: Sendable {
    private let log: Logger
    private let conditions = Mutex(PeerConditions())

    init(_ log: Logger) { self.log = log }

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
