import Synchronization
import SystemIO

/// The memory that is held for clients while no thread works for them, within one bound. Beyond it something of
/// the client that holds most is given up, its oldest first. Clients without a token are sure of a quarter
/// of it and give way to the others beyond that, so that they can take nothing from those with one.
package final class HeldMemory: Sendable {
    /// For whom memory is held.
    package struct Holder: Hashable, Sendable {
        let key: Int
        let isIdentified: Bool

        /// By a token that was checked.
        package static func token(_ key: Int) -> Holder { Holder(key: key, isIdentified: true) }
        package static func address(_ key: Int) -> Holder { Holder(key: key, isIdentified: false) }
    }

    package struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Entry {
        let bytes: Int
        let holder: Holder
        let giveUp: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var byHolder: [Holder: Int] = [:]
        var unidentified = 0
        var total = 0
        var peak = 0
        var last: UInt64 = 0

        mutating func remove(_ number: UInt64) -> Entry? {
            guard let entry = entries.removeValue(forKey: number) else { return nil }
            count(-entry.bytes, for: entry.holder)
            return entry
        }

        mutating func count(_ bytes: Int, for holder: Holder) {
            total += bytes
            peak = max(peak, total)
            if !holder.isIdentified { unidentified += bytes }
            let held = byHolder[holder, default: 0] + bytes
            byHolder[holder] = held == 0 ? nil : held
        }
    }

    private let limit: Int
    private let state = Mutex(State())
    /// A peak from which the heap is worth a look.
    private static let largePeak = 16 << 20

    package init(limit: Int) { self.limit = limit }

    /// Counts `bytes` for `holder` until `release`, or until `giveUp` is called: once, from any thread, also
    /// before this call returns. nil for nothing.
    package func hold(_ bytes: Int, for holder: Holder, giveUp: @escaping @Sendable () -> Void) -> Ticket? {
        if bytes <= 0 { return nil }
        let (number, victims) = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(bytes: bytes, holder: holder, giveUp: giveUp)
            state.count(bytes, for: holder)
            return (state.last, state.total > limit ? takeExcess(from: &state) : [])
        }
        for victim in victims { victim.giveUp() }
        return Ticket(number: number)
    }

    package func release(_ ticket: Ticket?) {
        guard let ticket else { return }
        _ = state.withLock { $0.remove(ticket.number) }
    }

    /// Rather more than the excess, so that the next ones need no such search; of those clients only that have it.
    private func takeExcess(from state: inout State) -> [Entry] {
        let goal = limit - limit / 8
        let isOfUnidentified = yieldsUnidentified(state)
        var victims: [Entry] = []
        while state.total > (yieldsUnidentified(state) == isOfUnidentified ? goal : limit), let (holder, next) = largest(of: state) {
            let numbers = state.entries.filter { $0.value.holder == holder }.keys.sorted()
            for number in numbers where state.total > goal && state.byHolder[holder, default: 0] >= next {
                if let victim = state.remove(number) { victims.append(victim) }
            }
        }
        return victims
    }

    /// Whether those without a token give up something, and not those with one.
    private func yieldsUnidentified(_ state: State) -> Bool {
        state.unidentified > limit / 4 || state.unidentified == state.total
    }

    /// Who gives up first, and how much the one after it holds.
    private func largest(of state: State) -> (Holder, next: Int)? {
        let isIdentified = !yieldsUnidentified(state)
        let ranked = state.byHolder.filter { $0.key.isIdentified == isIdentified }.sorted { $0.value > $1.value }
        guard let first = ranked.first else { return nil }
        return (first.key, ranked.count > 1 ? ranked[1].value : 0)
    }

    /// Gives the system back what a peak has left in the heap, once most of it is held no more.
    func trimHeapAfterPeak() {
        let isOver = state.withLock { state in
            guard state.peak > Self.largePeak, state.total < state.peak / 2 else { return false }
            state.peak = state.total
            return true
        }
        if isOver { Heap.trim() }
    }

    package var total: Int { state.withLock { $0.total } }
}
