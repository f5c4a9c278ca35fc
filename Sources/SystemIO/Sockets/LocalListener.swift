import Bytewise
import CLinux
import Glibc
import Threading

/// Why there is no listener at a path.
public enum LocalSocketFailure: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// Another process accepts connections there.
    case inUse(String)
    /// What is there is not ours to remove.
    case noSocket(String)

    /// Only until another server has ended.
    public var isInUse: Bool {
        switch self {
        case .system(let error): error.number == EADDRINUSE
        case .inUse: true
        case .noSocket: false
        }
    }

    /// This user may not do it; another one might.
    public var isForbidden: Bool { if case .system(let error) = self { error.isForbidden } else { false } }

    public var description: String {
        switch self {
        case .system(let error): error.description
        case .inUse(let path): "another server listens on unix:\(path). Stop it, or name another path."
        case .noSocket(let path): "\(path) is there and is no socket: it is left alone. Remove it, or name another path."
        }
    }
}

/// The name of a listening local socket, by which it is known again.
struct LocalSocketFile: Sendable {
    let path: String
    private let device: dev_t
    private let node: ino_t

    init?(at path: String) {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.path = path
        device = information.st_dev
        node = information.st_ino
    }

    /// Sets who may connect; of this socket alone, whatever has taken its name since. With errno where it can't.
    func admit(_ mode: mode_t, owner: uid_t?, group: gid_t?) -> Bool {
        let number = clinux_open(path, Int32(clinux_path_only) | O_NOFOLLOW | O_CLOEXEC, 0)
        if number < 0 { return false }
        let held = Descriptor(owning: number)
        var information = stat()
        guard fstat(held.number, &information) == 0 else { return false }
        guard information.st_dev == device, information.st_ino == node else {
            errno = ENOENT
            return false
        }
        return chmod("/proc/self/fd/\(held.number)", mode) == 0
            && fchownat(held.number, "", owner ?? .max, group ?? .max, Int32(clinux_empty_path)) == 0
    }

    /// Another socket that took the name stays.
    func remove() throws(SystemError) {
        guard let now = LocalSocketFile(at: path), now.device == device, now.node == node else { return }
        if unlink(path) < 0 { throw SystemError("remove \(path)") }
    }
}

extension Listener {
    /// Listens at a path. A socket that a dead server has left there is replaced. Mode and owner are set before the
    /// first connection can be made; folders are not made.
    public convenience init(at place: LocalSocketPlace, backlog: Int32 = 1_024) throws(LocalSocketFailure) {
        // Servers that start at the same time look at the path one after the other.
        let folder = try Self.locked(place.folder)
        defer { _ = folder.number }
        try Self.clear(place.path)
        let number = clinux_listening_socket(AF_UNIX, Int32(clinux_stream_socket))
        if number < 0 { throw .system(SystemError("make a socket")) }
        let socket = Descriptor(owning: number)
        let operation = "listen on unix:\(place.path)"
        do throws(SystemError) {
            try LocalSocket.call(operation, place.path) { bind(socket.number, $0, $1) }
        } catch {
            throw .system(error)
        }
        guard let file = LocalSocketFile(at: place.path) else { throw .noSocket(place.path) }
        // Before listen(2) connections are refused.
        guard file.admit(place.mode, owner: place.owner, group: place.group), Glibc.listen(socket.number, backlog) == 0 else {
            let error = SystemError(operation)
            try? file.remove()
            throw .system(error)
        }
        self.init(listening: socket.take(), at: file)
    }

    /// Takes a local socket's name away; of TCP there is none.
    public func removeFile() throws(SystemError) { try file?.remove() }

    /// How long another server's start may take here.
    private static let patience = Duration.milliseconds(500)

    private static func locked(_ folder: String) throws(LocalSocketFailure) -> Descriptor {
        let number = clinux_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if number < 0 { throw .system(SystemError("open the folder \(folder) of a socket")) }
        let descriptor = Descriptor(owning: number)
        let began = ContinuousClock.now
        while flock(descriptor.number, LOCK_EX | LOCK_NB) < 0 {
            if errno != EINTR && errno != EWOULDBLOCK { throw .system(SystemError("lock the folder \(folder)")) }
            // Every user who may read the folder may lock it; a lock that stays is not of a server that starts.
            if ContinuousClock.now - began > patience { return descriptor }
            SystemThread.sleep(.milliseconds(1))
        }
        return descriptor
    }

    /// Removes what a dead server has left.
    private static func clear(_ path: String) throws(LocalSocketFailure) {
        if let file = try leftSocket(at: path) { try remove(file) }
    }

    /// Finds out whether `init(at:)` would listen there, and leaves all as it is.
    static func tryOut(_ place: LocalSocketPlace) throws(LocalSocketFailure) {
        _ = try leftSocket(at: place.path)
        let operation = "listen on unix:\(place.path)"
        if !Directory.isWritable(place.folder) { throw .system(SystemError(operation)) }
        if !place.canBeGiven { throw .system(SystemError(operation, number: EPERM)) }
    }

    /// A socket that a dead server has left; nil: nothing is there. Throws where something else is.
    private static func leftSocket(at path: String) throws(LocalSocketFailure) -> LocalSocketFile? {
        guard let file = LocalSocketFile(at: path) else {
            var information = stat()
            if lstat(path, &information) == 0 { throw .noSocket(path) }
            return nil
        }
        do throws(SystemError) {
            _ = Descriptor(owning: try LocalSocket.connect(to: path, isWaiting: false))
        } catch {
            switch error.number {
            case ECONNREFUSED: return file
            case ENOENT: return nil
            // Its queue of connections is full: it listens.
            case EAGAIN: break
            // Whether it listens is not ours to find out.
            default: throw .system(error)
            }
        }
        throw .inUse(path)
    }

    private static func remove(_ file: LocalSocketFile) throws(LocalSocketFailure) {
        do throws(SystemError) {
            try file.remove()
        } catch {
            throw .system(error)
        }
    }
}

/// Calls with the address of a path.
enum LocalSocket {
    /// The caller owns the descriptor. `isWaiting`: for room in the other side's queue.
    /// `time`: how long one that waits does so where the queue of connections is full (unix(7): as for sending).
    static func connect(to path: String, isWaiting: Bool = true, within time: Duration = .seconds(10)) throws(SystemError) -> Int32 {
        let operation = "connect to unix:\(path)"
        let number = isWaiting ? clinux_stream_socket_of(AF_UNIX) : clinux_listening_socket(AF_UNIX, Int32(clinux_stream_socket))
        if number < 0 { throw SystemError(operation) }
        let socket = Descriptor(owning: number)
        if isWaiting { _ = Socket.setTimeout(SO_SNDTIMEO, socket.number, time) }
        try call(operation, path) { Glibc.connect(socket.number, $0, $1) }
        return socket.take()
    }

    static func call(_ operation: String, _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws(SystemError) {
        if path.utf8.count > LocalSocketPlace.mostPathBytes { throw SystemError(operation, number: ENAMETOOLONG) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        if result < 0 { throw SystemError(operation) }
    }
}
