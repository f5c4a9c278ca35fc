import Synchronization
import SystemIO
import WriterModel

/// What requests to other nodes may take together of this one: connections, and memory for responses. No peer and no
/// client may hold more than it leaves free: one that is slow, or asks for much, leaves as much to the others.
package final class PeerBudget: Sendable {
    package static let maxRequests = 512
    /// 64 pages that are as long as a page may be.
    package static let maxBytes = 80 << 20

    /// The client that a request to a peer is made for.
    package enum Client: Hashable, Sendable {
        case name(String)
        case token(TokenHash)
        /// Of one without a token.
        case address(String)

        package init(_ caller: Principal, at address: String) {
            self = caller.name.map { .name($0) } ?? caller.token.map { .token($0) } ?? .address(address)
        }
    }

    fileprivate enum Holder: Hashable {
        case peer(PeerDirectory.Peer.Key)
        case client(Client)
    }

    private struct Held {
        var requests = 0
        var bytes = 0
    }

    private struct State {
        var all = Held()
        /// Of those that hold something.
        var byHolder: [Holder: Held] = [:]

        /// False: there is no room for it.
        mutating func add(_ more: Held, for holders: [Holder], most: Held) -> Bool {
            let free = Held(requests: most.requests - all.requests - more.requests, bytes: most.bytes - all.bytes - more.bytes)
            let mayHold = holders.allSatisfy { holder in
                let held = byHolder[holder] ?? Held()
                // What it holds already stays its own, though others have come since.
                return (more.requests == 0 || held.requests + more.requests <= free.requests)
                    && (more.bytes == 0 || held.bytes + more.bytes <= free.bytes)
            }
            if !mayHold { return false }
            all.requests += more.requests
            all.bytes += more.bytes
            for holder in holders {
                byHolder[holder, default: Held()].requests += more.requests
                byHolder[holder, default: Held()].bytes += more.bytes
            }
            return true
        }

        mutating func remove(_ held: Held, of holders: [Holder]) {
            all.requests -= held.requests
            all.bytes -= held.bytes
            for holder in holders {
                guard var left = byHolder.removeValue(forKey: holder) else { continue }
                left.requests -= held.requests
                left.bytes -= held.bytes
                if left.requests > 0 { byHolder[holder] = left }
            }
        }
    }

    private let most: Held
    private let state = Mutex(State())

    package init(maxRequests: Int = PeerBudget.maxRequests, maxBytes: Int = PeerBudget.maxBytes) {
        most = Held(requests: maxRequests, bytes: maxBytes)
    }

    /// nil: as many requests are under way as may be, together or of this peer or client. `client`: nil where the node
    /// asks for itself.
    package func share(of peer: PeerDirectory.Peer.Key, for client: Client?) -> Share? {
        let holders = [Holder.peer(peer)] + (client.map { [.client($0)] } ?? [])
        return state.withLock { $0.add(Held(requests: 1), for: holders, most: most) } ? Share(self, holders) : nil
    }

    /// One request's, for as long as what it brought is in memory.
    package final class Share: Sendable {
        private let budget: PeerBudget
        private let holders: [Holder]
        private let bytes = Mutex(0)

        fileprivate init(_ budget: PeerBudget, _ holders: [Holder]) {
            self.budget = budget
            self.holders = holders
        }

        deinit {
            let held = Held(requests: 1, bytes: bytes.withLock { $0 })
            budget.state.withLock { $0.remove(held, of: holders) }
        }

        /// It holds so many bytes from here on. False: there is no room for more.
        package func grow(to count: Int) -> Bool {
            bytes.withLock { bytes in
                if count <= bytes { return true }
                let isThereRoom = budget.state.withLock { state in
                    state.add(Held(bytes: count - bytes), for: holders, most: budget.most)
                }
                if isThereRoom { bytes = count }
                return isThereRoom
            }
        }
    }
}
