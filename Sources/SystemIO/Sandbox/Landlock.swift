import CLinux
import Glibc

/// Landlock (Linux 5.13): a process takes rights to files and TCP ports from itself, for good. What the
/// kernel's ABI lacks stays unrestricted; `SandboxReport` names it.
enum Landlock {
    /// 0: the kernel has none, or it is switched off.
    static var abi: Int32 { max(0, clinux_landlock_abi()) }

    /// Signals and abstract Unix sockets beyond the process are out of reach only with `scopes`.
    static func ruleset(_ rules: SandboxRules, scopes: Bool) throws(SystemError) -> Descriptor {
        let abi = Self.abi
        var ports: (connecting: Set<UInt16>, listening: Set<UInt16>)?
        if abi >= 4, case .these(let connecting, let listening) = rules.tcpPorts { ports = (connecting, listening) }
        var scoped: UInt64 = 0
        if scopes && abi >= 6 {
            scoped = clinux_landlock_scope_signal
            if !rules.sockets.contains(.local) { scoped |= clinux_landlock_scope_abstract_unix }
        }
        let tcp = clinux_landlock_connect_tcp | clinux_landlock_bind_tcp
        let number = clinux_landlock_create(abi, allRights(abi), ports == nil ? 0 : tcp, scoped)
        if number < 0 { throw SystemError("make a Landlock ruleset") }
        let ruleset = Descriptor(owning: number)
        for place in rules.places { try add(place, to: ruleset.number, abi) }
        for port in ports?.connecting ?? [] { try add(port, clinux_landlock_connect_tcp, to: ruleset.number) }
        for port in ports?.listening ?? [] { try add(port, clinux_landlock_bind_tcp, to: ruleset.number) }
        return ruleset
    }

    /// Only where files are changed: what is read and run, and the network, stay as they are.
    static func ruleset(ofChanges places: [SandboxRules.Place]) throws(SystemError) -> Descriptor {
        let abi = Self.abi
        let number = clinux_landlock_create(abi, changes(abi), 0, 0)
        if number < 0 { throw SystemError("make a Landlock ruleset") }
        let ruleset = Descriptor(owning: number)
        for place in places { try add(place, to: ruleset.number, abi, among: changes(abi)) }
        return ruleset
    }

    private static func changes(_ abi: Int32) -> UInt64 {
        let others =
            clinux_landlock_execute | clinux_landlock_read_file | clinux_landlock_read_dir | clinux_landlock_ioctl_dev
        return allRights(abi) & ~others
    }

    /// Of the calling thread and what it starts from here on. Wants no-new-privs.
    static func restrictThread(_ ruleset: borrowing Descriptor) throws(SystemError) {
        if clinux_landlock_restrict(ruleset.number) < 0 { throw SystemError("put Landlock in force") }
    }

    private static func add(
        _ place: SandboxRules.Place, to ruleset: Int32, _ abi: Int32, among handled: UInt64 = .max
    ) throws(SystemError) {
        if case .path(let path, isLasting: true) = place.target, let found = LastingPlaces[path] {
            return try add(place, at: found.descriptor, isFolder: found.isFolder, to: ruleset, abi, among: handled)
        }
        guard let number = try locate(place) else { return }
        let target = Descriptor(owning: number)
        var information = stat()
        if fstat(target.number, &information) < 0 { throw SystemError("look at \(place)") }
        let isFolder = information.st_mode & S_IFMT == S_IFDIR
        try add(place, at: target.number, isFolder: isFolder, to: ruleset, abi, among: handled)
        // Not before: it is closed with its last use.
        _ = consume target
    }

    private static func add(
        _ place: SandboxRules.Place, at number: Int32, isFolder: Bool, to ruleset: Int32, _ abi: Int32, among handled: UInt64
    ) throws(SystemError) {
        let rights = rights(place.access, abi) & handled & (isFolder ? .max : rightsToOneFile)
        if rights != 0 && clinux_landlock_add_path(ruleset, rights, number) < 0 {
            throw SystemError("allow \(place) through Landlock")
        }
    }

    /// nil: there is nothing at a path. The caller owns the descriptor.
    private static func locate(_ place: SandboxRules.Place) throws(SystemError) -> Int32? {
        switch place.target {
        case .path(let path, _):
            let number = clinux_open(path, Int32(clinux_path_only) | O_CLOEXEC, 0)
            return number < 0 ? nil : number
        case .beneath(let folder, let relative): return try folder.locate(relative).take()
        }
    }

    private static func add(_ port: UInt16, _ right: UInt64, to ruleset: Int32) throws(SystemError) {
        if clinux_landlock_add_port(ruleset, right, UInt64(port)) < 0 {
            throw SystemError("allow the TCP port \(port) through Landlock")
        }
    }

    private static func allRights(_ abi: Int32) -> UInt64 {
        var rights = clinux_landlock_abi1
        if abi >= 2 { rights |= clinux_landlock_refer }
        if abi >= 3 { rights |= clinux_landlock_truncate }
        if abi >= 5 { rights |= clinux_landlock_ioctl_dev }
        return rights
    }

    private static let rightsToOneFile =
        clinux_landlock_read_file | clinux_landlock_write_file | clinux_landlock_truncate | clinux_landlock_ioctl_dev

    private static func rights(_ access: SandboxRules.FileAccess, _ abi: Int32) -> UInt64 {
        let table: [(SandboxRules.FileAccess, UInt64)] = [
            (.readFiles, clinux_landlock_read_file), (.listFolders, clinux_landlock_read_dir),
            (.writeFiles, clinux_landlock_write_file | clinux_landlock_truncate),
            (.makeFiles, clinux_landlock_make_reg), (.removeFiles, clinux_landlock_remove_file),
            (.makeFolders, clinux_landlock_make_dir), (.removeFolders, clinux_landlock_remove_dir),
            (.moveBetweenFolders, clinux_landlock_refer), (.controlDevices, clinux_landlock_ioctl_dev),
        ]
        return table.reduce(0) { access.contains($1.0) ? $0 | $1.1 : $0 } & allRights(abi)
    }
}
