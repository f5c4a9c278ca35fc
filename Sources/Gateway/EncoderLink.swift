import Synchronization
import SystemIO
import WriterModel

/// The gateway's end of one encoder's control socket, and what the encoder said of its
/// writer.
final class EncoderLink: Sendable {
    let writer: WriterID
    private let socket: MessageSocket

    private struct State {
        var snapshot: WriterRecord?
        var outcome: Outcome?
        var process: Int32?
        var end: ProcessEnd?
        var token: EventLoop.Token?
    }

    /// How the writer ended, by its encoder's own word.
    enum Outcome: Sendable {
        case record(WriterRecord)
        case discarded
    }

    private let state = Mutex(State())

    init(writer: WriterID, socket: MessageSocket) {
        self.writer = writer
        self.socket = socket
    }

    /// The last state the encoder told of; nil while the writer is being created.
    var snapshot: WriterRecord? { state.withLock { $0.snapshot } }
    var outcome: Outcome? { state.withLock { $0.outcome } }
    var process: Int32? { state.withLock { $0.process } }
    var end: ProcessEnd? { state.withLock { $0.end } }

    func setProcess(_ process: Int32) { state.withLock { $0.process = process } }
    func setEnd(_ end: ProcessEnd) { state.withLock { $0.end = end } }

    func tell(_ message: ControlMessage) { _ = socket.send(message.encoded) }

    /// Nothing more comes from the gateway.
    func finish() { socket.finishSending() }

    /// Passes a copy of a connection to the encoder. False: it takes nothing any more.
    func pass(_ descriptor: Int32, unread: [UInt8]) -> MessageSocket.Sent {
        socket.send(ControlMessage.connection(unread: unread).encoded, passing: descriptor)
    }

    enum Event: ~Copyable {
        case returned(Descriptor, unread: [UInt8])
        case changed
        /// No more will come: the encoder has closed its end.
        case ended
    }

    func watch(on loop: EventLoop, _ onReadable: @escaping @Sendable () -> Void) throws(SystemError) {
        let token = try loop.watch(socket.descriptor, onReadable)
        state.withLock { $0.token = token }
    }

    func unwatch(on loop: EventLoop) {
        if let token = state.withLock({ $0.token }) { loop.unwatch(socket.descriptor, token) }
    }

    /// The next thing the encoder said; nil when nothing waits.
    func nextEvent() -> Event? {
        switch socket.receive(waiting: false) {
        case .nothing: return nil
        case .ended: return .ended
        case .message(let bytes, let descriptor):
            let message = ControlMessage(bytes)
            if let descriptor {
                let owned = Descriptor(owning: descriptor)
                guard case .connection(let unread) = message else { return .changed }
                return .returned(owned, unread: unread)
            }
            take(message)
            return .changed
        }
    }

    private func take(_ message: ControlMessage?) {
        switch message {
        case .snapshot(let record): state.withLock { $0.snapshot = record }
        case .record(let record): conclude(.record(record))
        case .discarded: conclude(.discarded)
        default: break
        }
    }

    /// From here on the gateway answers for the writer: the encoder reads what was passed to
    /// it before, sees the end, hands everything back and goes.
    private func conclude(_ outcome: Outcome) {
        state.withLock { $0.outcome = outcome }
        socket.finishSending()
    }
}
