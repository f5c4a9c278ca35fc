import SystemIO
import WriterModel

/// Whether an encoder answers: pings, and what came back.
final class EncoderPulse: Sendable {
    private struct State {
        var answers = 0
        /// Since when the oldest ping without an answer is out.
        var unansweredSince: ContinuousClock.Instant?
    }

    private let socket: MessageSocket
    private let state = Monitor(State())

    init(_ socket: MessageSocket) { self.socket = socket }

    /// Never waits: what there is no room for is not answered either.
    func ping() {
        state.withLock { $0.unansweredSince = $0.unansweredSince ?? .now }
        _ = socket.send(ControlMessage.ping.encoded, timeout: .zero)
    }

    func heardAnswer() {
        state.change { state in
            state.answers += 1
            state.unansweredSince = nil
        }
    }

    /// How long an answer has been owed.
    var silence: Duration {
        state.withLock { state in state.unansweredSince.map { ContinuousClock.now - $0 } ?? .zero }
    }

    /// Asks, and waits for an answer: to this or to a ping before.
    func answers(within time: Duration) -> Bool {
        let before = state.withLock { $0.answers }
        ping()
        return state.wait(until: .after(time)) { $0.answers > before ? true : nil } ?? false
    }
}
