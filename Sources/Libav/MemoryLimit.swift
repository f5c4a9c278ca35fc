import Glibc

/// What this process may allocate.
enum MemoryLimit {
    /// nil: as much as there is.
    static var bytes: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
        return Int(limit.rlim_cur)
    }

    /// As many threads as a quarter of it has room for, each with its stack: libraries end badly where they get none, and
    /// start others beside those that they are told of.
    static var threads: Int {
        guard let bytes else { return .max }
        var stack = rlimit()
        // What glibc takes where there is no limit.
        if getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack) != 0 || stack.rlim_cur > 1 << 40 { stack.rlim_cur = 2 << 20 }
        return max(1, bytes / 4 / max(1, Int(stack.rlim_cur)))
    }
}
