import Logging
import Synchronization
import SystemIO
import Threading

/// What an exchange waits for without a thread.
struct ExchangeWait: Sendable {
    enum Event: Sendable {
        /// The client sends.
        case bytes
        /// The client takes.
        case room
        /// Something here: `subscribe` gets what tells of it, which may be called from any thread.
        case signal(subscribe: @Sendable (_ wake: @escaping WakeList.Wake) -> CancelWake)
    }

    let event: Event
    let deadline: Deadline
    /// Memory that is held for the client meanwhile.
    var heldBytes = 0
    /// Runs on a handler thread.
    let resume: @Sendable (Exchange, Wake) -> Void
}

/// Why a wait is over.
public enum Wake: Sendable {
    case ready
    case clientGone
    case timedOut
}

/// The requests in the middle of their exchange that no thread has. Each wait ends once: by its event, by
/// its deadline, when its client leaves, or when the memory that is held for it is needed.
final class WaitingExchanges: Sendable {
    private struct Waiter {
        let descriptor: Int32
        let deadline: Deadline
        let began = ContinuousClock.now
        let isForClient: Bool
        var held: HeldMemory.Ticket?
        var token: EventLoop.Token?
        /// Until its watch is known it can't be ended: the watch would outlive it on a descriptor that
        /// serves on.
        var isArmed = false
        var early: Wake?
        var cancel: CancelWake?
        let resume: @Sendable (Wake) -> Void
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var last: UInt64 = 0
    }

    private let loop: EventLoop
    private let log: Logger
    private let memory: HeldMemory
    private let state = Mutex(State())

    init(loop: EventLoop, memory: HeldMemory, log: Logger) {
        self.loop = loop
        self.memory = memory
        self.log = log
    }

    /// `resume` is called once, from any thread.
    func add(_ wait: ExchangeWait, on connection: Connection, resume: @escaping @Sendable (Wake) -> Void) {
        let (interest, wake) = Self.watch(wait.event)
        let number = state.withLock { state in
            state.last += 1
            state.waiters[state.last] = Waiter(
                descriptor: connection.descriptor, deadline: wait.deadline, isForClient: wake == .ready, resume: resume)
            return state.last
        }
        // As long as it has no watch it stays.
        connection.inbound.compact()
        let held = memory.hold(wait.heldBytes + connection.inbound.count, for: connection.holder) { [self] in
            end(number, .timedOut)
        }
        state.withLock { $0.waiters[number]?.held = held }
        arm(number, on: connection.descriptor, for: interest, wake)
        guard case .signal(let subscribe) = wait.event else { return }
        let cancel = subscribe { [self] in end(number, .ready) }
        let isOver = state.withLock { state in
            state.waiters[number]?.cancel = cancel
            return state.waiters[number] == nil
        }
        if isOver { cancel() }
    }

    private func arm(_ number: UInt64, on descriptor: Int32, for interest: EventLoop.Interest, _ wake: Wake) {
        var early: Wake?
        do throws(SystemError) {
            let token = try loop.watch(descriptor, for: interest) { [self] in end(number, wake) }
            early = state.withLock { state in
                state.waiters[number]?.token = token
                state.waiters[number]?.isArmed = true
                return state.waiters[number]?.early
            }
        } catch {
            log.error("a connection can't be watched", metadata: ["error": "\(error)"])
            state.withLock { $0.waiters[number]?.isArmed = true }
            early = .clientGone
        }
        if let early { end(number, early) }
    }

    private static func watch(_ event: ExchangeWait.Event) -> (EventLoop.Interest, Wake) {
        switch event {
        case .bytes: (.readable, .ready)
        case .room: (.writable, .ready)
        case .signal: (.hangUp, .clientGone)
        }
    }

    private func end(_ number: UInt64, _ wake: Wake) {
        let waiter = state.withLock { state -> Waiter? in
            guard let waiter = state.waiters[number] else { return nil }
            guard waiter.isArmed else {
                state.waiters[number]?.early = waiter.early ?? wake
                return nil
            }
            state.waiters[number] = nil
            return waiter
        }
        guard let waiter else { return }
        memory.release(waiter.held)
        if let token = waiter.token { loop.unwatch(waiter.descriptor, token) }
        waiter.cancel?()
        waiter.resume(wake)
    }

    /// Ends what has waited too long. With `patience`, also what waits longer than that for its client.
    func expire(patience: Duration? = nil) {
        let overdue = state.withLock { state in
            state.waiters.filter { _, waiter in
                if waiter.deadline.hasPassed { return true }
                guard let patience, waiter.isForClient else { return false }
                return ContinuousClock.now - waiter.began > patience
            }.map(\.key)
        }
        for number in overdue { end(number, .timedOut) }
    }

    /// For the metrics and tests.
    var count: Int { state.withLock { $0.waiters.count } }
}
