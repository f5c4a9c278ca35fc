import CLinux
import Glibc

/// A detached POSIX thread.
public enum SystemThread {
    /// Runs `body` on a new thread with a 1 MiB stack. Throws when the system has no more.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1_024 * 1_024)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let answer = pthread_create(
            &thread, &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                clinux_set_process_name(start.name)
                // Who starts it may block all signals, as Dispatch's threads do.
                clinux_unblock_interruption()
                start.body()
                // Another thread may get the same stack.
                clinux_wipe_stack()
                return nil
            }, start.toOpaque())
        if answer != 0 {
            start.release()
            throw SystemError("start a thread", number: answer)
        }
    }

    /// Overwrites what calls that have returned left on this thread's stack (tokens, parts of a head):
    /// what is called next may read its own variables before it has written them.
    public static func wipeStack() { clinux_wipe_stack() }

    /// How many may run at once.
    public static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    public static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&time, nil)
    }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
