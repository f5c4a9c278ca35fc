import CLinux
import Glibc

/// A file that one process at a time has locked, as long as it lives and however it ends; no program that it
/// starts inherits the lock.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Makes the file `name` in the folder when there is none. nil: another process has locked it.
    public init?(_ name: String, in folder: Directory) throws(SystemError) {
        let descriptor = try folder.open(name, flags: O_RDWR | O_CREAT, mode: 0o600)
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            self.descriptor = descriptor
            return
        }
        let error = SystemError("lock \(folder.path)/\(name)")
        close(descriptor)
        if error.number != EWOULDBLOCK { throw error }
        return nil
    }

    /// Says in the file who has the lock, for those who do not get it.
    public func write(_ text: String) {
        let bytes = Array(text.utf8)
        ftruncate(descriptor, 0)
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// What the process that has the lock has written there.
    public static func holder(of name: String, in folder: Directory) -> String? {
        guard let bytes = try? folder.readFile(name, most: 4_096), !bytes.isEmpty else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether a process has locked the file now. False where there is none, or where this user can't read it.
    public static func isHeld(_ name: String, in folder: Directory) -> Bool {
        guard let descriptor = try? folder.open(name, flags: O_RDONLY, mode: 0) else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    deinit { close(descriptor) }
}
