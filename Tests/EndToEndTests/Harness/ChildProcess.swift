import Foundation

/// How a process ended: its exit code, or the signal.
enum ProcessEnd: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)
}

/// A program of this test run, reaped on a thread of its own.
///
/// Foundation's `Process` is not used: it sees a program end only when all its descendants have
/// closed an inherited descriptor, and a server's descendants are what these tests look at.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let end = Awaited<ProcessEnd>()

    /// Starts `executable` (an absolute path, or a name on PATH). The streams are descriptors of
    /// this process; they stay the caller's to close.
    init(
        _ executable: String, _ arguments: [String], environment extra: [String: String] = [:],
        input: Int32, output: Int32, error: Int32
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in [input, output, error].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        _ = Self.closeOthers?(&actions, 3)
        // Threads of this process may hold signals back; its children are to hear them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let environment = ProcessInfo.processInfo.environment.merging(extra) { $1 }
        var argv = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, executable, &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw HarnessError("starting \(executable): \(String(cString: strerror(failure)))") }
        self.pid = pid
        Thread.detachNewThread { [pid, end] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            end.set(status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signaled(status & 0x7f))
        }
    }

    /// glibc's posix_spawn_file_actions_addclosefrom_np, which its headers hide from Swift: tests that run beside
    /// this one have files open that programs would keep.
    private static let closeOthers = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafeBitCast($0, to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for the end; kills the process when it takes longer than `seconds`, and throws.
    @discardableResult
    func ended(within seconds: Double = 60) async throws -> ProcessEnd {
        if let end = await end.value(within: seconds) { return end }
        signal(SIGKILL)
        throw HarnessError("process \(pid) did not end within \(seconds) s")
    }
}

/// A value that another thread sets once, to wait for with a deadline.
final class Awaited<Value: Sendable>: @unchecked Sendable {  // `stored` is guarded by `condition`.
    private let condition = NSCondition()
    private var stored: Value?

    func set(_ value: Value) {
        condition.withLock {
            stored = stored ?? value
            condition.broadcast()
        }
    }

    func value(within seconds: Double) async -> Value? {
        await onThread {
            self.condition.withLock {
                let deadline = Date(timeIntervalSinceNow: seconds)
                while self.stored == nil, self.condition.wait(until: deadline) {}
                return self.stored
            }
        }
    }
}

/// Runs what blocks on a thread of its own, away from Swift's cooperative pool.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
