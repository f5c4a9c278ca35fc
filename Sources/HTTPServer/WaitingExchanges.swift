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
    /// When the server closes, it waits for its client only for so long as the configuration has it.
    var hasClosingPatience = true
    /// It is over, and ready, when the server closes.
    var endsWithServer = false
    /// Runs on a handler thread, where the exchange itself waits.
    var resume: @Sendable (Exchange, Wake) -> Void = { _, _ in }
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
        /// It ends early when the server closes: see `ExchangeWait`.
        let hasClosingPatience: Bool
        let endsWithServer: Bool
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

    /// `resume` is called once, from any thread, when `descriptor` is not watched any more. What is given back
    /// names the wait.
    @discardableResult
    func add(
        _ wait: ExchangeWait, on descriptor: Int32, for holder: HeldMemory.Holder,
        resume: @escaping @Sendable (Wake) -> Void
    ) -> UInt64 {
        let (interest, wake) = Self.watch(wait.event)
        let number = state.withLock { state in
            state.last += 1
            state.waiters[state.last] = Waiter(
                descriptor: descriptor, deadline: wait.deadline,
                hasClosingPatience: wake == .ready && wait.hasClosingPatience, endsWithServer: wait.endsWithServer,
                resume: resume)
            return state.last
        }
        // As long as it has no watch it stays.
        let held = memory.hold(wait.heldBytes, for: holder) { [self] in end(number, .timedOut) }
        state.withLock { $0.waiters[number]?.held = held }
        arm(number, on: descriptor, for: interest, wake)
        guard case .signal(let subscribe) = wait.event else { return number }
        let cancel = subscribe { [self] in end(number, .ready) }
        let isOver = state.withLock { state in
            state.waiters[number]?.cancel = cancel
            return state.waiters[number] == nil
        }
        if isOver { cancel() }
        return number
    }

    /// Ends a wait before its time, unless it is over already.
    func cancel(_ number: UInt64) { end(number, .timedOut) }

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

    /// Ends what has waited too long. With `patience`, which is the closing server's, also what waits longer than
    /// that for its client, and what ends with the server.
    func expire(patience: Duration? = nil) {
        let overdue = numbers { waiter in
            if waiter.deadline.hasPassed { return true }
            guard let patience, waiter.hasClosingPatience else { return false }
            return ContinuousClock.now - waiter.began > patience
        }
        for number in overdue { end(number, .timedOut) }
        if patience != nil { endThoseOfServer() }
    }

    /// The server closes.
    func endThoseOfServer() {
        for number in numbers(where: \.endsWithServer) { end(number, .ready) }
    }

    private func numbers(where isMeant: (Waiter) -> Bool) -> [UInt64] {
        state.withLock { state in state.waiters.filter { isMeant($0.value) }.map(\.key) }
    }

    /// For the metrics and tests.
    var count: Int { state.withLock { $0.waiters.count } }
}
