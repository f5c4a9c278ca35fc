import CLinux
import Glibc

/// State behind a lock that threads can wait on. The lock guards the state only: `body`
/// never does I/O.
public final class Monitor<State>: @unchecked Sendable {
    // Unchecked: `state` is touched only while `mutex` is held.
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes every waiter.
    public func change<R>(_ body: (inout State) -> R) -> R {
        withLock { state in
            let result = body(&state)
            pthread_cond_broadcast(condition)
            return result
        }
    }

    /// Changes the state and wakes one waiter.
    public func changeForOne<R>(_ body: (inout State) -> R) -> R {
        withLock { state in
            let result = body(&state)
            pthread_cond_signal(condition)
            return result
        }
    }

    /// Has one waiter look at the state again.
    public func wakeOne() { pthread_cond_signal(condition) }

    /// Waits until `attempt` gives a value; nil when the deadline passed first.
    public func wait<R>(until deadline: Deadline = .never, _ attempt: (inout State) -> R?) -> R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            // An access of its own each time: within a single one the compiler may look at the state once
            // and never again, for nobody else may change it meanwhile.
            if let result = attempt(&state) { return result }
            if deadline.hasPassed { return nil }
            var time = deadline.timeSpecification
            pthread_cond_timedwait(condition, mutex, &time)
        }
    }
}
