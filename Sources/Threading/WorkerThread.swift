import Glibc

/// A thread that is waited for: its owner calls `join`, once.
public final class WorkerThread: Sendable {
    private let thread: pthread_t

    /// Runs `body` on a new thread.
    public init(
        name: String, stackBytes: Int = SystemThread.usualStackBytes, _ body: @escaping @Sendable () -> Void
    ) throws(SystemThread.Unavailable) {
        thread = try SystemThread.create(name: name, stackBytes: stackBytes, isJoinable: true, body)
    }

    /// Waits until `body` has returned.
    public func join() { pthread_join(thread, nil) }
}
