import CLinux
import Glibc

/// How a process ended.
public enum ProcessEnd: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int32)
    case signaled(number: Int32)

    public init(waitStatus: Int32) {
        self =
            clinux_wait_signaled(waitStatus) != 0
            ? .signaled(number: clinux_wait_signal(waitStatus))
            : .exited(code: clinux_wait_exit_code(waitStatus))
    }

    /// In few characters: "exit_0", "SIGKILL".
    public var label: String {
        switch self {
        case .exited(let code): "exit_\(code)"
        case .signaled(let number): Signal.name(number)
        }
    }

    public var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .signaled(let number): "was ended by \(Signal.name(number))"
        }
    }
}

public enum ChildProcess {
    public static var ownIdentifier: Int32 { getpid() }

    /// nil when there is no such process.
    public static func parent(of process: Int32) -> Int32? {
        guard let bytes = try? File.read("/proc/\(process)/stat") else { return nil }
        // The name, in parentheses, may hold anything: "123 (a) b) S 77 …".
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
    }

    /// fork(2). Only from a process with one thread; 0 in the child, in which Swift's locks work as in any process.
    public static func fork() throws(SystemError) -> Int32 {
        let identifier = clinux_fork()
        if identifier < 0 { throw SystemError("fork") }
        return identifier
    }

    /// A child that has ended, of any; nil when none has.
    public static func reapAny() -> (identifier: Int32, end: ProcessEnd)? {
        reapAnyStatus().map { ($0.identifier, ProcessEnd(waitStatus: $0.waitStatus)) }
    }

    /// The same, with the status as waitpid(2) gives it.
    public static func reapAnyStatus() -> (identifier: Int32, waitStatus: Int32)? {
        var status: Int32 = 0
        let identifier = waitpid(-1, &status, WNOHANG)
        return identifier > 0 ? (identifier, status) : nil
    }

    /// Orphans of our children become our own children, so that their end can be reaped.
    public static func becomeSubreaper() { _ = clinux_become_subreaper() }

    public static func setName(_ name: String) { clinux_set_process_name(name) }

    public static func unblockSignals() { clinux_unblock_all_signals() }

    /// Leaves the terminal's process group: its Ctrl-C is the parent's matter.
    public static func leaveProcessGroup() { setpgid(0, 0) }

    public static func exit(_ code: Int32) -> Never { _exit(code) }

    /// Starts `executable` with `descriptor` as its descriptor `number`. Standard streams are inherited, and the environment
    /// but for the variables that begin with one of `withheld`; nothing else is.
    public static func spawn(
        _ executable: String, arguments: [String], passing descriptor: Int32, as number: Int32, withholding withheld: [String] = []
    ) throws(SystemError) -> Int32 {
        try spawn(executable, arguments: arguments, passing: [(descriptor, number)], withholding: withheld)
    }

    /// The same with several.
    static func spawn(
        _ executable: String, arguments: [String], passing descriptors: [(descriptor: Int32, number: Int32)], withholding withheld: [String] = []
    ) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, number) in descriptors { posix_spawn_file_actions_adddup2(&actions, descriptor, number) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var argumentPointers = ([executable] + arguments).map { strdup($0) }
        argumentPointers.append(nil)
        defer { for pointer in argumentPointers { free(pointer) } }
        var environment = variables(withholding: withheld)
        environment.append(nil)
        var identifier: pid_t = 0
        let answer = posix_spawn(
            &identifier, executable, &actions, &attributes, argumentPointers, environment)
        if answer != 0 { throw SystemError("start \(executable)", number: answer) }
        return identifier
    }

    private static func variables(withholding withheld: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var next = clinux_environment()
        while let variable = next?.pointee {
            if !withheld.contains(where: { strncmp(variable, $0, $0.utf8.count) == 0 }) { variables.append(variable) }
            next = next?.advanced(by: 1)
        }
        return variables
    }

    /// The name that a process of this machine has; nil when there is none. Every user may know it.
    public static func name(of process: Int32) -> String? {
        guard let bytes = try? File.read("/proc/\(process)/comm") else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// The path of the running executable.
    public static var executablePath: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
        guard length > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<length].map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    /// The path of what a process of this machine runs, with " (deleted)" behind it where that was replaced. Of
    /// another user's process only root may know it.
    public static func executablePath(of process: Int32) throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/\(process)/exe", &buffer, Int(PATH_MAX))
        if length < 0 { throw SystemError("find out what process \(process) runs") }
        return String(decoding: buffer[..<length].map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }
}
