import CLinux
import Glibc

/// landlock_restrict_self(2) takes effect on the calling thread; this brings it to all of them, by a
/// signal whose handler makes the call.
enum EveryThread {
    private static let deadline = Duration.seconds(5)

    /// Restricts every thread of the process, the calling one last. When it throws some threads may be
    /// restricted and others not: the process must not go on with what it was to do.
    static func restrict(_ ruleset: consuming Descriptor) throws(SystemError) {
        if clinux_install_restriction_handler() < 0 { throw SystemError("handle the signal that confines a thread") }
        // Never freed when a thread is late: its handler may still come to read it.
        let order = UnsafeMutablePointer<clinux_restriction>.allocate(capacity: 1)
        order.initialize(to: clinux_restriction(ruleset: ruleset.number, done: 0, failure: 0))
        do throws(SystemError) {
            try restrictOthers(order)
        } catch {
            _ = ruleset.take()
            throw error
        }
        order.deallocate()
        try Landlock.restrictThread(ruleset)
    }

    /// A thread starts with the restrictions of the one that started it: once a look at all threads
    /// finds none that was not asked, none is left. A process that starts threads without pause never gets
    /// there in time. (A thread's number is not given again that soon.)
    private static func restrictOthers(_ order: UnsafeMutablePointer<clinux_restriction>) throws(SystemError) {
        let until = Deadline.after(deadline)
        var asked: Set<pid_t> = [clinux_thread()]
        while true {
            let unasked = try threads().subtracting(asked)
            if unasked.isEmpty { return }
            for thread in unasked { try restrict(thread, order, until) }
            asked.formUnion(unasked)
        }
    }

    private static func restrict(
        _ thread: pid_t, _ order: UnsafeMutablePointer<clinux_restriction>, _ until: Deadline
    ) throws(SystemError) {
        let before = clinux_load(&order.pointee.done)
        if clinux_ask_thread_to_restrict(thread, order) < 0 {
            if errno == ESRCH { return }
            throw SystemError("confine the thread \(thread)")
        }
        while clinux_load(&order.pointee.done) == before {
            if !isThere(thread) { return }
            if until.hasPassed { throw SystemError("confine the thread \(thread)", number: ETIMEDOUT) }
            SystemThread.sleep(.microseconds(20))
        }
        let failure = clinux_load(&order.pointee.failure)
        if failure != 0 { throw SystemError("confine the thread \(thread)", number: failure) }
    }

    private static func isThere(_ thread: pid_t) -> Bool { access("/proc/self/task/\(thread)", F_OK) == 0 }

    private static func threads() throws(SystemError) -> Set<pid_t> {
        let number = clinux_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if number < 0 { throw SystemError("list the process's threads") }
        return Set(try Directory(path: "/proc/self/task", owning: number).entries().compactMap { pid_t($0) })
    }
}
