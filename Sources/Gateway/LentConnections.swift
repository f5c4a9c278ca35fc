import HTTPServer
import Synchronization
import SystemIO

/// The connections that one encoder serves. They stay open here, beside the encoder's copies, each with a
/// slot of the marks in which the encoder says how far it is: so they count for their clients' addresses,
/// they come back by their slots' numbers, and when the encoder dies its clients get an answer. Any thread.
final class LentConnections: Sendable {
    private struct State {
        var bySlot: [Int: LentConnection] = [:]
        var free: [Int] = []
        /// Slots from here on were never used.
        var next = 0
    }

    let marks: SharedMarks
    private let state = Mutex(State())

    init() throws(SystemError) { marks = try SharedMarks() }

    /// Before the encoder is passed the connection, whose request has no answer yet; nil when it has as many as
    /// there are slots.
    func add(_ connection: LentConnection, isForHead: Bool) -> Int? {
        let slot: Int? = state.withLock { state in
            let slot: Int
            if let freed = state.free.popLast() {
                slot = freed
            } else if state.next < SharedMarks.slots {
                slot = state.next
                state.next += 1
            } else {
                return nil
            }
            state.bySlot[slot] = connection
            return slot
        }
        if let slot { marks[slot] = UInt32((isForHead ? ServedState.askedForHead : .asked).rawValue) }
        return slot
    }

    /// The encoder is done with it, or never got it; nil when it has no such.
    func remove(_ slot: Int) -> LentConnection? {
        state.withLock { state in
            guard let connection = state.bySlot.removeValue(forKey: slot) else { return nil }
            state.free.append(slot)
            return connection
        }
    }

    /// Those that an encoder which is gone has left, and how far it was with each.
    func removeAll() -> [(connection: LentConnection, state: ServedState)] {
        let left = state.withLock { state in
            defer { state.bySlot = [:] }
            return state.bySlot
        }
        return left.map { slot, connection in
            // What it wrote there may be anything.
            (connection, UInt8(exactly: marks[slot]).flatMap(ServedState.init(rawValue:)) ?? .answering)
        }
    }
}
