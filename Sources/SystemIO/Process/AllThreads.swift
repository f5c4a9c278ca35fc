import CLinux
import Glibc
import Threading

/// landlock_restrict_self(2) takes effect on the calling thread; this brings it to all of them, by a
/// signal whose handler makes the call.
enum AllThreads {
    private static let deadline = Duration.seconds(5)

    /// Looks once, for all forks, as `restrict` does.
    static func prepare() { _ = try? threads(besides: [clinux_thread()]) }

    /// Restricts every thread of the process, the calling one last. When it throws some threads may be
    /// restricted and others not: the process must not go on with what it was to do.
    static func restrict(_ ruleset: consuming Descriptor) throws(SystemError) {
        if clinux_install_restriction_handler() < 0 { throw SystemError("handle the signal that confines a thread") }
        do throws(SystemError) {
            try restrictOthers(ruleset.number)
        } catch {
            // A thread that is late may still come to use it.
            _ = ruleset.take()
            throw error
        }
        try Landlock.restrictThread(ruleset)
    }

    /// A thread starts with the restrictions of the one that started it: once a look at all threads
    /// finds none that was not asked, none is left. A process that starts threads without pause never gets
    /// there in time. (A thread's number is not given again that soon.)
    private static func restrictOthers(_ ruleset: Int32) throws(SystemError) {
        let until = Deadline.after(deadline)
        var asked: Set<pid_t> = [clinux_thread()]
        while true {
            let unasked = try threads(besides: asked)
            if unasked.isEmpty { return }
            // All are asked before the first is waited for: busy threads take their turns side by side.
            var orders: [Order] = []
            for thread in unasked {
                if let order = try Order(asking: thread, ruleset) { orders.append(order) }
            }
            for order in orders { try order.await(until) }
            asked.formUnion(unasked)
        }
    }

    /// What one thread was asked to do.
    private struct Order {
        let thread: pid_t
        private let order: UnsafeMutablePointer<clinux_restriction>

        /// nil: there is no such thread any more.
        init?(asking thread: pid_t, _ ruleset: Int32) throws(SystemError) {
            self.thread = thread
            order = .allocate(capacity: 1)
            order.initialize(to: clinux_restriction(ruleset: ruleset, done: 0, failure: 0))
            if clinux_ask_thread_to_restrict(thread, order) == 0 { return }
            let error = SystemError("confine the thread \(thread)")
            order.deallocate()
            if error.number != ESRCH { throw error }
            return nil
        }

        /// Frees the order, except of a thread that is late: its handler may still come to read it.
        func await(_ until: Deadline) throws(SystemError) {
            while clinux_load(&order.pointee.done) == 0 && isThere(thread) {
                if until.hasPassed { throw SystemError("confine the thread \(thread)", number: ETIMEDOUT) }
                clinux_await_change(&order.pointee.done, 0)
            }
            let failure = order.pointee.failure
            order.deallocate()
            if failure != 0 { throw SystemError("confine the thread \(thread)", number: failure) }
        }
    }

    private static func isThere(_ thread: pid_t) -> Bool { access("/proc/self/task/\(thread)", F_OK) == 0 }

    private static func threads(besides asked: Set<pid_t>) throws(SystemError) -> Set<pid_t> {
        let number = clinux_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if number < 0 { throw SystemError("list the process's threads") }
        let all = Set(try Directory(path: "/proc/self/task", owning: number).entries().compactMap { pid_t($0) })
        return all.subtracting(asked)
    }
}
