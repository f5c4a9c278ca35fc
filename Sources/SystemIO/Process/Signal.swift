import CLinux
import Glibc

/// Signals as readable events. Make it before any thread starts, so that every thread
/// inherits the blocked mask and the signals reach nothing else.
public final class SignalSource: Sendable {
    public let descriptor: Int32

    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = clinux_signalfd(signals, signals.count)
        if descriptor < 0 { throw SystemError("receive signals") }
    }

    deinit { close(descriptor) }

    /// In a fork that has no use for it: closes its copy.
    public func closeInChild() { close(descriptor) }

    /// The next signal that arrived; nil when none waits.
    public func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &information, size) == size ? Int32(information.ssi_signo) : nil
    }
}

public enum Signal {
    public static let interrupt = SIGINT
    public static let terminate = SIGTERM
    public static let childEnded = SIGCHLD
    public static let kill = SIGKILL

    public static func ignore(_ signals: [Int32]) {
        for number in signals { signal(number, SIG_IGN) }
    }

    /// They wait for a `SignalSource` of this process, which gets those that came before it was made.
    public static func block(_ signals: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        sigprocmask(SIG_BLOCK, &set, nil)
    }

    /// A crash ends the process at once, as the kernel has it: a handler that prints backtraces takes
    /// its time, runs another program, writes memory to the log, and lets a signal that was sent pass.
    public static func crashAtOnce() {
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT] { signal(number, SIG_DFL) }
    }

    /// False: there is no such process, or it is not this user's.
    @discardableResult
    public static func send(_ number: Int32, to process: Int32) -> Bool { CLinux.kill(process, number) == 0 }

    public static let hangUp = SIGHUP
    public static let userDefined1 = SIGUSR1
    public static let brokenPipe = SIGPIPE

    /// "SIGSEGV" for 11.
    public static func name(_ number: Int32) -> String {
        guard let abbreviation = clinux_signal_abbreviation(number) else { return "signal \(number)" }
        return "SIG" + String(cString: abbreviation)
    }
}
