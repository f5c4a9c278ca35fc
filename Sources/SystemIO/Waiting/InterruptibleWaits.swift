import CLinux
import Glibc
import Synchronization
import Threading

/// Threads that wait, each in one system call, until something comes or all are called back. Each of them has
/// called `admitThread` before.
public final class InterruptibleWaits: Sendable {
    private struct State {
        var threads: [pthread_t] = []
        var isInterrupted = false
    }

    private let state = Mutex(State())
    private static let canInterrupt = clinux_install_interruption() == 0
    private static let tries = 20
    private static let shortPause = Duration.microseconds(500)
    private static let longestPause = Duration.milliseconds(250)

    public init() {}

    /// Lets this thread be called back, whatever it has inherited: the thread that started it may block all
    /// signals, as Dispatch's do.
    public static func admitThread() { clinux_unblock_interruption() }

    /// Runs `body`, which is to return nil when a signal ended its system call. nil also, and without running
    /// it, from `interrupt` on.
    public func wait<R>(_ body: () -> R?) -> R? {
        let thread = pthread_self()
        let mayWait = state.withLock { state in
            if !state.isInterrupted { state.threads.append(thread) }
            return !state.isInterrupted
        }
        guard mayWait else { return nil }
        defer {
            state.withLock { state in
                if let place = state.threads.firstIndex(of: thread) { state.threads.remove(at: place) }
            }
        }
        return body()
    }

    /// Ends all waits, now and from here on; has them ended in the background where some last. One that the kernel does not
    /// let be interrupted lasts as long as its system call.
    public func interrupt() {
        // A signal that comes just before its thread begins to wait is lost: the next one is not.
        for _ in 0..<Self.tries {
            if !interruptOnce() { return }
            SystemThread.sleep(Self.shortPause)
        }
        // A thread may have had no turn between its look and its system call, for as long as the system is busy.
        try? SystemThread.start(name: "interruption") { [self] in
            var pause = Self.shortPause
            while interruptOnce() {
                SystemThread.sleep(pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Whether a thread was still waiting.
    private func interruptOnce() -> Bool {
        state.withLock { state in
            state.isInterrupted = true
            guard Self.canInterrupt else { return false }
            // Under the lock no thread leaves, so that none is signalled that is gone.
            for thread in state.threads { pthread_kill(thread, clinux_interrupting_signal()) }
            return !state.threads.isEmpty
        }
    }
}
