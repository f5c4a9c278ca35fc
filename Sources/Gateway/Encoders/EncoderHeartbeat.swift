import HTTPServer
import Synchronization
import SystemIO
import WriterModel

/// Whether an encoder answers: pings, and what came back.
final class EncoderHeartbeat: Sendable {
    private struct State {
        /// Of those who wait for an answer.
        var wakes = WakeList()
        /// Since when the oldest ping without an answer is out.
        var unansweredSince: ContinuousClock.Instant?
    }

    private let socket: MessageSocket
    private let state = Mutex(State())

    init(_ socket: MessageSocket) { self.socket = socket }

    /// Never waits. An answer is owed whether or not the ping found room: an encoder that takes nothing
    /// from its socket does not answer.
    func ping() {
        state.withLock { $0.unansweredSince = $0.unansweredSince ?? .now }
        switch socket.send(ControlMessage.ping.encoded, timeout: .zero) {
        case .sent, .timedOut, .peerGone, .tooLong: break
        }
    }

    func heardAnswer() {
        let wakes = state.withLock { state in
            state.unansweredSince = nil
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    /// How long an answer has been owed.
    var silence: Duration {
        state.withLock { state in state.unansweredSince.map { ContinuousClock.now - $0 } ?? .zero }
    }

    /// Asks, and calls `wake` at an answer: to this or to a ping before.
    func askForAnswer(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { $0.wakes.add(wake) }
        ping()
        return { [self] in state.withLock { $0.wakes.remove(number) } }
    }
}
