import Glibc

public enum Processors {
    /// Those that are switched on: as many threads run at once.
    public static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
