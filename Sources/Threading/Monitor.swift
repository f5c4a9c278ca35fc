/// State behind a lock that threads can wait on. The lock guards the state only: `body`
/// never does I/O.
public final class Monitor<State>: @unchecked Sendable {
    // Unchecked: `state` is touched only while `condition` is locked.
    private var state: State
    private let condition = ConditionLock()

    public init(_ state: sending State) { self.state = state }

    public func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        condition.lock()
        defer { condition.unlock() }
        return try body(&state)
    }

    /// Changes the state and wakes every waiter.
    public func change<R>(_ body: (inout State) -> R) -> R {
        withLock { state in
            let result = body(&state)
            condition.wakeAll()
            return result
        }
    }

    /// Changes the state and wakes one waiter.
    public func changeForOne<R>(_ body: (inout State) -> R) -> R {
        withLock { state in
            let result = body(&state)
            condition.wakeOne()
            return result
        }
    }

    /// Has one waiter look at the state again.
    public func wakeOne() { condition.wakeOne() }

    /// Waits until `attempt` gives a value; nil when the deadline passed first.
    public func wait<R>(until deadline: Deadline = .never, _ attempt: (inout State) -> R?) -> R? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            // An access of its own each time: within a single one the compiler may look at the state once
            // and never again, for no other code may change it meanwhile.
            if let result = attempt(&state) { return result }
            if deadline.hasPassed { return nil }
            condition.wait(until: deadline)
        }
    }
}
