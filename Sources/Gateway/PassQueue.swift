import Synchronization
import SystemIO
import WriterModel

/// The way of connections to an encoder. When its socket is full, one thread stays and sends for all;
/// the others leave their connections here and go.
final class PassQueue: Sendable {
    private struct State {
        var waiting: [Parcel] = []
        var hasSender = false
        /// The encoder took nothing for as long as it is waited for, nor since.
        var isStuck = false
    }

    private enum Turn { case send, left, refused }

    private let socket: MessageSocket
    private let state = Mutex(State())

    /// How long an encoder may leave its socket full.
    private static let patience = Duration.seconds(2)
    /// As many as an encoder queues, but not all descriptors there are.
    private static let maxWaiting = min(1_024, ProcessLimits.descriptors / 16)

    init(_ socket: MessageSocket) { self.socket = socket }

    /// Sends a copy of the connection, or leaves it to be sent. `.timedOut`: the encoder is behind, and
    /// the connection stays the caller's. `giveBack` gets those that were left here in vain.
    func pass(
        _ descriptor: Int32, unread: [UInt8], passes: UInt8, giveBack: (consuming Descriptor, [UInt8], UInt8) -> Void
    ) -> MessageSocket.Sent {
        let message = ControlMessage.connection(unread: unread, passes: passes).encoded
        if !state.withLock({ $0.hasSender }) {
            let sent = socket.send(message, passing: descriptor, timeout: .zero)
            if sent == .sent { state.withLock { $0.isStuck = false } }
            if sent != .timedOut { return sent }
        }
        switch turn(descriptor, unread, passes) {
        case .left: return .sent
        case .refused: return .timedOut
        case .send: break
        }
        let sent = socket.send(message, passing: descriptor, timeout: Self.patience)
        // One that no message can hold is nobody else's matter.
        let unsent = sent == .sent || sent == .tooLong ? sendWaiting() : stop()
        for parcel in unsent {
            if let copy = Descriptor(duplicating: parcel.descriptor) { giveBack(copy, parcel.unread, parcel.passes) }
        }
        return sent
    }

    private func turn(_ descriptor: Int32, _ unread: [UInt8], _ passes: UInt8) -> Turn {
        state.withLock { state in
            if state.isStuck { return .refused }
            if !state.hasSender {
                state.hasSender = true
                return .send
            }
            guard state.waiting.count < Self.maxWaiting,
                let parcel = Parcel(duplicating: descriptor, unread, passes)
            else { return .refused }
            state.waiting.append(parcel)
            return .left
        }
    }

    /// Those that could not be sent.
    private func sendWaiting() -> [Parcel] {
        var unsent: [Parcel] = []
        while let parcel = next() {
            let message = ControlMessage.connection(unread: parcel.unread, passes: parcel.passes).encoded
            switch socket.send(message, passing: parcel.descriptor, timeout: Self.patience) {
            case .sent: continue
            case .tooLong: unsent.append(parcel)
            case .timedOut, .peerGone: return unsent + [parcel] + stop()
            }
        }
        return unsent
    }

    /// nil: there is none, and the next who finds the socket full is the sender.
    private func next() -> Parcel? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.hasSender = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    private func stop() -> [Parcel] {
        state.withLock { state in
            defer { state = State(isStuck: true) }
            return state.waiting
        }
    }
}

/// A connection that waits: a copy of its descriptor, closed with this.
private final class Parcel: Sendable {
    let descriptor: Int32
    let unread: [UInt8]
    let passes: UInt8

    init?(duplicating original: Int32, _ unread: [UInt8], _ passes: UInt8) {
        guard let copy = Descriptor(duplicating: original) else { return nil }
        descriptor = copy.take()
        self.unread = unread
        self.passes = passes
    }

    deinit { _ = Descriptor(owning: descriptor) }
}
