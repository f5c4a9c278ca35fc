import Bytewise
import CLinux
import Glibc

/// A user and a group of this system, to go on as.
public struct ProcessUser: Sendable, Equatable, CustomStringConvertible {
    public struct Unknown: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    let name: String
    let user: uid_t
    let group: gid_t

    /// "NAME" or "NAME:GROUP", by name or number; without a group the user's own.
    public init(_ text: String) throws(Unknown) {
        let parts = text.parts(at: ":", most: 2)
        guard let entry = parts[0].isEmpty ? nil : getpwnam(parts[0]) ?? uid_t(parts[0]).flatMap({ getpwuid($0) }) else {
            throw Unknown(description: "This system has no user \(parts[0]).")
        }
        name = String(cString: entry.pointee.pw_name)
        user = entry.pointee.pw_uid
        if parts.count == 1 {
            group = entry.pointee.pw_gid
        } else if let found = parts[1].isEmpty ? nil : getgrnam(parts[1]) {
            group = found.pointee.gr_gid
        } else if let number = gid_t(parts[1]) {
            group = number
        } else {
            throw Unknown(description: "This system has no group \(parts[1]).")
        }
    }

    public var description: String { "\(name) (uid \(user), gid \(group))" }
    public var isCurrent: Bool { geteuid() == user && getuid() == user && getegid() == group && getgid() == group }
}

/// The user that this process has the rights of.
public enum Privileges {
    public static var isRoot: Bool { geteuid() == 0 }
    public static var userNumber: UInt32 { geteuid() }

    /// Becomes `user`, with the groups the system gives that user, for good. Only root can.
    public static func become(_ user: ProcessUser) throws(SystemError) {
        if user.isCurrent { return }
        if initgroups(user.name, user.group) < 0 { throw SystemError("take the groups of \(user)") }
        if setresgid(user.group, user.group, user.group) < 0 { throw SystemError("take the group of \(user)") }
        if setresuid(user.user, user.user, user.user) < 0 { throw SystemError("become \(user)") }
        // Capabilities went with root, unless something kept them.
        if user.user != 0 && setuid(0) == 0 { throw SystemError("give up root for \(user)", number: EPERM) }
    }
}
