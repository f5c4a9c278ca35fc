import Glibc

/// The processors that are switched on.
package enum Processors {
    package static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
