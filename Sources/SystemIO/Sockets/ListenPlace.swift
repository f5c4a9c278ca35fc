import Bytewise
import Glibc

/// Where a server listens, as an operator writes it: `HOST:PORT`, or `unix:PATH[,mode=0660][,owner=USER][,group=GROUP]`.
public enum ListenPlace: Sendable, Equatable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case local(LocalSocketPlace)

    /// Why a text is no place: the end of a sentence that begins with it.
    public struct Flaw: Error, Sendable, Equatable {
        public let reason: String
    }

    public static let rule = "HOST:PORT or unix:PATH[,mode=0660][,owner=USER][,group=GROUP]"

    public init(_ text: String) throws(Flaw) {
        if let rest = text.without(prefix: "unix:") {
            self = .local(try LocalSocketPlace(rest))
            return
        }
        guard let (before, after) = text.cutAtLast(":"), let port = UInt16(after), !before.utf8.isEmpty else {
            throw Flaw(reason: "is neither HOST:PORT nor unix:PATH")
        }
        let inner = before.without(prefix: "[")?.without(suffix: "]")
        if inner == nil && before.holds(":") { throw Flaw(reason: "is ambiguous: an IPv6 address stands in brackets, [\(before)]:\(port)") }
        self = .tcp(host: inner ?? before, port: port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.holds(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .local(let place): "unix:\(place.path)"
        }
    }

    /// A socket whose owner or group is not given belongs to the user that the process goes on as.
    public func owned(by user: ProcessUser) -> ListenPlace {
        guard case .local(let place) = self else { return self }
        return .local(LocalSocketPlace(place, owner: place.owner ?? user.user, group: place.group ?? user.group))
    }

    /// Where `listen` listens: what a host stands for, with the port as it is written. nil: not on a network.
    public func networkAddress() throws(SystemError) -> SocketAddress? {
        guard case .tcp(let host, let port) = self else { return nil }
        return try BindableAddress(host: host, port: port).address
    }

    /// Finds out whether `listen` would succeed now, and leaves all as it is.
    public func tryOut() throws(LocalSocketFailure) {
        switch self {
        case .tcp(let host, let port):
            do throws(SystemError) {
                _ = try BindableAddress(host: host, port: port).bound()
            } catch {
                throw .system(error)
            }
        case .local(let place): try Listener.tryOut(place)
        }
    }

    public func listen() throws(LocalSocketFailure) -> Listener {
        switch self {
        case .tcp(let host, let port):
            do throws(SystemError) {
                return try Listener(host: host, port: port)
            } catch {
                throw .system(error)
            }
        case .local(let place): return try Listener(at: place)
        }
    }
}

/// A path for a listening socket, and who may connect: the user, the group and the mode of its file.
public struct LocalSocketPlace: Sendable, Equatable {
    public let path: String
    public let mode: UInt32
    /// nil: as the process makes it.
    let owner: uid_t?
    let group: gid_t?

    public static let defaultMode: UInt32 = 0o660
    /// Of `sockaddr_un`, with a zero behind it.
    static let mostPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// That the socket lies in.
    public var folder: String { path.cutAtLast("/").map { $0.before.utf8.isEmpty ? "/" : $0.before } ?? "/" }

    /// Whether this process may give the socket its owner and group.
    var canBeGiven: Bool {
        if geteuid() == 0 { return true }
        var groups = [gid_t](repeating: 0, count: 1_024)
        let count = Int(getgroups(Int32(groups.count), &groups))
        let isMember = group.map { $0 == getegid() || groups.prefix(max(0, count)).contains($0) } ?? true
        return isMember && (owner.map { $0 == geteuid() } ?? true)
    }

    fileprivate init(_ other: LocalSocketPlace, owner: uid_t, group: gid_t) {
        path = other.path
        mode = other.mode
        self.owner = owner
        self.group = group
    }

    /// What stands behind "unix:".
    init(_ text: String) throws(ListenPlace.Flaw) {
        let parts = text.parts(at: ",")
        // Up to the first option all is part of the path.
        let options = parts.dropFirst().drop { !Self.isOption($0) }
        path = parts.dropLast(options.count).joined(separator: ",")
        if parts.count > 1, parts[parts.count - 1].utf8.isEmpty { throw .init(reason: "ends with a comma, behind which may be \(Self.known)") }
        var mode: UInt32?
        var owner: uid_t?
        var group: gid_t?
        for option in options {
            guard let (name, value) = option.cut(at: "=") else { throw .init(reason: "has \(option) without a value behind a comma, where may be \(Self.known)") }
            if !Self.names.contains(name) { throw .init(reason: "has \(name)= behind a comma, where may be \(Self.known)") }  // ASCII
            switch name {
            case "mode" where mode == nil: mode = try Self.mode(value)
            case "owner" where owner == nil: owner = try Self.user(value)
            case "group" where group == nil: group = try Self.group(value)
            default: throw .init(reason: "has \(name)= twice")
            }
        }
        self.mode = mode ?? Self.defaultMode
        self.owner = owner
        self.group = group
        if !path.begins(with: "/") || path.ends(with: "/") { throw .init(reason: "has no absolute path behind unix:, such as /run/penstock/http.sock") }
        if path.utf8.count > Self.mostPathBytes { throw .init(reason: "has a path of more than \(Self.mostPathBytes) bytes, as many as the kernel takes") }
    }

    private static let names: Set<String> = ["mode", "owner", "group"]
    private static let known = "mode=0660, owner=USER and group=GROUP"

    /// One of the names, or another word with a value.
    private static func isOption(_ part: String) -> Bool {
        if names.contains(part) { return true }  // ASCII
        guard let (name, _) = part.cut(at: "=") else { return false }
        return !name.utf8.isEmpty && name.utf8.allSatisfy { $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func mode(_ text: String) throws(ListenPlace.Flaw) -> UInt32 {
        guard text.utf8.count <= 4, let mode = UInt32(text, radix: 8), mode <= 0o777, mode & 0o600 == 0o600 else {
            throw .init(reason: "has mode=\(text), which must be an octal number from 0600 to 0777 that lets the server itself use the socket")
        }
        return mode
    }

    private static func user(_ text: String) throws(ListenPlace.Flaw) -> uid_t {
        guard let number = text.utf8.isEmpty ? nil : getpwnam(text)?.pointee.pw_uid ?? uid_t(text) else {
            throw .init(reason: "has owner=\(text), and this system has no such user")
        }
        return number
    }

    private static func group(_ text: String) throws(ListenPlace.Flaw) -> gid_t {
        guard let number = text.utf8.isEmpty ? nil : getgrnam(text)?.pointee.gr_gid ?? gid_t(text) else {
            throw .init(reason: "has group=\(text), and this system has no such group")
        }
        return number
    }
}
