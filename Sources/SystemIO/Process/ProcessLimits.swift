import CLinux
import Glibc

/// What the kernel lets this process have.
public enum ProcessLimits {
    /// Takes as many descriptors as may be had: the usual soft limit of 1,024 is for programs
    /// that use select(2). Children inherit it.
    public static func raiseDescriptors() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// How many descriptors this process may have open.
    public static var descriptors: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Bounds this process, for good.
    static func impose(_ bounds: ProcessBounds) throws(SystemError) {
        // Data, not address space: what threads' allocators, x265, SVT-AV1 and CUDA reserve and never
        // touch is no memory. Data are what is private and writable, the stacks of threads among them,
        // which so bounds those, too. (RLIMIT_NPROC counts the user's processes, not this one's.)
        if let bytes = bounds.memoryBytes { try impose(bytes, RLIMIT_DATA, "memory", reserve: memoryReserve) }
        if let bytes = bounds.fileBytes { try impose(bytes, RLIMIT_FSIZE, "file size") }
        try impose(UInt64(bounds.descriptors), RLIMIT_NOFILE, "descriptors")
        try impose(0, RLIMIT_CORE, "core dumps")
        // Writing past the limit is an error then, not the end.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// What a process that has used up its memory needs to end well: a thread, a record, answers.
    private static let memoryReserve: UInt64 = 32 << 20

    /// For a process that is about to end.
    public static func openMemoryReserve() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
    }

    private static func impose(
        _ value: UInt64, _ resource: __rlimit_resource, _ name: String, reserve: UInt64 = 0
    ) throws(SystemError) {
        if clinux_limit(Int32(resource.rawValue), value, reserve) < 0 { throw SystemError("limit \(name)") }
    }
}

/// What one process may use.
public struct ProcessBounds: Sendable, Equatable {
    /// nil: no bound.
    public var memoryBytes: UInt64?
    /// Of each file it writes; nil: no bound.
    public var fileBytes: UInt64?
    public var descriptors: Int

    public init(memoryBytes: UInt64?, fileBytes: UInt64?, descriptors: Int) {
        self.memoryBytes = memoryBytes
        self.fileBytes = fileBytes
        self.descriptors = descriptors
    }
}
