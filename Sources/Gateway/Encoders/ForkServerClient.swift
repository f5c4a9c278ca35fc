import Logging
import Synchronization
import SystemIO
import WriterModel

/// What gives writers their encoders, and encoders their carriers.
package protocol EncoderSource: Sendable {
    var isRunning: Bool { get }
    /// Asks for a process that holds a copy of `control` as its control socket, in the turn of the client.
    /// When its turn comes and it is not wanted any more, none is forked. False: none can be had at the moment.
    func fork(
        _ subject: ForkSubject, passing control: borrowing Descriptor, for client: ForkClient,
        isWanted: @escaping @Sendable () -> Bool) -> Bool
    func stop()
}

package enum ForkReport: Sendable {
    case forked(ForkSubject, process: Int32)
    /// It is not forked, or nothing is known of it: the fork server has ended.
    case forkFailed(ForkSubject, reason: String)
    /// Nobody wanted it any more when its turn came: it is not forked.
    case unwanted(ForkSubject)
    case ended(process: Int32, ProcessEnd)
}

/// Asks the fork server for encoders and carriers, hears how they ended, and starts another fork server
/// when one dies.
package final class ForkServerClient: EncoderSource {

    private struct State {
        var socket: MessageSocket?
        var token: EventLoop.Token?
        var process: Int32?
        var isStopping = false
        var turns = ForkTurns<Request>()
        /// Those under way.
        var asked = Set<ForkSubject>()
        /// When the fork server last said something, or was first asked for something again.
        var lastHeard = ContinuousClock.now
        /// Since when there has been no fork server.
        var awaySince: ContinuousClock.Instant?

        /// It has been forked, or will not be.
        mutating func end(_ subject: ForkSubject) {
            turns.end()
            asked.remove(subject)
        }

        /// The fork server is gone; gives those that it was asked for and said nothing of.
        mutating func forgetServer() -> Set<ForkSubject> {
            socket = nil
            awaySince = awaySince ?? .now
            turns.endAll()
            defer { asked = [] }
            return asked
        }

        /// What is asked for waits for the next fork server, which there is in a second, or never.
        func takes(patience: Duration) -> Bool {
            socket != nil || !isStopping && awaySince.map { ContinuousClock.now - $0 < patience } ?? false
        }
    }

    private final class Request: Sendable {
        let subject: ForkSubject
        let control: Descriptor
        let isWanted: @Sendable () -> Bool

        init(_ subject: ForkSubject, _ control: consuming Descriptor, _ isWanted: @escaping @Sendable () -> Bool) {
            self.subject = subject
            self.control = control
            self.isWanted = isWanted
        }
    }

    /// A fork takes milliseconds: a fork server that has said nothing for so long, while some are under way,
    /// never will. What is asked for while there is none waits as long for the next one.
    private let timeout: Duration

    private static let mostUnwanted = 16

    private let executable: String
    private let arguments: [String]
    private let loop: EventLoop
    private let log: Logger
    private let onReport: @Sendable (ForkReport) -> Void
    private let state = Mutex(State())

    /// The number of the fork server's socket in its own process.
    static let socketNumber: Int32 = 3

    package init(
        executable: String, arguments: [String], loop: EventLoop, log: Logger, timeout: Duration = .seconds(5),
        onReport: @escaping @Sendable (ForkReport) -> Void
    ) throws(SystemError) {
        self.executable = executable
        self.arguments = arguments
        self.loop = loop
        self.log = log
        self.timeout = timeout
        self.onReport = onReport
        try start()
        loop.everySecond { [self] in
            endIfStuck()
            restartIfNeeded()
            giveUpWaiting()
        }
    }

    /// What makes the fork server of a configuration.
    static func source(
        _ configuration: GatewayConfiguration, _ loop: EventLoop, _ log: Logger
    ) -> (@escaping @Sendable (ForkReport) -> Void) throws(SystemError) -> any EncoderSource {
        { report throws(SystemError) in
            try ForkServerClient(
                executable: configuration.encoderExecutable, arguments: configuration.encoderArguments, loop: loop, log: log,
                onReport: report)
        }
    }

    package var isRunning: Bool { state.withLock { $0.socket != nil } }

    package func fork(
        _ subject: ForkSubject, passing control: borrowing Descriptor, for client: ForkClient,
        isWanted: @escaping @Sendable () -> Bool
    ) -> Bool {
        guard let copy = Descriptor(duplicating: control.number) else { return false }
        let request = Request(subject, copy, isWanted)
        let isTaken = state.withLock { state in
            guard state.takes(patience: timeout) else { return false }
            state.turns.add(request, for: client)
            return true
        }
        if isTaken { beginNext() }
        return isTaken
    }

    /// Asks for what may be under way now. Those under way always fit the fork server's socket.
    private func beginNext() {
        var unwanted = 0
        while let (socket, request) = next() {
            if request.isWanted() {
                let message = ForkMessage.fork(request.subject).encoded
                if socket.send(message, passing: request.control.number, timeout: .zero) == .sent { continue }
                // Its control socket ends with the request, which says it all.
                onReport(.forkFailed(request.subject, reason: "the fork server takes nothing"))
            } else {
                onReport(.unwanted(request.subject))
                unwanted += 1
            }
            state.withLock { $0.end(request.subject) }
            // The loop has other things to do than to clear up after one client.
            if unwanted == Self.mostUnwanted { return loop.post { [self] in beginNext() } }
        }
    }

    private func next() -> (MessageSocket, Request)? {
        state.withLock { state in
            guard let socket = state.socket else { return nil }
            let isFirst = state.turns.underWay == 0
            guard let request = state.turns.next() else { return nil }
            if isFirst { state.lastHeard = .now }
            state.asked.insert(request.subject)
            return (socket, request)
        }
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
            executable, arguments: arguments, passing: theirEnd.number, as: Self.socketNumber,
            // With keys in them, which carriers alone are told.
            withholding: ["PENSTOCK_STORE_"])
        let token = try loop.watch(ours) { [self] in receive() }
        state.withLock { state in
            state.socket = socket
            state.token = token
            state.process = process
            state.awaySince = nil
        }
        log.debug("the fork server runs", metadata: ["pid": "\(process)"])
        beginNext()
    }

    /// One that is stopped, or hangs, would keep every new writer waiting for ever.
    private func endIfStuck() {
        let stuck = state.withLock { state -> Int32? in
            guard state.socket != nil, state.turns.underWay > 0, ContinuousClock.now - state.lastHeard > timeout
            else { return nil }
            // Its end is heard once more, which takes a moment.
            state.lastHeard = .now
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

    /// What has waited for a fork server too long, or for one that is not to come, is not forked.
    private func giveUpWaiting() {
        let lost = state.withLock { $0.takes(patience: timeout) ? [] : $0.turns.takeAll() }
        for request in lost { onReport(.forkFailed(request.subject, reason: "there is no fork server")) }
    }

    private func receive() {
        while let socket = state.withLock({ $0.socket }) {
            switch socket.receive(waiting: false) {
            case .nothing: return
            case .message(let bytes, let descriptor):
                if let descriptor { _ = Descriptor(owning: descriptor) }
                state.withLock { $0.lastHeard = .now }
                if let message = ForkMessage(bytes) { report(message) }
            case .ended:
                let (isStopping, lost) = state.withLock { state in
                    if let token = state.token { loop.unwatch(socket.descriptor, token) }
                    return (state.isStopping, state.forgetServer())
                }
                if !isStopping { log.error("the fork server ended; another one is started") }
                for subject in lost { onReport(.forkFailed(subject, reason: "the fork server ended")) }
                return
            }
        }
    }

    /// One day it may be killed: a child of the fork server, or of ours where that has died; or one that
    /// has ended already.
    private func mayBeOurs(_ process: Int32) -> Bool {
        guard process > 1 else { return false }
        guard let parent = ChildProcess.parent(of: process) else { return true }
        return parent == ChildProcess.ownIdentifier || parent == state.withLock { $0.process }
    }

    private func report(_ message: ForkMessage) {
        switch message {
        case .forked(let subject, _), .forkFailed(let subject, _):
            state.withLock { $0.end(subject) }
            beginNext()
        case .ended, .fork: break
        }
        switch message {
        case .forked(let subject, let process):
            if mayBeOurs(process) {
                onReport(.forked(subject, process: process))
            } else {
                log.error("the fork server names a process that is none of its own", metadata: ["pid": "\(process)"])
            }
        case .forkFailed(let subject, let reason): onReport(.forkFailed(subject, reason: reason))
        case .ended(let process, let status): onReport(.ended(process: process, ProcessEnd(waitStatus: status)))
        case .fork: break
        }
    }
}
