import Glibc

/// A lock with a condition to wait on. It guards state, never I/O or a call into libav. `Monitor` holds the
/// state as well; this is for state that lies elsewhere.
public final class ConditionLock: @unchecked Sendable {
    // Unchecked: this is the lock. Allocated, because neither may move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
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

    public func lock() { pthread_mutex_lock(mutex) }
    public func unlock() { pthread_mutex_unlock(mutex) }

    public func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Lets go of the lock until another thread wakes this one, or the deadline has passed, or for no reason:
    /// look at the state again. With the lock held.
    public func wait(until deadline: Deadline = .never) {
        if deadline == .never {
            pthread_cond_wait(condition, mutex)
        } else {
            var time = deadline.timeSpecification
            pthread_cond_timedwait(condition, mutex, &time)
        }
    }

    /// Wakes every thread that waits.
    public func wakeAll() { pthread_cond_broadcast(condition) }

    /// Wakes one thread that waits, if any does.
    public func wakeOne() { pthread_cond_signal(condition) }
}
