import Logging
import SystemIO
import WriterModel

/// Forks an encoder for each writer and tells how each ended. Single-threaded, so that a fork
/// of it is a sound process.
public struct ForkServer {
    private let gateway: MessageSocket
    private let clientPolicy: ClientPolicy
    private let log: Logger

    /// Owns `control`.
    public init(control: Int32, clientPolicy: ClientPolicy, log: Logger) {
        gateway = MessageSocket(owning: control)
        self.clientPolicy = clientPolicy
        self.log = log
    }

    /// Serves until the gateway closes its end. Encoders that run go on.
    public func run() -> Int32 {
        // The gateway decides when to end; a terminal's Ctrl-C reaches it alone.
        ChildProcess.leaveProcessGroup()
        Signal.ignore([Signal.interrupt, Signal.terminate, Signal.hangUp, Signal.brokenPipe])
        Signal.crashAtOnce()
        Sandbox.prepare()
        OptionPolicy.warmUp()
        do throws(SystemError) {
            let children = try SignalSource([Signal.childEnded])
            while true {
                try Readiness.await([gateway.descriptor, children.descriptor])
                reap(children)
                if !answerRequests(children) { return 0 }
            }
        } catch {
            log.error("the fork server can't go on", metadata: ["error": "\(error)"])
            return 1
        }
    }

    private func reap(_ children: SignalSource) {
        while children.next() != nil {}
        while let (process, status) = ChildProcess.reapAnyStatus() {
            _ = gateway.send(ForkMessage.ended(process: process, waitStatus: status).encoded)
        }
    }

    /// False once the gateway is gone.
    private func answerRequests(_ children: SignalSource) -> Bool {
        while true {
            switch gateway.receive(waiting: false) {
            case .nothing: return true
            case .ended: return false
            case .message(let bytes, let control):
                guard let control, case .fork(let writer)? = ForkMessage(bytes) else { continue }
                fork(writer, Descriptor(owning: control), children)
            }
        }
    }

    private func fork(_ writer: WriterID, _ control: consuming Descriptor, _ children: SignalSource) {
        do throws(SystemError) {
            let process = try ChildProcess.fork()
            if process == 0 {
                gateway.closeInChild()
                children.closeInChild()
                ChildProcess.unblockSignals()
                ChildProcess.setName("enc " + writer.text)
                ChildProcess.exit(EncoderProcess.run(control: control.take(), clientPolicy: clientPolicy, log: log))
            }
            _ = gateway.send(ForkMessage.forked(writer: writer, process: process).encoded)
        } catch {
            _ = gateway.send(ForkMessage.forkFailed(writer: writer, reason: error.description).encoded)
        }
    }
}
