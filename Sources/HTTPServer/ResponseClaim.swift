import Synchronization
import SystemIO

/// The right to respond to a request: the first that asks has it. Usually the request's handler; another thread
/// where the handler does not come back. Until then `100 Continue` may be sent, and from then on never
/// (RFC 9110 §15.2: an interim response comes before the final one).
final class ResponseClaim: Sendable {
    private struct State {
        var isTaken = false
        /// Of a `100 Continue` for which there was no room: it goes before the response.
        var owed: [UInt8] = []
    }

    private static let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    private let state = Mutex(State())
    /// Told before the first byte of a response can be sent.
    private let loan: Loan?

    init(_ loan: Loan? = nil) { self.loan = loan }

    /// What must go before the response's own bytes, usually nothing; nil when another has taken it.
    func take() -> [UInt8]? {
        state.withLock { state in
            if state.isTaken { return nil }
            state.isTaken = true
            loan?.note(.answering)
            defer { state.owed = [] }
            return state.owed
        }
    }

    var isTaken: Bool { state.withLock { $0.isTaken } }

    /// It was taken for nothing: the request has no response yet.
    func giveBack() { state.withLock { $0.isTaken = false } }

    /// Tells the client to go on, unless a response has begun. Never waits: where there is no room, the
    /// client waits for its own time and goes on.
    func sendContinue(to descriptor: Int32) {
        // The lock orders the two writers of the socket; the call under it does not block.
        state.withLock { state in
            if state.isTaken { return }
            let progress = Self.interim.withUnsafeBytes { Socket.sendAvailable(descriptor, $0) }
            guard case .moved(let count) = progress, count > 0 else { return }
            state.owed = Array(Self.interim[count...])
        }
    }
}
