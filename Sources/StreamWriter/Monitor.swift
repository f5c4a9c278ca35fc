import Glibc

/// A lock with a condition. Guards state, never I/O or a libav call.
final class Monitor: @unchecked Sendable {
    // Unchecked: this is the lock. Allocated, because neither may move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }

    /// Lets go of the lock until some other thread signals. With the lock held.
    func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes everyone who waits, to look again. With the lock held.
    func signal() { pthread_cond_broadcast(condition) }

    func withLock<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        lock()
        defer { unlock() }
        return try body()
    }
}
