import HTTPServer
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
    private let patience: Duration
    private let state = Mutex(State())

    /// As many as an encoder queues.
    private static let maxWaiting = 1_024

    /// `patience`: how long the encoder may leave its socket full.
    init(_ socket: MessageSocket, patience: Duration) { (self.socket, self.patience) = (socket, patience) }

    /// Sends a copy of the connection, or leaves it to be sent. `.timedOut`: the encoder is behind, and
    /// the connection stays the caller's. `giveBack` gets those that were left here and could not be sent.
    func pass(_ parcel: Parcel, giveBack: (Parcel) -> Void) -> MessageSocket.Sent {
        if !state.withLock({ $0.hasSender }) {
            let sent = send(parcel, within: .zero)
            if sent == .sent { state.withLock { $0.isStuck = false } }
            if sent != .timedOut { return sent }
        }
        switch turn(parcel) {
        case .left: return .sent
        case .refused: return .timedOut
        case .send: break
        }
        let sent = send(parcel, within: patience)
        // That no message can hold one says nothing of the others.
        let unsent = sent == .sent || sent == .tooLong ? sendWaiting() : stop()
        for parcel in unsent { giveBack(parcel) }
        return sent
    }

    private func send(_ parcel: Parcel, within time: Duration) -> MessageSocket.Sent {
        let message = ControlMessage.connection(unread: parcel.unread, passes: parcel.passes, slot: UInt32(parcel.slot))
        return socket.send(message.encoded, passing: parcel.connection.descriptor, timeout: time)
    }

    private func turn(_ parcel: Parcel) -> Turn {
        state.withLock { state in
            if state.isStuck { return .refused }
            if !state.hasSender {
                state.hasSender = true
                return .send
            }
            if state.waiting.count >= Self.maxWaiting { return .refused }
            state.waiting.append(parcel)
            return .left
        }
    }

    /// Those that could not be sent.
    private func sendWaiting() -> [Parcel] {
        var unsent: [Parcel] = []
        while let parcel = next() {
            switch send(parcel, within: patience) {
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

/// A connection on its way to an encoder.
struct Parcel: Sendable {
    let connection: LentConnection
    let slot: Int
    let unread: [UInt8]
    let passes: UInt8
}
