import SystemIO
import WriterModel

/// Encoders that are forked before their writers come: a writer does not wait for its fork, which takes
/// longer than the rest of its making. Carriers are made of them, too. None has a client's byte, or a sandbox, before
/// it has a writer.
struct SpareEncoders: ~Copyable {
    /// How many wait, each with some 0.3 MB of its own.
    private static let most = 2

    private struct Spare {
        let process: Int32
        let socket: MessageSocket
    }

    private var waiting: [Spare] = []

    var areMissing: Bool { waiting.count < Self.most }

    /// The process that is the subject's from here on; nil when there is none to spare.
    mutating func take(_ subject: ForkSubject, _ control: borrowing Descriptor) -> Int32? {
        while !waiting.isEmpty {
            let spare = waiting.removeFirst()
            // One that has been killed takes nothing.
            let message = ForkMessage.fork(subject).encoded
            if spare.socket.send(message, passing: control.number, timeout: .zero) == .sent { return spare.process }
        }
        return nil
    }

    /// Forks what is missing. Each child prepares, waits, and serves whom it is given.
    mutating func refill(
        preparing prepare: () -> Void, _ serve: (ForkSubject, consuming Descriptor) -> Never
    ) throws(SystemError) {
        while areMissing {
            let (ours, theirs) = try DescriptorPair.messageSockets().split()
            let socket = MessageSocket(owning: ours)
            let itsEnd = Descriptor(owning: theirs)
            let process = try ChildProcess.fork()
            if process == 0 {
                ChildProcess.setName("spare encoder")
                // Held here as well, these would keep it and its siblings from seeing the fork server end.
                for spare in waiting { spare.socket.closeInChild() }
                socket.closeInChild()
                prepare()
                Self.await(MessageSocket(owning: itsEnd.take()), serve)
            }
            waiting.append(Spare(process: process, socket: socket))
        }
    }

    private static func await(_ socket: MessageSocket, _ serve: (ForkSubject, consuming Descriptor) -> Never) -> Never {
        guard case .message(let bytes, let control) = socket.receive(waiting: true), let control,
            case .fork(let subject)? = ForkMessage(bytes)
        else {
            // The fork server has ended.
            ChildProcess.exit(0)
        }
        serve(subject, Descriptor(owning: control))
    }
}
