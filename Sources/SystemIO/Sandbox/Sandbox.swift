import CLinux
import Glibc
import Synchronization

/// Confines this process, for good: no-new-privs, no capabilities, Landlock, seccomp, resource limits,
/// no descriptors of others. The kernel does the work; a process that was taken over can't undo it.
public enum Sandbox {
    /// Puts in force what also holds for a process that forks, and builds the rest: forks have it at no
    /// cost. Without this call they do it when they enter.
    public static func prepare() {
        _ = base
        _ = SystemCallFilter.confined
        AllThreads.prepare()
    }

    /// Finds those of `places` that last, for all forks. Before there are any.
    public static func find(_ places: [SandboxRules.Place]) {
        if !SandboxReport.probe().restrictsFiles { return }
        LastingPlaces.find(places.compactMap { if case .path(let path, isLasting: true) = $0.target { path } else { nil } })
    }

    /// Sockets that the filter in force allows; nil before there is one.
    private static let filtered = Mutex<SandboxRules.SocketKinds?>(nil)

    /// Once for the same: a second one would refuse what the first refuses, and every system call would pass both.
    private static func filter(to kinds: SandboxRules.SocketKinds) throws(SystemError) {
        if filtered.withLock({ $0 }) == kinds { return }
        try SystemCallFilter.confined(to: kinds).load()
        filtered.withLock { $0 = kinds }
    }

    /// Once a process, or for all forks of it.
    private static let base = Result { () throws(SystemError) in
        if clinux_drop_capabilities() < 0 { throw SystemError("give up capabilities") }
        if clinux_no_new_privileges() < 0 { throw SystemError("give up gaining privileges") }
        if SandboxReport.probe().filtersSystemCalls { try SystemCallFilter.forking.get().load() }
    }

    /// Confines a process that has one thread. It keeps its standard streams and the descriptors `keeping`.
    /// What the kernel lacks is left out unless `isRequired`; what it has and refuses is an error. `narrowsLater`: until
    /// then it also keeps those that name the places which last.
    public static func enter(
        _ rules: SandboxRules, _ bounds: ProcessBounds, keeping: [Int32], isRequired: Bool, narrowsLater: Bool = false
    ) throws(SystemError) {
        let report = SandboxReport.probe()
        if isRequired, let missing = report.missingEssentials.first {
            throw SystemError("confine the process: there is no \(missing)", number: ENOSYS)
        }
        try ProcessLimits.impose(bounds)
        try closeAll(but: keeping + LastingPlaces.descriptors)
        try base.get()
        if report.restrictsFiles { try Landlock.restrictThread(try Landlock.ruleset(rules, scopes: true)) }
        if report.filtersSystemCalls { try filter(to: rules.sockets) }
        if !narrowsLater { LastingPlaces.closeAll() }
    }

    /// Confines all threads of a process that has entered to `rules` as well. When it throws the process
    /// must not go on with what it was to do.
    public static func narrow(to rules: SandboxRules) throws(SystemError) {
        let report = SandboxReport.probe()
        defer { LastingPlaces.closeAll() }
        if report.restrictsFiles {
            // Each thread gets a domain of its own: scopes would keep signals between them.
            try AllThreads.restrict(try Landlock.ruleset(rules, scopes: false))
        }
        if report.filtersSystemCalls { try filter(to: rules.sockets) }
    }

    /// From here on this process, which has one thread, and all it starts change files at `places` only. It
    /// reads, runs programs and uses the network as before; it gains no privileges. Without Landlock nothing is
    /// done.
    public static func confineChanges(to places: [SandboxRules.Place]) throws(SystemError) {
        if !SandboxReport.probe().restrictsFiles { return }
        if clinux_no_new_privileges() < 0 { throw SystemError("give up gaining privileges") }
        try Landlock.restrictThread(try Landlock.ruleset(ofChanges: places))
    }

    private static func closeAll(but kept: [Int32]) throws(SystemError) {
        var first = UInt32(STDERR_FILENO) + 1
        for number in kept.map({ UInt32($0) }).sorted() where number >= first {
            if number > first { try close(first...number - 1) }
            first = number + 1
        }
        try close(first...UInt32.max)
    }

    private static func close(_ numbers: ClosedRange<UInt32>) throws(SystemError) {
        if clinux_close_range(numbers.lowerBound, numbers.upperBound) == 0 { return }
        // Before Linux 5.9, or kept back by a container's filter.
        if errno != ENOSYS && errno != EPERM { throw SystemError("close descriptors") }
        let last = min(Int(numbers.upperBound), ProcessLimits.descriptors)
        for number in Int(numbers.lowerBound)..<max(Int(numbers.lowerBound), last + 1) { Glibc.close(Int32(number)) }
    }
}
