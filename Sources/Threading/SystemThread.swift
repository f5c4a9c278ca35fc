import Glibc

/// POSIX threads.
public enum SystemThread {
    /// The system has no more threads, or no memory for another stack.
    public struct Unavailable: Error, Sendable, Equatable, CustomStringConvertible {
        /// The kernel's reason.
        public let number: Int32
        public var description: String { "start a thread: \(String(cString: strerror(number)))" }
    }

    public static let usualStackBytes = 1_024 * 1_024

    /// Runs `body` on a new thread that is not waited for. The kernel keeps 15 bytes of the name.
    public static func start(
        name: String, stackBytes: Int = usualStackBytes, _ body: @escaping @Sendable () -> Void
    ) throws(Unavailable) {
        _ = try create(name: name, stackBytes: stackBytes, isJoinable: false, body)
    }

    /// This thread does nothing for so long, or until a signal comes.
    public static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&time, nil)
    }

    static func create(
        name: String, stackBytes: Int, isJoinable: Bool, _ body: @escaping @Sendable () -> Void
    ) throws(Unavailable) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if !isJoinable { pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                _ = SystemThread.setName?(pthread_self(), start.name)
                start.body()
                return nil
            }, start.toOpaque())
        if failure != 0 {
            start.release()
            throw Unavailable(number: failure)
        }
        return thread
    }

    /// pthread_setname_np(3), which Swift's Glibc leaves out.
    private static let setName = dlsym(nil, "pthread_setname_np").map {
        unsafeBitCast($0, to: (@convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32).self)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
            self.body = body
        }
    }
}
