import HTTPServer
import Synchronization
import WriterModel

/// What other nodes have responded so far to one request that was sent to each.
final class PeerResponses: Sendable {
    typealias Response = (peer: PeerDirectory.Peer, outcome: PeerRequest.Outcome)

    private struct State {
        var pending: Int
        var responses: [Response] = []
        var requests: [PeerRequest] = []
        var wakes = WakeList()
    }

    private let state: Mutex<State>

    /// Waits for so many.
    init(of count: Int) { state = Mutex(State(pending: count)) }

    func note(_ request: PeerRequest) { state.withLock { $0.requests.append(request) } }

    func add(_ outcome: PeerRequest.Outcome, of peer: PeerDirectory.Peer) {
        let wakes = state.withLock { state in
            state.responses.append((peer, outcome))
            state.pending -= 1
            return state.pending == 0 ? state.wakes.takeAll() : []
        }
        for wake in wakes { wake() }
    }

    /// Those that have not responded are not waited for any more.
    func giveUp() {
        for request in state.withLock({ $0.pending == 0 ? [] : $0.requests }) { request.giveUp(.timeout) }
    }

    /// Calls `wake` once every node has responded, or failed to.
    func whenDone(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { state in state.pending == 0 ? nil : state.wakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.withLock { $0.wakes.remove(number) } }
    }

    /// What has come, which is let go of here.
    func take() -> [Response] {
        state.withLock { state in
            defer { (state.responses, state.requests) = ([], []) }
            return state.responses
        }
    }
}
