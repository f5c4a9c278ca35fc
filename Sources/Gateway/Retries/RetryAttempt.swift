import HTTPServer
import Synchronization
import SystemIO
import WriterModel

/// What is kept of an output on its way once more, and those who wait for what comes of it. Any thread.
final class RetryAttempt: Sendable {
    private struct State {
        var watch: EventLoop.Token?
        var outcome: Result<Void, Problem>?
        var wakes = WakeList()
    }

    let writer: WriterID
    let output: String
    let serial: UInt64
    /// The gateway's end; the process ends with it.
    let socket: MessageSocket
    private let state = Mutex(State())

    init(_ output: String, of writer: WriterID, serial: UInt64, _ socket: MessageSocket) {
        (self.output, self.writer, self.serial, self.socket) = (output, writer, serial, socket)
    }

    /// nil: it is under way.
    var outcome: Result<Void, Problem>? { state.withLock { $0.outcome } }

    func watch(on loop: EventLoop, _ receive: @escaping @Sendable () -> Void) throws(SystemError) {
        let token = try loop.watch(socket.descriptor, receive)
        state.withLock { $0.watch = token }
    }

    /// Calls `wake` when it is over, if it is already at once.
    func whenOver(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { $0.outcome == nil ? $0.wakes.add(wake) : nil }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.withLock { $0.wakes.remove(number) } }
    }

    /// Once; what comes later changes nothing.
    func end(_ outcome: Result<Void, Problem>, on loop: EventLoop) {
        let (token, wakes) = state.withLock { state in
            if state.outcome == nil { state.outcome = outcome }
            return (state.watch.take(), state.wakes.takeAll())
        }
        if let token { loop.unwatch(socket.descriptor, token) }
        socket.finishSending()
        for wake in wakes { wake() }
    }
}
