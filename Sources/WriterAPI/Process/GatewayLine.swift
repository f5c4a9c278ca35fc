import APICore
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// This process's end of its control socket: what it tells the gateway, and connections on their way back.
/// Any thread.
package final class GatewayLine: Sendable {
    private let socket: MessageSocket
    private let writer: WriterID
    private let log: Logger
    /// What must arrive and found no room yet, in order.
    private let untold = Mutex<[ControlMessage]>([])

    private enum ClaimState {
        case isAwaited
        case received(ClaimReceipt)
        case gatewayIsGone
    }

    private let claim = Monitor(ClaimState.isAwaited)
    /// As long as a gateway that is busy, or its disk, may take.
    private static let claimPatience = Duration.seconds(10)

    package init(_ socket: MessageSocket, of writer: WriterID, log: Logger) {
        self.socket = socket
        self.writer = writer
        self.log = log
    }

    /// A snapshot that finds no room is made good by the next; what is said once is said again until there is.
    func tell(_ message: ControlMessage) {
        if case .claim = message { awaitReceipt() }
        let isBehind = untold.withLock { untold in
            if untold.isEmpty { return false }
            if message.isSaidOnce { untold.append(message) }
            return true
        }
        if isBehind { return }
        if !isTold(message, within: .seconds(5)) && message.isSaidOnce { untold.withLock { $0.append(message) } }
    }

    /// An answer that is of use only now.
    func tellAtOnce(_ message: ControlMessage) { _ = isTold(message, within: .zero) }

    /// Tells what there was no room for. Not at the same time twice.
    func tellUntold() {
        while let next = untold.withLock({ $0.first }), isTold(next, within: .zero) {
            untold.withLock { _ = $0.removeFirst() }
        }
    }

    /// What must arrive, from a thread that must not wait.
    func tellSoon(_ message: ControlMessage) {
        let isBehind = untold.withLock { untold in
            if untold.isEmpty { return false }
            untold.append(message)
            return true
        }
        if !isBehind && !isTold(message, within: .zero) { untold.withLock { $0.append(message) } }
    }

    /// Of the claim that is told next.
    private func awaitReceipt() {
        claim.change { state in
            if case .received = state { state = .isAwaited }
        }
    }

    /// The gateway has kept the writer's claim, or could not.
    func take(_ receipt: ClaimReceipt) { claim.change { $0 = .received(receipt) } }

    /// Nothing more comes of the gateway.
    func noteEnd() {
        claim.change { state in
            if case .isAwaited = state { state = .gatewayIsGone }
        }
    }

    /// Waits until the gateway has kept the writer's claim, and throws where it has not: the files of a writer without
    /// one would be no writer's after the next start.
    func requireKeptClaim() throws(Problem) {
        let known = claim.wait(until: .after(Self.claimPatience)) { state -> ClaimState? in
            if case .isAwaited = state { nil } else { state }
        }
        switch known ?? .isAwaited {
        case .received(.kept): return
        case .received(.noSpace): throw Problem(.noSpace, "The writer's claim to its output can't be kept: No space left on device.")
        case .received(.notKept): throw Problem(.internalError, "The writer's claim to its output can't be kept; the server's log says why.")
        case .gatewayIsGone: throw Problem(.serverStopped, "The server ended before the writer was made: there is none. Send the request again.")
        case .isAwaited: throw Problem(.overloaded, "The server did not keep the writer's claim to its output in time: there is no writer. Try again.")
        }
    }

    /// Gives a connection back. False: it stays here.
    func giveBack(_ loan: Loan, unread: [UInt8], passes: UInt8) -> Bool {
        let message = ControlMessage.returned(unread: unread, passes: passes, slot: UInt32(loan.slot))
        switch socket.send(message.encoded) {
        case .sent: return true
        case .timedOut, .peerGone: return false
        case .tooLong:
            noteTooLong(message, unread.count)
            return false
        }
    }

    /// Asks for a carrier that gets a copy of `packets`, this process's end of whose pair is the caller's. False: the
    /// gateway is gone, or takes nothing. True is no promise: where there is to be none, or its process can't be had, the
    /// copy is closed, and the pair's other end sees that once the caller has closed `packets`, too.
    package func requestCarrier(_ number: UInt32, to store: String? = nil, passing packets: borrowing Descriptor) -> Bool {
        socket.send(ControlMessage.carrier(number: number, store: store).encoded, passing: packets.number) == .sent
    }

    /// False: it is to be told later. Once the gateway has gone nothing is to be told.
    private func isTold(_ message: ControlMessage, within time: Duration) -> Bool {
        let bytes = message.encoded
        switch socket.send(bytes, timeout: time) {
        case .sent: return true
        case .peerGone:
            // The gateway would have logged it.
            if case .end(let end) = message { EndLog.write(end, of: writer, to: log) }
            return true
        case .timedOut: return false
        case .tooLong:
            noteTooLong(message, bytes.count)
            // That it ended must be known, whatever can't be told of it.
            if case .unkeptRecord(let record) = message { return isTold(.concluded(record.state), within: time) }
            return true
        }
    }

    private func noteTooLong(_ message: ControlMessage, _ count: Int) {
        log.critical(
            "a message to the gateway is longer than one may be",
            metadata: ["kind": "\(message.name)", "bytes": "\(count)", "limit": "\(MessageSocket.maxMessageBytes)"])
    }
}

extension ControlMessage {
    /// Nothing that comes later says the same.
    fileprivate var isSaidOnce: Bool {
        switch self {
        case .callback, .claim, .end, .concluded, .unkeptRecord, .discarded: true
        default: false
        }
    }

    fileprivate var name: String {
        switch self {
        case .returned, .released: "connection"
        case .snapshot: "snapshot"
        case .unkeptRecord: "record"
        case .metrics: "metrics"
        default: "other"
        }
    }
}
