import Bytewise
import Logging
import StreamWriter
import SystemIO
import Threading
import WriterModel

/// Gives each writer an encoder, and its encoder carriers, forked from this process, and tells how each ended. Single-threaded from
/// the first fork on, so that a fork of it is a sound process.
public struct ForkServer {
    private let gateway: MessageSocket
    private let clientPolicy: ClientPolicy
    private let rehearsalFolder: String?
    private let log: Logger

    /// A spare is forked when no writer has come for so long: the last one should have the processors.
    private static let restBeforeRefill = Duration.milliseconds(3)
    private static let restAfterFailure = Duration.seconds(1)

    private static let folderArgument = "--rehearsal-folder="

    /// Owns `control`. `arguments`: the process's.
    public init(control: Int32, clientPolicy: ClientPolicy, arguments: [String], log: Logger) {
        gateway = MessageSocket(owning: control)
        rehearsalFolder = arguments.lazy.compactMap { $0.without(prefix: Self.folderArgument) }.first
        self.clientPolicy = clientPolicy
        self.log = log
    }

    /// Serves until the gateway closes its end. Encoders that run go on.
    public func run() -> Int32 {
        // The gateway decides when to end; a terminal's Ctrl-C reaches it alone.
        ChildProcess.leaveProcessGroup()
        Signal.ignore([Signal.interrupt, Signal.terminate, Signal.hangUp, Signal.brokenPipe])
        Signal.crashAtOnce()
        warmUp()
        Sandbox.prepare()
        // Otherwise each fork would sort by itself, page by page, what is free here.
        Heap.trim()
        do throws(SystemError) {
            let children = try SignalSource([Signal.childEnded])
            var spares = SpareEncoders()
            var rest = Self.restBeforeRefill
            while true {
                let deadline = spares.areMissing ? Deadline.after(rest) : .never
                guard try Readiness.await([gateway.descriptor, children.descriptor], until: deadline) else {
                    rest = refill(&spares, children) ? Self.restBeforeRefill : Self.restAfterFailure
                    continue
                }
                reap(children)
                if !serveRequests(&spares, children) { return 0 }
            }
        } catch {
            log.error("the fork server can't go on", metadata: ["error": "\(error)"])
            return 1
        }
    }

    /// On a thread that has gone before the first fork, so that what libraries keep for a thread they keep for none that a
    /// fork goes on with. (Swift's Mutex keeps its id, which `ChildProcess.fork` has it forget as well.)
    private func warmUp() {
        let work: @Sendable () -> Void = { [clientPolicy, rehearsalFolder, log] in
            StreamWriter.silenceLibraries()
            ForkWarmUp.run(clientPolicy, in: rehearsalFolder, log: log)
            Sandbox.find(SystemPlaces.read)
        }
        do throws(SystemThread.Unavailable) {
            try WorkerThread(name: "warm-up", work).join()
        } catch {
            // Better than not at all.
            work()
        }
    }

    private func reap(_ children: SignalSource) {
        while children.next() != nil {}
        while let (process, status) = ChildProcess.reapAnyStatus() {
            tell(.ended(process: process, waitStatus: status))
        }
    }

    /// False once the gateway is gone.
    private func serveRequests(_ spares: inout SpareEncoders, _ children: SignalSource) -> Bool {
        while true {
            switch gateway.receive(waiting: false) {
            case .nothing: return true
            case .ended: return false
            case .message(let bytes, let control):
                guard let control, case .fork(let subject)? = ForkMessage(bytes) else { continue }
                start(subject, Descriptor(owning: control), &spares, children)
            }
        }
    }

    private func start(
        _ subject: ForkSubject, _ control: consuming Descriptor, _ spares: inout SpareEncoders, _ children: SignalSource
    ) {
        do throws(SystemError) {
            let process = if let spare = spares.take(subject, control) { spare } else { try fork(subject, control, children) }
            tell(.forked(subject, process: process))
        } catch {
            tell(.forkFailed(subject, reason: error.description))
        }
    }

    /// A gateway that takes nothing for so long does without: it sees by an encoder's socket that it ended.
    private func tell(_ message: ForkMessage) {
        switch gateway.send(message.encoded) {
        case .sent, .peerGone: break
        case .timedOut, .tooLong: log.error("the gateway does not take what is to be said", metadata: ["kind": "\(message)"])
        }
    }

    private func fork(
        _ subject: ForkSubject, _ control: borrowing Descriptor, _ children: SignalSource
    ) throws(SystemError) -> Int32 {
        let process = try ChildProcess.fork()
        if process == 0 {
            leaveServer(children)
            serve(subject, control.number)
        }
        return process
    }

    /// False: no more processes can be had. If that stays so, the next writer's own fork says it.
    private func refill(_ spares: inout SpareEncoders, _ children: SignalSource) -> Bool {
        let refilled: Void? = try? spares.refill(preparing: { leaveServer(children) }) { subject, control in
            serve(subject, control.take())
        }
        return refilled != nil
    }

    /// In a child.
    private func leaveServer(_ children: SignalSource) {
        gateway.closeInChild()
        children.closeInChild()
        ChildProcess.unblockSignals()
    }

    private func serve(_ subject: ForkSubject, _ control: Int32) -> Never {
        ChildProcess.setName(subject.processName)
        if case .webhooks = subject { ChildProcess.exit(WebhookProcess.run(control: control, log: log)) }
        ChildProcess.exit(EncoderProcess.run(control: control, clientPolicy: clientPolicy, log: log))
    }
}
