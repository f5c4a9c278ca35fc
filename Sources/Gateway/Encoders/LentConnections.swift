import HTTPServer
import Synchronization
import SystemIO

/// The connections that one encoder serves. They stay open here, beside the encoder's copies, each with a
/// slot of the marks in which the encoder says how far it is: so they count for their clients' addresses,
/// they come back by their slots' numbers, and when the encoder dies its clients get an answer. Any thread.
final class LentConnections: Sendable {
    private struct Loan {
        let connection: LentConnection
        /// What was read of it before it was lent; nil where the kernel does not count that.
        let bytesReadBefore: Int64?
        /// Of whose shares it is; empty once it is ended here.
        var clients: [WorkerPool.ClientKey]
    }

    private struct State {
        var bySlot: [Int: Loan] = [:]
        var free: [Int] = []
        /// Slots from here on were never used.
        var next = 0

        mutating func takeSlot(of slots: Int) -> Int? {
            if let slot = free.popLast() { return slot }
            if next == slots { return nil }
            defer { next += 1 }
            return next
        }
    }

    enum Place: Equatable {
        case slot(Int)
        /// It has as many as there are slots.
        case full
        /// The client has its share of them, and is using it.
        case beyondShare(WorkerPool.ClientKey)
    }

    let marks: SharedMarks
    private let shares: LoanShares
    private let state = Mutex(State())

    /// A server that has no more connections than slots is never short of them.
    init(slots: Int, shares: LoanShares) throws(SystemError) {
        marks = try SharedMarks(slots: slots)
        self.shares = shares
    }

    /// Before the encoder is passed the connection, whose request has no answer yet. A client that has its
    /// share loses an idle connection for it. `always`: it gets a slot, whatever its client has.
    func add(
        _ connection: LentConnection, of clients: [WorkerPool.ClientKey] = [], isForHead: Bool, always: Bool = false
    ) -> Place {
        while let client = shares.take(clients, always: always) {
            if !endIdle(of: client) { return .beyondShare(client) }
        }
        let slot = state.withLock { state -> Int? in
            guard let slot = state.takeSlot(of: marks.slots) else { return nil }
            state.bySlot[slot] = Loan(connection: connection, bytesReadBefore: Socket.bytesRead(connection.descriptor), clients: clients)
            // Under the lock: what the slot's last connection left there is not this one's.
            marks[slot] = ServedMark(isForHead ? .askedForHead : .asked).number
            return slot
        }
        guard let slot else {
            shares.giveBack(clients)
            return .full
        }
        return .slot(slot)
    }

    /// Ends a connection of the client's on which nothing is asked, as any server may (RFC 9112 §9.5). The
    /// encoder sees its end and releases it.
    private func endIdle(of client: WorkerPool.ClientKey) -> Bool {
        let ended = state.withLock { state -> Loan? in
            let idle = state.bySlot.first { $1.clients.contains(client) && served($0, $1) == .idle }
            guard let (slot, loan) = idle else { return nil }
            state.bySlot[slot]?.clients = []
            // Under the lock, as from its removal on the connection may be another's.
            Socket.shutDown(loan.connection.descriptor)
            return loan
        }
        guard let ended else { return false }
        shares.giveBack(ended.clients)
        return true
    }

    /// How far the encoder is with it. What it wrote there may be anything.
    private func served(_ slot: Int, _ loan: Loan) -> ServedState {
        let mark = ServedMark(marks[slot])
        guard mark.state == .idle, let before = loan.bytesReadBefore, let now = Socket.bytesRead(loan.connection.descriptor)
        else { return mark.state }
        if mark.isUp(to: now - before) { return .idle }
        // The client's end counts, too.
        return mark.isUp(to: now - before - 1) && Socket.hasPeerEnded(loan.connection.descriptor) ? .idle : .asked
    }

    /// Whether every client of what the encoder was passed has left.
    var isDeserted: Bool {
        state.withLock { state in
            !state.bySlot.isEmpty && state.bySlot.values.allSatisfy { Socket.hasPeerEnded($0.connection.descriptor) }
        }
    }

    /// The encoder is done with it, or never got it; nil when it has no such.
    func remove(_ slot: Int) -> LentConnection? {
        let loan = state.withLock { state in
            let loan = state.bySlot.removeValue(forKey: slot)
            if loan != nil { state.free.append(slot) }
            return loan
        }
        guard let loan else { return nil }
        shares.giveBack(loan.clients)
        return loan.connection
    }

    /// Those that an encoder which is gone has left, and how far it was with each.
    func removeAll() -> [(connection: LentConnection, state: ServedState)] {
        let left = state.withLock { state in
            defer { state.bySlot = [:] }
            return state.bySlot
        }
        return left.map { slot, loan in
            shares.giveBack(loan.clients)
            return (loan.connection, served(slot, loan))
        }
    }
}
