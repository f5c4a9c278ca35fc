import Bytewise
import CLinux
import Glibc
import Synchronization

/// A folder held open. Every path given to it stays beneath it, by its bytes and by the kernel: "..", absolute
/// paths and symbolic links are refused, whatever changes underneath. Only what leads to the folder itself
/// may be links.
public final class Directory: Sendable {
    public let path: String
    public let descriptor: Int32
    /// When a process was last found to hold on to the folder: see `changing`.
    let heldOn = Mutex<ContinuousClock.Instant?>(nil)

    /// Opens the folder at `path`, making it and its parents when they are not there.
    public init(path: String) throws(SystemError) {
        descriptor = try Self.open(path)
        self.path = path
    }

    init(path: String, owning descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    public func subdirectory(_ relative: String) throws(SystemError) -> Directory {
        let path = try Self.checked(relative)
        return Directory(
            path: "\(self.path)/\(path)", owning: try openBeneath(path, O_RDONLY | O_DIRECTORY, "open the folder \(path)"))
    }

    /// What lies at `relative`, to say where it is and not to use it: no right to it is asked for.
    func locate(_ relative: String) throws(SystemError) -> Descriptor {
        let path = try Self.checked(relative)
        return Descriptor(owning: try openBeneath(path, Int32(clinux_path_only), "find \(path)"))
    }

    /// The folder that a file lies in, held open, and the file's name there. Files can be made, renamed and
    /// removed in it, without the right to list it.
    struct Holder: ~Copyable {
        let folder: Descriptor
        let name: String
        var descriptor: Int32 { folder.number }
    }

    func holder(of relative: String) throws(SystemError) -> Holder {
        let path = try Self.checked(relative)
        guard let name = path.name else { throw SystemError("use the path \(relative)", number: EINVAL) }
        let flags = Int32(clinux_path_only) | O_DIRECTORY
        let folder = try openBeneath(path.parent, flags, "open the folder \(path.parent)")
        return Holder(folder: Descriptor(owning: folder), name: name.text)
    }

    /// The caller owns the descriptor.
    func openBeneath(
        _ path: RelativePath, _ flags: Int32, mode: UInt64 = 0, _ operation: @autoclosure () -> String
    ) throws(SystemError) -> Int32 {
        let number = clinux_open_beneath(descriptor, path.text, UInt64(UInt32(bitPattern: flags)), mode)
        if number < 0 { throw SystemError(operation()) }
        return number
    }

    func probe(_ relative: String, _ flags: Int32 = 0) -> Descriptor? {
        guard let path = try? Self.checked(relative),
            let number = try? openBeneath(path, Int32(clinux_path_only) | flags, "find \(path)")
        else { return nil }
        return Descriptor(owning: number)
    }

    /// Makes one folder. Throws `isAlreadyThere` when there is one.
    public func makeSubdirectory(_ name: String) throws(SystemError) {
        let path = try Self.checked(name)
        if path.components.count != 1 { throw SystemError("make the folder \(name)", number: EXDEV) }
        if mkdirat(descriptor, path.text, 0o755) < 0 { throw SystemError("make the folder \(name)") }
    }

    /// Makes the folders that lead to the file `relative`, for whom the process's umask leaves them to. `onMade` is called with each that was not there.
    public func makeParents(
        of relative: String, onMade: (RelativePath, FileIdentity) -> Void = { _, _ in }
    ) throws(SystemError) {
        var holder: Directory = self
        var path = RelativePath.itself
        for name in try Self.checked(relative).components.dropLast() {
            let isNew = mkdirat(holder.descriptor, name.text, 0o777) == 0
            if !isNew && errno != EEXIST { throw SystemError("make the folder \(name.text)") }
            holder = try holder.subdirectory(name.text)
            path = path + name
            if isNew, let identity = FileIdentity(of: holder.descriptor) { onMade(path, identity) }
        }
    }

    public enum Creation: Sendable { case onlyIfAbsent, replacing }

    /// Makes the file `relative` for reading and writing. The caller owns the descriptor. `forOthers`: a client's output,
    /// which may be read and written by whom the process's umask leaves it to; others are the process's user's alone.
    public func createFile(_ relative: String, _ creation: Creation, forOthers: Bool = false) throws(SystemError) -> Int32 {
        let flags = O_RDWR | O_CREAT | (creation == .onlyIfAbsent ? O_EXCL : O_TRUNC)
        return try openBeneath(try Self.checked(relative), flags, mode: forOthers ? 0o666 : 0o600, "make the file \(relative)")
    }

    /// Opens `relative` for writing if it is a pipe with a reader, or a device, and no link to one;
    /// nil when it is something else or not there. The caller owns the descriptor.
    public func openSpecialForWriting(_ relative: String) throws(SystemError) -> Int32? {
        guard kind(of: relative) == .special else { return nil }
        // Without waiting for a reader: a pipe without a reader is an error now, not a hang.
        let flags = O_WRONLY | O_NONBLOCK | O_NOFOLLOW
        let number = try openBeneath(try Self.checked(relative), flags, "write to \(relative)")
        // It may be another one by now.
        guard Self.kind(ofOpen: number) == .special else {
            close(number)
            return nil
        }
        _ = clinux_set_nonblocking(number, 0)
        return number
    }

    public enum Kind: Sendable {
        case file, folder, link
        /// A pipe or a device.
        case special
    }

    /// What lies at `relative`, itself and not what it is a link to; nil when nothing does.
    public func kind(of relative: String) -> Kind? {
        guard let probe = probe(relative, O_NOFOLLOW) else { return nil }
        let kind = Self.kind(ofOpen: probe.number)
        // Not before: it is closed with its last use.
        _ = consume probe
        return kind
    }

    static func kind(ofOpen number: Int32) -> Kind? {
        var information = stat()
        guard fstat(number, &information) == 0 else { return nil }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .special
        }
    }

    /// When a name was last made or removed in it, in nanoseconds since 1970.
    public var changeTime: Int64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    public func contains(_ relative: String) -> Bool { kind(of: relative) != nil }

    public func size(of relative: String) -> UInt64? {
        guard let probe = probe(relative) else { return nil }
        let size = File.size(probe.number)
        _ = consume probe
        return size
    }

    /// Makes this the process's current folder.
    public func enter() throws(SystemError) {
        if fchdir(descriptor) < 0 { throw SystemError("enter \(path)") }
    }

    /// Opens the file `relative` for reading. The caller owns the descriptor.
    public func openFile(_ relative: String) throws(SystemError) -> Int32 {
        // Without waiting: what should be a file may be a pipe by now.
        try openBeneath(try Self.checked(relative), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "open \(relative)")
    }

    /// Removes the folder `name` with all that is in it. What should be a folder and is none goes as well.
    public func removeSubdirectory(_ name: String) throws(SystemError) {
        let path = try Self.checked(name)
        if path.components.count != 1 { throw SystemError("remove the folder \(name)", number: EXDEV) }
        try removeEntry(path.text, depth: Self.maxDepth)
    }

    /// Ours hold no folders; others may have made some.
    private static let maxDepth = 32

    private func removeEntry(_ name: String, depth: Int) throws(SystemError) {
        if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
        // POSIX has EPERM for a folder, Linux EISDIR.
        guard errno == EISDIR || errno == EPERM, depth > 0 else { throw SystemError("remove \(name)") }
        do throws(SystemError) {
            let folder = try subdirectory(name)
            for entry in try folder.entries() { try folder.removeEntry(entry, depth: depth - 1) }
        } catch {
            if !error.isMissing { throw error }
        }
        if unlinkat(descriptor, name, AT_REMOVEDIR) < 0 && errno != ENOENT {
            throw SystemError("remove the folder \(name)")
        }
    }

    /// The names in the folder, in no order.
    public func entries() throws(SystemError) -> [String] {
        // By the descriptor: what lies at `path` may be another folder by now.
        let copy = try openBeneath(.itself, O_RDONLY | O_DIRECTORY, "list \(path)")
        guard let stream = fdopendir(copy) else {
            let error = SystemError("list \(path)")
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.isSame(as: ".") && !name.isSame(as: "..") { names.append(name) }
        }
        return names
    }

    /// Whether files can be made in the folder at `path`.
    public static func isWritable(_ path: String) -> Bool { access(path, W_OK | X_OK) == 0 }

    /// Makes a folder in the one at `path`, and removes it: whether the file system, too, lets this process.
    public static func tryMaking(in path: String) throws(SystemError) {
        let trial = "\(path)/.penstock-\(getpid())"
        if mkdir(trial, 0o700) < 0 { throw SystemError("make a folder in \(path)") }
        rmdir(trial)
    }

    /// The names in the folder at `path`; none when it can't be read.
    public static func names(in path: String) -> [String] {
        let number = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        return number < 0 ? [] : (try? Directory(path: path, owning: number).entries()) ?? []
    }

    /// Takes the folder for this process; false when another process has it. Held until the
    /// folder's descriptor is closed in this process and every fork of it.
    public func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    static func checked(_ relative: String) throws(SystemError) -> RelativePath {
        do throws(RelativePath.Fault) {
            return try RelativePath(relative)
        } catch {
            throw SystemError("use the path \(relative)", error)
        }
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let found = clinux_open(path, flags, 0)
        if found >= 0 { return found }
        if errno == ENOENT { try makePath(path) }
        let made = clinux_open(path, flags, 0)
        if made < 0 { throw SystemError("open the folder \(path)") }
        return made
    }

    private static func makePath(_ path: String) throws(SystemError) {
        var made = path.begins(with: "/") ? "/" : ""
        for component in path.parts(at: "/", omittingEmpty: true) {
            made += made.isEmpty || made.ends(with: "/") ? component : "/\(component)"
            if mkdir(made, 0o755) < 0 && errno != EEXIST { throw SystemError("make the folder \(made)") }
        }
    }
}

extension SystemError {
    /// A path that is none is refused as the kernel would.
    public init(_ operation: String, _ fault: RelativePath.Fault) {
        let number = switch fault {
        case .isAbsolute, .leadsUp: EXDEV
        case .holdsNUL: EINVAL
        case .isNotUTF8: EILSEQ
        }
        self.init(operation, number: number)
    }
}
