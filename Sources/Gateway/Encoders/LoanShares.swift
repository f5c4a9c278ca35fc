import HTTPServer
import Synchronization

/// How many of the server's connections each client has at encoders. No credential and no address gets all
/// of them: the rest is for the others.
package final class LoanShares: Sendable {
    private let connections: Int
    private let counts = Mutex<[WorkerPool.ClientKey: Int]>([:])

    /// Of so many connections that the server may have.
    package init(of connections: Int) { self.connections = connections }

    /// An address may be that of a proxy, with many clients behind it: it gets more than a credential.
    package func share(of client: WorkerPool.ClientKey) -> Int {
        switch client {
        case .address: connections - connections / 8
        case .credential: connections - connections / 4
        }
    }

    /// Counts one more for a client with these names; gives the one that has its share already, if one has,
    /// and counts nothing then. `always`: whatever it has.
    package func take(_ clients: [WorkerPool.ClientKey], always: Bool = false) -> WorkerPool.ClientKey? {
        counts.withLock { counts in
            if !always, let full = clients.first(where: { counts[$0, default: 0] >= share(of: $0) }) { return full }
            for client in clients { counts[client, default: 0] += 1 }
            return nil
        }
    }

    package func giveBack(_ clients: [WorkerPool.ClientKey]) {
        counts.withLock { counts in
            for client in clients { counts.decrement(client) }
        }
    }
}
