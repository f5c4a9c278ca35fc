import Glibc

/// The processors that are switched on.
package enum Processors {
    package static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// As many threads as FFmpeg itself starts at most, or one for each processor where there are more.
    package static let mostThreads = max(16, count)
}
