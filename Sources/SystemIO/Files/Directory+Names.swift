import CLinux
import Glibc

// Files by names that someone else makes up: each call as its system call, beneath the folder.
extension Directory {
    /// open(2). The caller owns the descriptor.
    public func open(_ relative: String, flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Int32 {
        let mode = flags & O_CREAT != 0 ? mode & 0o777 : 0
        return try openBeneath(try Self.checked(relative), flags, mode: UInt64(mode), "open \(relative)")
    }

    /// Opens a pipe or device for writing, not waiting for a pipe's reader.
    public func openWithoutWaiting(_ relative: String) throws(SystemError) -> Int32 {
        let number = try open(relative, flags: O_WRONLY | O_NONBLOCK)
        _ = clinux_set_nonblocking(number, 0)
        return number
    }

    /// rename(2). Without `replaces`, what lies at `to` is left alone: `isAlreadyThere`.
    public func rename(_ from: String, to: String, replaces: Bool) throws(SystemError) {
        let source = try holder(of: from)
        let target = try holder(of: to)
        let answer =
            replaces
            ? renameat(source.descriptor, source.name, target.descriptor, target.name)
            : clinux_rename_to_new(source.descriptor, source.name, target.descriptor, target.name)
        if answer < 0 { throw SystemError("rename \(from)") }
        _ = consume source
        _ = consume target
    }

    /// unlink(2); the name of a link is the link's.
    public func unlink(_ relative: String) throws(SystemError) {
        let place = try holder(of: relative)
        if unlinkat(place.descriptor, place.name, 0) < 0 { throw SystemError("remove \(relative)") }
        _ = consume place
    }

    /// mkdir(2)
    public func makeFolder(_ relative: String) throws(SystemError) {
        let place = try holder(of: relative)
        if mkdirat(place.descriptor, place.name, 0o777) < 0 { throw SystemError("make the folder \(relative)") }
        _ = consume place
    }

    /// rmdir(2)
    public func removeFolder(_ relative: String) throws(SystemError) {
        let place = try holder(of: relative)
        if unlinkat(place.descriptor, place.name, AT_REMOVEDIR) < 0 { throw SystemError("remove the folder \(relative)") }
        _ = consume place
    }
}
