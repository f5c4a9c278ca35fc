import CLinux
import Glibc

/// What a host and a port stand for where a server is to listen: of several addresses, the first.
struct BindableAddress {
    private let storage: sockaddr_storage
    private let length: socklen_t
    /// For errors.
    let operation: String

    /// Waits for the resolver where the host is a name.
    init(host: String, port: UInt16) throws(SystemError) {
        operation = "listen on \(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(clinux_stream_socket)
        var found: UnsafeMutablePointer<addrinfo>?
        let answer = getaddrinfo(host, String(port), &hints, &found)
        guard answer == 0, let chosen = found else {
            throw SystemError("\(operation): \(String(cString: gai_strerror(answer)))", number: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(found) }
        var storage = sockaddr_storage()
        length = min(chosen.pointee.ai_addrlen, socklen_t(MemoryLayout<sockaddr_storage>.size))
        memcpy(&storage, chosen.pointee.ai_addr, Int(length))
        self.storage = storage
    }

    /// nil: of a family that no server here listens on.
    var address: SocketAddress? { SocketAddress(storage) }

    /// A socket that has the address, and does not listen yet.
    func bound() throws(SystemError) -> Descriptor {
        let number = clinux_listening_socket(Int32(storage.ss_family), Int32(clinux_stream_socket))
        if number < 0 { throw SystemError(operation) }
        let socket = Descriptor(owning: number)
        var on: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // What it accepts inherits this.
        Socket.setNoDelay(number)
        let answer = withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, length) }
        }
        if answer < 0 { throw SystemError(operation) }
        return socket
    }
}
