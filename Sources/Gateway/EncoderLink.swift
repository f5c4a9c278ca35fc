import HTTPServer
import Synchronization
import SystemIO
import WriterModel

/// The gateway's end of one encoder's control socket, and what the encoder said of its
/// writer.
package final class EncoderLink: Sendable {
    package let writer: WriterID
    private let socket: MessageSocket

    private struct State {
        var snapshot: WriterRecord?
        var outcome: Outcome?
        var process: Int32?
        var end: ProcessEnd?
        var token: EventLoop.Token?
        /// What there was no room for yet; of tokens only the last matter.
        var untoldTokens: ControlMessage?
        var untoldEnd: ControlMessage?
        var isToldToEnd = false
        /// It was killed because it did not answer.
        var isCondemned = false
    }

    /// EMSGSIZE.
    static let tooLong: Int32 = 90

    /// How the writer ended, by its encoder's own word.
    package enum Outcome: Sendable {
        case record(WriterRecord)
        /// The record is not on disk.
        case unkeptRecord(WriterRecord)
        case discarded
    }

    private let state = Mutex(State())
    private let queue: PassQueue
    let pulse: EncoderPulse
    private let settling = Mutex(Settling())

    private struct Settling {
        var isSettled = false
        var wakes = WakeList()
    }

    package init(writer: WriterID, socket: MessageSocket) {
        self.writer = writer
        self.socket = socket
        queue = PassQueue(socket)
        pulse = EncoderPulse(socket)
    }

    /// The last state the encoder told of; nil while the writer is being created.
    package var snapshot: WriterRecord? { state.withLock { $0.snapshot } }
    var outcome: Outcome? { state.withLock { $0.outcome } }
    var process: Int32? { state.withLock { $0.process } }
    var end: ProcessEnd? { state.withLock { $0.end } }

    /// Since it was asked for.
    let began = ContinuousClock.now

    var isCondemned: Bool { state.withLock { $0.isCondemned } }

    /// Ends a process that does not answer. False: there is none to end.
    func condemn() -> Bool {
        let process = state.withLock { state -> Int32? in
            guard state.end == nil, let process = state.process else { return nil }
            state.isCondemned = true
            return process
        }
        if let process { Signal.send(Signal.kill, to: process) }
        return process != nil
    }

    /// How the writer ended is known, and the gateway answers for it.
    func noteSettled() {
        let wakes = settling.withLock { settling in
            settling.isSettled = true
            return settling.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    /// Calls `wake` once that is so.
    func whenSettled(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = settling.withLock { settling in settling.isSettled ? nil : settling.wakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in settling.withLock { $0.wakes.remove(number) } }
    }

    func setProcess(_ process: Int32) { state.withLock { $0.process = process } }
    func setEnd(_ end: ProcessEnd) { state.withLock { $0.end = end } }

    /// Nothing more comes from the gateway.
    func finish() { socket.finishSending() }

    /// The first message, while the socket is empty. False: it can't be sent.
    func start(_ settings: EncoderSettings) -> Bool {
        socket.send(ControlMessage.start(settings).encoded, timeout: .zero) == .sent
    }

    /// Never waits: what an encoder that is behind has no room for is told again later.
    package func tell(tokens: [String]) {
        state.withLock { $0.untoldTokens = .tokens(tokens) }
        tellUntold()
    }

    /// Once, however often it is called.
    package func tellToEnd() {
        state.withLock { state in
            if state.isToldToEnd { return }
            state.isToldToEnd = true
            state.untoldEnd = .shutDown
        }
        tellUntold()
    }

    /// Once more: uploads under way are not waited for.
    package func tellToEndNow() {
        state.withLock { $0.untoldEnd = .shutDown }
        tellUntold()
    }

    /// Tells what there was no room for. On the loop's thread.
    package func tellUntold() {
        let (tokens, end) = state.withLock { state in
            defer { (state.untoldTokens, state.untoldEnd) = (nil, nil) }
            return (state.untoldTokens, state.untoldEnd)
        }
        if let tokens, !isTold(tokens) { state.withLock { $0.untoldTokens = $0.untoldTokens ?? tokens } }
        if let end, !isTold(end) { state.withLock { $0.untoldEnd = end } }
    }

    private func isTold(_ message: ControlMessage) -> Bool {
        socket.send(message.encoded, timeout: .zero) != .timedOut
    }

    /// Passes a copy of a connection to the encoder. `.timedOut`: it is behind, and stays so. `giveBack`
    /// gets other connections, which waited for it in vain.
    package func pass(
        _ descriptor: Int32, unread: [UInt8], giveBack: (consuming Descriptor, [UInt8]) -> Void = { _, _ in }
    ) -> MessageSocket.Sent {
        queue.pass(descriptor, unread: unread, giveBack: giveBack)
    }

    package enum Event: ~Copyable {
        case returned(Descriptor, unread: [UInt8])
        /// A snapshot, or nothing that matters.
        case changed
        /// Once: how the writer ended, by the encoder's own word.
        case concluded(Outcome)
        /// What its encoder has counted.
        case counted(MetricCounts)
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
    package func nextEvent() -> Event? {
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
            return take(message)
        }
    }

    private func take(_ message: ControlMessage?) -> Event {
        switch message {
        case .snapshot(let record): state.withLock { $0.snapshot = record }
        case .record(let record): return conclude(.record(record))
        case .unkeptRecord(let record): return conclude(.unkeptRecord(record))
        case .discarded: return conclude(.discarded)
        case .metrics(let counts): return .counted(counts)
        case .ping: pulse.heardAnswer()
        default: break
        }
        return .changed
    }

    /// From here on the gateway answers for the writer: the encoder reads what was passed to
    /// it before, sees the end, hands everything back and goes.
    private func conclude(_ outcome: Outcome) -> Event {
        let isFirst = state.withLock { state in
            defer { state.outcome = state.outcome ?? outcome }
            return state.outcome == nil
        }
        guard isFirst else { return .changed }
        socket.finishSending()
        return .concluded(outcome)
    }
}
