import Glibc
import Synchronization
import SystemIO

// The C library's functions by which libav and the libraries under it look names up and touch
// files by name. A program's own definitions stand before those of its libraries, for all of them:
// so libavformat's, libsrt's and GnuTLS's calls come here, also those that no callback of libav's
// tells of (a playlist renamed, a segment deleted, a redirect followed).
package enum Interposition {
    private static let folder = Mutex<MuxerFolder?>(nil)

    /// From now on relative names are names in there. Absolute ones are not libav's: no muxer is
    /// given one.
    static func confine(to folder: MuxerFolder?) { self.folder.withLock { $0 = folder } }

    private static let accepted = Mutex<(@Sendable () -> Void)?>(nil)

    /// `body` is called, on the thread that waits, when a library has accepted a connection.
    static func whenAccepted(_ body: @escaping @Sendable () -> Void) { accepted.withLock { $0 = body } }

    fileprivate static func noteAccepted() { accepted.withLock { $0 }?() }

    /// Whether the libraries' calls do come here.
    package static var isInPlace: Bool {
        ["accept", "getaddrinfo", "open", "open64", "rename", "unlink", "rmdir", "mkdir"].allSatisfy(DynamicSymbol.isOurs)
    }

    /// The folder that a name is held against; nil: the call goes on as it is.
    fileprivate static func place(of path: UnsafePointer<CChar>) -> MuxerFolder? {
        guard path.pointee != CChar(UInt8(ascii: "/")) else { return nil }
        return folder.withLock { $0 }
    }

    /// A call's answer as the C library would give it.
    fileprivate static func answer(_ call: () throws(SystemError) -> Int32) -> Int32 {
        do throws(SystemError) {
            return try call()
        } catch {
            errno = error.number
            return -1
        }
    }
}

@_cdecl("open64")
public func penstockOpenLarge(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: UInt32) -> Int32 {
    penstockOpen(path, flags, mode)
}

/// open(2) takes `mode` as it comes: read only where a file is made.
@_cdecl("open")
public func penstockOpen(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: UInt32) -> Int32 {
    guard let folder = Interposition.place(of: path) else { return UninterposedFileCalls.open(path, flags: flags, mode: mode) }
    return Interposition.answer { () throws(SystemError) in
        try folder.open(path, flags: flags, mode: mode)
    }
}

@_cdecl("rename")
public func penstockRename(_ from: UnsafePointer<CChar>, _ to: UnsafePointer<CChar>) -> Int32 {
    guard let folder = Interposition.place(of: from) else { return UninterposedFileCalls.rename(from, to: to) }
    return Interposition.answer { () throws(SystemError) in
        try folder.rename(from, to: to)
        return 0
    }
}

@_cdecl("unlink")
public func penstockUnlink(_ path: UnsafePointer<CChar>) -> Int32 {
    guard let folder = Interposition.place(of: path) else { return UninterposedFileCalls.unlink(path) }
    return Interposition.answer { () throws(SystemError) in
        try folder.remove(path)
        return 0
    }
}

@_cdecl("rmdir")
public func penstockRemoveFolder(_ path: UnsafePointer<CChar>) -> Int32 {
    guard let folder = Interposition.place(of: path) else { return UninterposedFileCalls.removeFolder(path) }
    return Interposition.answer { () throws(SystemError) in
        try folder.removeFolder(path)
        return 0
    }
}

@_cdecl("mkdir")
public func penstockMakeFolder(_ path: UnsafePointer<CChar>, _ mode: UInt32) -> Int32 {
    guard let folder = Interposition.place(of: path) else { return UninterposedFileCalls.makeFolder(path, mode: mode) }
    return Interposition.answer { () throws(SystemError) in
        try folder.makeFolder(path)
        return 0
    }
}

/// This program's own listeners call accept4(2).
@_cdecl("accept")
public func penstockAccept(
    _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> Int32 {
    let connection = UninterposedSocketCalls.accept(descriptor, address, length)
    if connection >= 0 { Interposition.noteAccepted() }
    return connection
}

@_cdecl("getaddrinfo")
public func penstockLookUp(
    _ node: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    let gate = AddressGate.shared
    guard gate.isClosed else { return NameLookup.answer(node, service, hints, result) }
    let host = node.map { String(cString: $0) } ?? ""
    let port = service.map { Int(String(cString: $0)) ?? -1 } ?? 0
    // This machine's own end of datagrams, whatever its port (that of RTCP is the one behind RTP's), or a text that
    // is asked whether it is an address.
    let isOwnEnd = host.isEmpty && (port == 0 || hints.map(\.pointee).map(isForBindingDatagrams) ?? false)
    let isText = port == 0 && (hints.map { $0.pointee.ai_flags & AI_NUMERICHOST != 0 } ?? false)
    if isOwnEnd || isText { return NameLookup.answer(node, service, hints, result) }
    guard let result, var judge = gate.judge(host: host, port: port) else { return NameLookup.refused }
    let answer = NameLookup.answer(node, service, hints, result)
    guard answer == 0 else { return answer }
    result.pointee = NameLookup.filter(result.pointee) { judge.allows($0) }
    if result.pointee != nil { return 0 }
    gate.note(refusedBy: judge)
    return NameLookup.refused
}

/// Of a socket that takes no connection: what it is bound to is where it sends from.
private func isForBindingDatagrams(_ hints: addrinfo) -> Bool {
    hints.ai_flags & AI_PASSIVE != 0 && hints.ai_socktype == Int32(SOCK_DGRAM.rawValue)
}
