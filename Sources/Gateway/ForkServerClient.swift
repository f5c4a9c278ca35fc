import Logging
import Synchronization
import SystemIO
import WriterModel

/// What gives writers their encoders.
package protocol EncoderSource: Sendable {
    var isRunning: Bool { get }
    /// Asks for an encoder that holds `control` as its control socket. False: none can be had at the moment.
    func fork(_ writer: WriterID, passing control: borrowing Descriptor) -> Bool
    func stop()
}

package enum ForkReport: Sendable {
    case forked(WriterID, process: Int32)
    case forkFailed(WriterID, reason: String)
    case ended(process: Int32, ProcessEnd)
}

/// Asks the fork server for encoders, hears how they ended, and starts another fork server
/// when one dies.
package final class ForkServerClient: EncoderSource {

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
    private let onReport: @Sendable (ForkReport) -> Void
    private let state = Mutex(State())

    /// The number of the fork server's socket in its own process.
    static let socketNumber: Int32 = 3

    package init(
        executable: String, arguments: [String], loop: EventLoop, log: Logger,
        onReport: @escaping @Sendable (ForkReport) -> Void
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

    package var isRunning: Bool { state.withLock { $0.socket != nil } }

    /// Asks for an encoder that holds `control` as its control socket. False: there is no
    /// fork server at the moment.
    package func fork(_ writer: WriterID, passing control: borrowing Descriptor) -> Bool {
        let socket = state.withLock { state in
            if state.socket != nil { state.awaited[writer] = .now }
            return state.socket
        }
        guard let socket else { return false }
        return socket.send(ForkMessage.fork(writer: writer).encoded, passing: control.number) == .sent
    }

    /// The fork server ends when its socket does; its encoders go on.
    package func stop() {
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
            case .message(let bytes, let descriptor):
                if let descriptor { _ = Descriptor(owning: descriptor) }
                if let message = ForkMessage(bytes) { report(message) }
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

    /// One day it may be killed: a child of the fork server, or of ours where that has died; or one that
    /// has ended already.
    private func mayBeEncoder(_ process: Int32) -> Bool {
        guard process > 1 else { return false }
        guard let parent = ChildProcess.parent(of: process) else { return true }
        return parent == ChildProcess.ownIdentifier || parent == state.withLock { $0.process }
    }

    private func report(_ message: ForkMessage) {
        switch message {
        case .forked(let writer, _), .forkFailed(let writer, _): state.withLock { $0.awaited[writer] = nil }
        case .ended, .fork: break
        }
        switch message {
        case .forked(let writer, let process):
            if mayBeEncoder(process) {
                onReport(.forked(writer, process: process))
            } else {
                log.error("the fork server names a process that is none of its own", metadata: ["pid": "\(process)"])
            }
        case .forkFailed(let writer, let reason): onReport(.forkFailed(writer, reason: reason))
        case .ended(let process, let status): onReport(.ended(process: process, ProcessEnd(waitStatus: status)))
        case .fork: break
        }
    }
}
