import CLinux
import Glibc

/// A folder held open. Every path given to it stays beneath it: "..", absolute paths and
/// links that lead out are refused by the kernel, whatever changes underneath.
public final class Directory: Sendable {
    public let path: String
    public let descriptor: Int32

    /// Opens the folder at `path`, making it and its parents when they are not there.
    public init(path: String) throws(SystemError) {
        try Self.makePath(path)
        descriptor = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if descriptor < 0 { throw SystemError("open the folder \(path)") }
        self.path = path
    }

    init(path: String, owning descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    public func subdirectory(_ relative: String) throws(SystemError) -> Directory {
        try Self.check(relative)
        let number = clinux_open_beneath(descriptor, relative, UInt64(O_RDONLY | O_DIRECTORY), 0)
        if number < 0 { throw SystemError("open the folder \(relative)") }
        return Directory(path: path + "/" + relative, owning: number)
    }

    /// What lies at `relative`, to say where it is and not to use it: no right to it is asked for.
    func locate(_ relative: String) throws(SystemError) -> Descriptor {
        try Self.check(relative)
        let number = clinux_open_beneath(descriptor, relative, UInt64(clinux_path_only), 0)
        if number < 0 { throw SystemError("find \(relative)") }
        return Descriptor(owning: number)
    }

    /// The folder that holds `relative`, and its name there. Files can be made, renamed and removed in
    /// it, without the right to list it.
    private func parent(of relative: String) throws(SystemError) -> (folder: Directory, name: String) {
        try Self.check(relative)
        let components = relative.split(separator: "/").map(String.init)
        guard let name = components.last else { throw SystemError("use the path \(relative)", number: EINVAL) }
        let parent = components.dropLast().joined(separator: "/")
        return (Directory(path: path + "/" + parent, owning: try locate(parent.isEmpty ? "." : parent).take()), name)
    }

    /// Makes one folder. Throws `isAlreadyThere` when there is one.
    public func makeSubdirectory(_ name: String) throws(SystemError) {
        try Self.check(name)
        if name.utf8.contains(UInt8(ascii: "/")) { throw SystemError("make the folder \(name)", number: EXDEV) }
        if mkdirat(descriptor, name, 0o755) < 0 { throw SystemError("make the folder \(name)") }
    }

    /// Makes the folders that lead to the file `relative`.
    public func makeParents(of relative: String) throws(SystemError) {
        try Self.check(relative)
        var parent = ""
        for component in relative.split(separator: "/").dropLast() {
            let holder = parent.isEmpty ? nil : try subdirectory(parent)
            if mkdirat(holder?.descriptor ?? descriptor, String(component), 0o755) < 0 && errno != EEXIST {
                throw SystemError("make the folder \(component)")
            }
            parent += parent.isEmpty ? String(component) : "/\(component)"
        }
    }

    public enum Creation: Sendable { case onlyIfAbsent, replacing }

    /// Makes the file `relative` for reading and writing. The caller owns the descriptor.
    public func createFile(_ relative: String, _ creation: Creation) throws(SystemError) -> Int32 {
        try Self.check(relative)
        let flags = O_RDWR | O_CREAT | (creation == .onlyIfAbsent ? O_EXCL : O_TRUNC)
        let number = clinux_open_beneath(descriptor, relative, UInt64(flags), 0o644)
        if number < 0 { throw SystemError("make the file \(relative)") }
        return number
    }

    /// Opens `relative` for writing if it is a pipe with a reader, or a device, and no link to one;
    /// nil when it is something else or not there. The caller owns the descriptor.
    public func openSpecialForWriting(_ relative: String) throws(SystemError) -> Int32? {
        guard kind(of: relative) == .special else { return nil }
        // Without waiting for a reader: a pipe nobody reads is an error now, not a hang.
        let number = clinux_open_beneath(descriptor, relative, UInt64(O_WRONLY | O_NONBLOCK | O_NOFOLLOW), 0)
        if number < 0 { throw SystemError("write to \(relative)") }
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
        let probe = clinux_open_beneath(descriptor, relative, UInt64(clinux_path_only) | UInt64(O_NOFOLLOW), 0)
        if probe < 0 { return nil }
        defer { close(probe) }
        return Self.kind(ofOpen: probe)
    }

    private static func kind(ofOpen number: Int32) -> Kind? {
        var information = stat()
        guard fstat(number, &information) == 0 else { return nil }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .special
        }
    }

    public func contains(_ relative: String) -> Bool { kind(of: relative) != nil }

    public func size(of relative: String) -> UInt64? {
        let number = clinux_open_beneath(descriptor, relative, UInt64(clinux_path_only), 0)
        guard number >= 0 else { return nil }
        let probe = Descriptor(owning: number)
        let size = File.size(probe.number)
        // Not before: it is closed with its last use.
        _ = consume probe
        return size
    }

    /// Makes this the process's current folder.
    public func enter() throws(SystemError) {
        if fchdir(descriptor) < 0 { throw SystemError("enter \(path)") }
    }

    /// Opens the file `relative`, which is no link, for reading. The caller owns the descriptor.
    public func openFile(_ relative: String) throws(SystemError) -> Int32 {
        try Self.check(relative)
        // Without waiting: what should be a file may be a pipe by now.
        let number = clinux_open_beneath(descriptor, relative, UInt64(O_RDONLY | O_NOFOLLOW | O_NONBLOCK), 0)
        if number < 0 { throw SystemError("open \(relative)") }
        return number
    }

    /// Removes a file beneath; it being gone already is fine.
    public func removeFile(_ relative: String) throws(SystemError) {
        do throws(SystemError) {
            let (folder, name) = try parent(of: relative)
            if unlinkat(folder.descriptor, name, 0) < 0 && errno != ENOENT {
                throw SystemError("remove \(relative)")
            }
        } catch {
            if !error.isMissing { throw error }
        }
    }

    /// Removes the folder `name` with the files in it (one level: ours hold no folders).
    public func removeSubdirectory(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            let folder = try subdirectory(name)
            for entry in try folder.entries() { try folder.removeFile(entry) }
            if unlinkat(descriptor, name, AT_REMOVEDIR) < 0 && errno != ENOENT {
                throw SystemError("remove the folder \(name)")
            }
        } catch {
            if !error.isMissing { throw error }
        }
    }

    /// The names in the folder, in no order.
    public func entries() throws(SystemError) -> [String] {
        // By the descriptor: what lies at `path` may be another folder by now.
        let copy = clinux_open_beneath(descriptor, ".", UInt64(O_RDONLY | O_DIRECTORY), 0)
        if copy < 0 { throw SystemError("list \(path)") }
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
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Whether files can be made in the folder at `path`.
    public static func isWritable(_ path: String) -> Bool { access(path, W_OK | X_OK) == 0 }

    /// The names in the folder at `path`; none when it can't be read.
    public static func names(in path: String) -> [String] {
        let number = clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        return number < 0 ? [] : (try? Directory(path: path, owning: number).entries()) ?? []
    }

    /// Reads the file, or its first `most` bytes.
    public func readFile(_ relative: String, most: Int = .max) throws(SystemError) -> [UInt8] {
        let file = Descriptor(owning: try openFile(relative))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count < most {
            let count = try retryingOnInterrupt("read \(relative)") { read(file.number, &buffer, buffer.count) }
            if count == 0 { break }
            bytes += buffer[..<min(count, most - bytes.count)]
        }
        return bytes
    }

    /// Gives the file `from` the name `to`, in place of any file of that name. Both lie in the
    /// same folder beneath.
    public func renameFile(_ from: String, to: String) throws(SystemError) {
        let (folder, name) = try parent(of: from)
        let newName = try parent(of: to).name
        if renameat(folder.descriptor, name, folder.descriptor, newName) < 0 { throw SystemError("rename \(from)") }
    }

    /// Replaces the file `name` whole or not at all, for whoever reads it and whenever this process ends. It
    /// is not synced: after a power loss the file system decides which of the two is there.
    public func writeAtomically(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        let temporary = ".\(name).new"
        do throws(SystemError) {
            try write(bytes, toNew: temporary)
            try retryingOnInterrupt("write \(name)") { renameat(descriptor, temporary, descriptor, name) }
        } catch {
            unlinkat(descriptor, temporary, 0)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], toNew name: String) throws(SystemError) {
        let file = Descriptor(owning: try createFile(name, .replacing))
        var written = 0
        while written < bytes.count {
            let rest = bytes[written...]
            written += try retryingOnInterrupt("write \(name)") {
                rest.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            }
        }
    }

    /// Takes the folder for this process; false when another process has it. Held until the
    /// folder's descriptor is closed in this process and every fork of it.
    public func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Relative, and without "..": the kernel lets one pass that stays beneath.
    static func check(_ relative: String) throws(SystemError) {
        let leadsOut = relative.hasPrefix("/") || relative.split(separator: "/").contains("..")
        if leadsOut { throw SystemError("use the path \(relative)", number: EXDEV) }
    }

    private static func makePath(_ path: String) throws(SystemError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(component) : "/\(component)"
            if mkdir(made, 0o755) < 0 && errno != EEXIST { throw SystemError("make the folder \(made)") }
        }
    }
}
