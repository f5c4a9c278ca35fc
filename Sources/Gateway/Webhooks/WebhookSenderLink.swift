import Logging
import Synchronization
import SystemIO
import WriterModel

/// The gateway's end of the process that sends webhooks: has it forked when something is to be sent, passes it requests,
/// and hears what came of them. Nothing that it says is believed beyond the numbers that it was given. Any thread.
final class WebhookSenderLink: Sendable {
    /// Has a process forked that gets the descriptor; false: none can be had at the moment.
    typealias Fork = @Sendable (ForkSubject, borrowing Descriptor) -> Bool

    enum Report: Sendable {
        case result(number: UInt64, WebhookResult)
        /// What it was given is not under way any more.
        case ended
    }

    private struct State {
        var socket: MessageSocket?
        var watch: EventLoop.Token?
        var serial: UInt64 = 0
        var process: Int32?
        /// In a row, without a result between them.
        var failures = 0
        var notBefore = ContinuousClock.now
        var isStopped = false
    }

    private let loop: EventLoop
    private let log: Logger
    private let fork: Fork
    private let onReport: @Sendable (Report) -> Void
    private let state = Mutex(State())

    init(loop: EventLoop, log: Logger, fork: @escaping Fork, onReport: @escaping @Sendable (Report) -> Void) {
        (self.loop, self.log, self.fork, self.onReport) = (loop, log, fork, onReport)
    }

    /// When a process may be asked for; nil: there is one.
    var nextStart: ContinuousClock.Instant? { state.withLock { $0.socket == nil ? $0.notBefore : nil } }

    /// False: there is none, or it is behind.
    func send(_ request: WebhookRequest) -> Bool {
        guard let socket = state.withLock({ $0.socket }) else { return false }
        return socket.send(WebhookMessage.send(request).encoded, timeout: .zero) == .sent
    }

    /// Has a process made unless there is one, or the last one ended too lately.
    func start(_ settings: WebhookSenderStart) {
        let isWanted = state.withLock { $0.socket == nil && !$0.isStopped && $0.notBefore <= .now }
        if !isWanted { return }
        do throws(SystemError) {
            let (ours, theirs) = try DescriptorPair.messageSockets().split()
            let socket = MessageSocket(owning: ours)
            let theirEnd = Descriptor(owning: theirs)
            guard socket.send(WebhookMessage.start(settings).encoded, timeout: .zero) == .sent else {
                throw SystemError("tell the process that sends webhooks its settings", number: SystemError.tryAgain)
            }
            let serial = state.withLock { state in
                state.serial += 1
                (state.socket, state.process) = (socket, nil)
                return state.serial
            }
            let token = try loop.watch(ours) { [self] in receive(socket) }
            state.withLock { if $0.socket === socket { $0.watch = token } }
            if !fork(.webhooks(serial: serial), theirEnd) { ended(socket) }
        } catch {
            log.error("the process that sends webhooks can't be started", metadata: ["error": "\(error)"])
            if let socket = state.withLock({ $0.socket }) { ended(socket) }
        }
    }

    private func receive(_ socket: MessageSocket) {
        while true {
            switch socket.receive(waiting: false) {
            case .nothing: return
            case .ended: return ended(socket)
            case .message(let bytes, let descriptor):
                if let descriptor { _ = Descriptor(owning: descriptor) }
                guard case .sent(let number, let result)? = WebhookMessage(bytes) else { continue }
                state.withLock { $0.failures = 0 }
                onReport(.result(number: number, result))
            }
        }
    }

    private func ended(_ socket: MessageSocket) {
        let (isKnown, token) = state.withLock { state -> (Bool, EventLoop.Token?) in
            guard state.socket === socket else { return (false, nil) }
            state.socket = nil
            state.failures += 1
            state.notBefore = .now + min(.seconds(30), .seconds(1) * (1 << min(state.failures - 1, 5)))
            return (true, state.watch.take())
        }
        guard isKnown else { return }
        if let token { loop.unwatch(socket.descriptor, token) }
        onReport(.ended)
    }

    // MARK: What the fork server says

    func forked(_ serial: UInt64, process: Int32) { state.withLock { if $0.serial == serial { $0.process = process } } }

    func notForked(_ serial: UInt64) {
        if let socket = state.withLock({ $0.serial == serial ? $0.socket : nil }) { ended(socket) }
    }

    /// False: it is another's.
    func processEnded(_ process: Int32, _ end: ProcessEnd) -> Bool {
        let (isOurs, isStopped) = state.withLock { state in
            guard state.process == process else { return (false, false) }
            state.process = nil
            return (true, state.isStopped)
        }
        if isOurs && !isStopped {
            log.error("the process that sends webhooks has ended; another one is started", metadata: ["pid": "\(process)", "detail": "it \(end)"])
        }
        return isOurs
    }

    /// It has not said what came of a request for too long.
    func kill() {
        let (process, socket) = state.withLock { ($0.process, $0.socket) }
        log.error("the process that sends webhooks does not answer and is killed", metadata: ["pid": "\(process ?? 0)"])
        if let process { Signal.send(Signal.kill, to: process) }
        if let socket { ended(socket) }
    }

    /// It ends, whatever it is at.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.socket?.finishSending()
        }
    }
}
