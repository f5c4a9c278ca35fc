import CLinux
import Glibc

/// The system calls on names as they are, from the process's current folder on.
public enum UninterposedFileCalls {
    public static func open(_ path: UnsafePointer<CChar>, flags: Int32, mode: UInt32) -> Int32 {
        clinux_open_plainly(path, flags, mode)
    }

    public static func rename(_ from: UnsafePointer<CChar>, to: UnsafePointer<CChar>) -> Int32 {
        renameat(AT_FDCWD, from, AT_FDCWD, to)
    }

    public static func unlink(_ path: UnsafePointer<CChar>) -> Int32 { unlinkat(AT_FDCWD, path, 0) }
    public static func removeFolder(_ path: UnsafePointer<CChar>) -> Int32 { unlinkat(AT_FDCWD, path, AT_REMOVEDIR) }
    public static func makeFolder(_ path: UnsafePointer<CChar>, mode: UInt32) -> Int32 { mkdirat(AT_FDCWD, path, mode) }
}
