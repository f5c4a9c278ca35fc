import Glibc

/// What this process may allocate.
enum MemoryLimit {
    /// nil: as much as there is.
    static var bytes: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
        return Int(limit.rlim_cur)
    }

    /// What a small encoder takes beside the stacks of its threads.
    private static let withoutThreads = 80 << 20

    /// As many threads as it has room for, each with its stack and half of another's, as libraries start others beside those
    /// that they are told of, and end badly where they get none.
    static var threads: Int {
        guard let bytes else { return .max }
        var stack = rlimit()
        // What glibc takes where there is no limit.
        if getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack) != 0 || stack.rlim_cur > 1 << 40 { stack.rlim_cur = 2 << 20 }
        return max(1, (bytes - withoutThreads) * 2 / 3 / max(1, Int(stack.rlim_cur)))
    }
}
