import Synchronization
import SystemIO

/// Which nodes have not responded in time of late: for a few seconds they are waited for less, so that each page of a
/// list does not take as long as the first.
package final class PeerPatience: Sendable {
    package static let memory = Duration.seconds(5)
    /// Of the whole wait.
    package static let shortPart = 0.1

    /// When the whole wait for an address was in vain.
    private let silent = Mutex([SocketAddress: ContinuousClock.Instant]())

    package init() {}

    package func isShort(for address: SocketAddress?, at now: ContinuousClock.Instant = .now) -> Bool {
        address.flatMap { address in silent.withLock { $0[address] } }.map { now - $0 < Self.memory } ?? false
    }

    /// A short wait that was in vain says nothing: the node may only be slow.
    package func note(isSilent: Bool, _ address: SocketAddress?, at now: ContinuousClock.Instant = .now) {
        guard let address else { return }
        silent.withLock { silent in
            if isSilent { silent = silent.filter { now - $0.value < Self.memory } }
            silent[address] = isSilent ? now : nil
        }
    }
}
