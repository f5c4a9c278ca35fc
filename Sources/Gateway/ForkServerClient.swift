import Logging
import Synchronization
import SystemIO
import WriterModel

/// Asks the fork server for encoders, hears how they ended, and starts another fork server
/// when one dies.
final class ForkServerClient: Sendable {
    enum Report: Sendable {
        case forked(WriterID, process: Int32)
        case forkFailed(WriterID, reason: String)
        case ended(process: Int32, ProcessEnd)
    }

    private struct State {
        var socket: MessageSocket?
        var token: EventLoop.Token?
        var process: Int32?
        var isStopping = false
        /// Since when forks that were asked for are awaited.
        var awaited: [WriterID: ContinuousClock.Instant] = [:]
    }

    /// A fork takes milliseconds: a fork server that has not answered by then never will.
    private static let forkTimeout = Duration.seconds(5)

    private let executable: String
    private let arguments: [String]
    private let loop: EventLoop
    private let log: Logger
    private let onReport: @Sendable (Report) -> Void
    private let state = Mutex(State())

    /// The number of the fork server's socket in its own process.
    static let socketNumber: Int32 = 3

    init(
        executable: String, arguments: [String], loop: EventLoop, log: Logger,
        onReport: @escaping @Sendable (Report) -> Void
    ) throws(SystemError) {
        self.executable = executable
        self.arguments = arguments
        self.loop = loop
        self.log = log
        self.onReport = onReport
        try start()
        loop.everySecond { [self] in
            endIfStuck()
            restartIfNeeded()
        }
    }

    var isRunning: Bool { state.withLock { $0.socket != nil } }

    /// Asks for an encoder that holds `control` as its control socket. False: there is no
    /// fork server at the moment.
    func fork(_ writer: WriterID, passing control: borrowing Descriptor) -> Bool {
        let socket = state.withLock { state in
            if state.socket != nil { state.awaited[writer] = .now }
            return state.socket
        }
        guard let socket else { return false }
        return socket.send(ForkMessage.fork(writer: writer).encoded, passing: control.number) == .sent
    }

    /// The fork server ends when its socket does; its encoders go on.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            state.socket?.finishSending()
        }
    }

    private func start() throws(SystemError) {
        let (ours, theirs) = try DescriptorPair.messageSockets().split()
        let theirEnd = Descriptor(owning: theirs)
        let socket = MessageSocket(owning: ours)
        let process = try ChildProcess.spawn(
            executable, arguments: arguments, passing: theirEnd.number, as: Self.socketNumber)
        let token = try loop.watch(ours) { [self] in receive() }
        state.withLock { state in
            state.socket = socket
            state.token = token
            state.process = process
        }
        log.debug("the fork server runs", metadata: ["pid": "\(process)"])
    }

    /// One that is stopped, or hangs, would keep every new writer waiting for ever.
    private func endIfStuck() {
        let stuck = state.withLock { state -> Int32? in
            guard state.socket != nil, let oldest = state.awaited.values.min(),
                ContinuousClock.now - oldest > Self.forkTimeout
            else { return nil }
            state.awaited = [:]
            return state.process
        }
        guard let stuck else { return }
        log.error("the fork server does not answer; another one is started", metadata: ["pid": "\(stuck)"])
        Signal.send(Signal.kill, to: stuck)
    }

    private func restartIfNeeded() {
        let isNeeded = state.withLock { $0.socket == nil && !$0.isStopping }
        guard isNeeded else { return }
        do throws(SystemError) {
            try start()
        } catch {
            log.error("the fork server can't be started", metadata: ["error": "\(error)"])
        }
    }

    private func receive() {
        while let socket = state.withLock({ $0.socket }) {
            switch socket.receive(waiting: false) {
            case .nothing: return
            case .message(let bytes, _): if let message = ForkMessage(bytes) { report(message) }
            case .ended:
                let isStopping = state.withLock { state in
                    if let token = state.token { loop.unwatch(socket.descriptor, token) }
                    state.socket = nil
                    state.awaited = [:]
                    return state.isStopping
                }
                if !isStopping { log.error("the fork server ended; another one is started") }
                return
            }
        }
    }

    private func report(_ message: ForkMessage) {
        switch message {
        case .forked(let writer, _), .forkFailed(let writer, _): state.withLock { $0.awaited[writer] = nil }
        case .ended, .fork: break
        }
        switch message {
        case .forked(let writer, let process): onReport(.forked(writer, process: process))
        case .forkFailed(let writer, let reason): onReport(.forkFailed(writer, reason: reason))
        case .ended(let process, let status): onReport(.ended(process: process, ProcessEnd(waitStatus: status)))
        case .fork: break
        }
    }
}
