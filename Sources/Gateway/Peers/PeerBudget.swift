import Synchronization

/// What requests to other nodes may take together of this one: connections, and memory for responses.
package final class PeerBudget: Sendable {
    package static let maxRequests = 512
    package static let maxBytes = 64 << 20

    private struct State {
        var requests = 0
        var bytes = 0
    }

    private let maxRequests: Int
    private let maxBytes: Int
    private let state = Mutex(State())

    package init(maxRequests: Int = PeerBudget.maxRequests, maxBytes: Int = PeerBudget.maxBytes) {
        self.maxRequests = maxRequests
        self.maxBytes = maxBytes
    }

    /// nil: there are as many requests as there may be.
    package func share() -> Share? {
        let isAdmitted = state.withLock { state in
            if state.requests == maxRequests { return false }
            state.requests += 1
            return true
        }
        return isAdmitted ? Share(self) : nil
    }

    /// One request's, for as long as what it brought is in memory.
    package final class Share: Sendable {
        private let budget: PeerBudget
        private let bytes = Mutex(0)

        fileprivate init(_ budget: PeerBudget) { self.budget = budget }

        deinit {
            let held = bytes.withLock { $0 }
            budget.state.withLock { state in
                state.requests -= 1
                state.bytes -= held
            }
        }

        /// It holds so many bytes from here on. False: there is no room for more.
        package func grow(to count: Int) -> Bool {
            bytes.withLock { bytes in
                let isThereRoom = budget.state.withLock { state in
                    guard state.bytes + count - bytes <= budget.maxBytes else { return false }
                    state.bytes += count - bytes
                    return true
                }
                if isThereRoom { bytes = count }
                return isThereRoom
            }
        }
    }
}
