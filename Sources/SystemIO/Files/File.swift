import Bytewise
import CLinux
import Glibc
import Threading

/// Files outside any folder of ours, and facts of open ones.
public enum File {
    public static func size(_ descriptor: Int32) -> UInt64? {
        var information = stat()
        return fstat(descriptor, &information) == 0 ? UInt64(clamping: information.st_size) : nil
    }

    /// Leaves nothing of an open file.
    public static func cut(_ descriptor: Int32) throws(SystemError) {
        if ftruncate(descriptor, 0) < 0 { throw SystemError("cut a file") }
    }

    /// Has what was written to an open file put on the disk, where that is one.
    public static func sync(_ descriptor: Int32) throws(SystemError) {
        if fdatasync(descriptor) < 0 { throw SystemError("write to the disk") }
    }

    /// Reads from `position`; 0 at the end or when it can't be read.
    public static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at position: UInt64
    ) -> Int {
        max(0, pread(descriptor, buffer.baseAddress, buffer.count, off_t(position)))
    }

    /// Which file lies at a path, and as of when: another one, or a changed one, has another stamp.
    public struct Stamp: Sendable, Equatable {
        let device: UInt64
        let node: UInt64
        let size: Int64
        let seconds: Int64
        let nanoseconds: Int64
        public let isRegular: Bool
        public let isFolder: Bool
        public let isPipe: Bool

        init(_ information: stat) {
            isRegular = information.st_mode & S_IFMT == S_IFREG
            isPipe = information.st_mode & S_IFMT == S_IFIFO
            isFolder = information.st_mode & S_IFMT == S_IFDIR
            device = UInt64(information.st_dev)
            node = UInt64(information.st_ino)
            size = Int64(information.st_size)
            seconds = Int64(information.st_mtim.tv_sec)
            nanoseconds = Int64(information.st_mtim.tv_nsec)
        }

        /// Whatever has become of it since.
        func isSameFile(as other: Stamp) -> Bool { device == other.device && node == other.node }

        /// Changed so lately that the kernel's clock might not tell it from a change that comes now.
        public var isFresh: Bool {
            if !isRegular { return false }
            let now = WallClock.now()
            let age = Double(now.seconds - seconds) + Double(Int64(now.nanoseconds) - nanoseconds) * 1e-9
            return abs(age) < 0.1
        }
    }

    /// nil when there is no file.
    public static func stamp(_ path: String) -> Stamp? {
        var information = stat()
        return stat(path, &information) == 0 ? Stamp(information) : nil
    }

    private static func stamp(open number: Int32) -> Stamp? {
        var information = stat()
        return fstat(number, &information) == 0 ? Stamp(information) : nil
    }

    public static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let number = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        if number < 0 { throw SystemError("open \(path)") }
        let file = Descriptor(owning: number)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = try retryingOnInterrupt("read \(path)") { Glibc.read(file.number, &buffer, buffer.count) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    public enum Contents<Value> {
        case read(Value, Stamp)
        /// The file was changed while it was read.
        case changed
        /// A pipe, a device.
        case notRegular(Stamp)
        case tooLarge
    }

    /// Gives `body` what the file holds, and wipes it from memory afterwards. Waits for no other process: what is no
    /// regular file is read only where `pipeTime` is given, for as long as its writer takes, that time at most.
    public static func withContents<Value>(
        _ path: String, limit: Int, pipeTime: Duration? = nil, _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(SystemError) -> Contents<Value> {
        // A pipe that was put there would be waited for at its opening already.
        let number = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
        if number < 0 { throw SystemError("open \(path)") }
        let file = Descriptor(owning: number)
        guard let before = stamp(open: file.number) else { throw SystemError("read \(path)") }
        if !before.isRegular && !before.isFolder && pipeTime == nil { return .notRegular(before) }
        let deadline = Deadline.after(pipeTime ?? .zero)
        // One byte more shows that the file is longer.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit + 1, alignment: 16)
        var filled = 0
        defer {
            explicit_bzero(buffer.baseAddress!, filled)
            buffer.deallocate()
        }
        while filled < buffer.count {
            if !before.isRegular && !before.isFolder { try awaitReadable(file.number, path, until: deadline) }
            let count = try retryingOnInterrupt("read \(path)") {
                Glibc.read(file.number, buffer.baseAddress! + filled, buffer.count - filled)
            }
            if count == 0 { break }
            filled += count
        }
        if filled > limit { return .tooLarge }
        // What is no regular file, as a pipe, can be read once.
        if before.isRegular && (stamp(open: file.number) != before || filled != before.size) { return .changed }
        return .read(body(UnsafeRawBufferPointer(rebasing: buffer[..<filled])), before)
    }

    private static func awaitReadable(_ number: Int32, _ path: String, until deadline: Deadline) throws(SystemError) {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, deadline.pollTimeout) <= 0 {
            if deadline.hasPassed { throw SystemError("read \(path)", number: ETIMEDOUT) }
        }
    }

    public static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether users that are neither the file's owner nor of its group may read it.
    public static func isReadableByOthers(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IROTH != 0
    }

    public static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    public static var currentDirectory: String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }
}

/// The process's environment.
public enum Environment {
    public static subscript(name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// All of it, in no order.
    public static var all: [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        guard var entry = clinux_environment() else { return [] }
        while let text = entry.pointee {
            if let (name, value) = String(cString: text).cut(at: "=") { found.append((name, value)) }
            entry += 1
        }
        return found
    }
}
