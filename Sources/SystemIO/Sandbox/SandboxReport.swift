import CLinux

/// What of the sandbox this system can put in force.
public struct SandboxReport: Sendable, Equatable {
    /// 0: there is none.
    public let landlockABI: Int
    public let filtersSystemCalls: Bool

    public init(landlockABI: Int, filtersSystemCalls: Bool) {
        self.landlockABI = landlockABI
        self.filtersSystemCalls = filtersSystemCalls
    }

    public static func probe() -> SandboxReport {
        SandboxReport(landlockABI: Int(Landlock.abi), filtersSystemCalls: clinux_seccomp_can_refuse() == 0)
    }

    public var restrictsFiles: Bool { landlockABI >= 1 }
    public var restrictsTCP: Bool { landlockABI >= 4 }
    public var restrictsSignals: Bool { landlockABI >= 6 }

    /// Without these there is no sandbox to speak of.
    public var missingEssentials: [String] {
        var missing: [String] = []
        if !restrictsFiles { missing.append("Landlock (Linux 5.13, and \"landlock\" among lsm=)") }
        if !filtersSystemCalls { missing.append("seccomp filters") }
        return missing
    }

    /// Everything that is not in force, by name.
    public var missing: [String] {
        if !restrictsFiles { return missingEssentials }
        let rules: [(sinceABI: Int, String)] = [
            (2, "moving files (ABI 2, Linux 5.19)"), (3, "truncating files (ABI 3, Linux 6.2)"),
            (4, "TCP ports (ABI 4, Linux 6.7)"), (5, "ioctl on devices (ABI 5, Linux 6.10)"),
            (6, "signals and abstract sockets (ABI 6, Linux 6.12)"),
        ]
        return missingEssentials + rules.filter { landlockABI < $0.sinceABI }.map { "Landlock's rules for " + $0.1 }
    }
}
