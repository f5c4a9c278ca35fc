import CLinux
import Glibc
import Threading

extension SocketAddress {
    /// What a host's name or address stands for, in the order to try; nil where that can't be told now. Waits for
    /// the resolver, unless `isNumeric`: then a name stands for nothing.
    public static func all(of host: String, port: UInt16, isNumeric: Bool = false) -> [SocketAddress]? {
        var hints = addrinfo()
        // Without AI_ADDRCONFIG, addresses of a family that this machine has not would be among them.
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        hints.ai_socktype = Int32(clinux_stream_socket)
        var list: UnsafeMutablePointer<addrinfo>?
        switch getaddrinfo(host, String(port), &hints, &list) {
        case 0: break
        case EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_SYSTEM: return nil
        default: return []
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            var storage = sockaddr_storage()
            memcpy(&storage, entry.pointee.ai_addr, min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size))
            if let address = SocketAddress(storage), !found.contains(address) { found.append(address) }
        }
        return found
    }

    fileprivate func withKernelAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        func pass(_ bytes: UnsafeRawBufferPointer) -> R {
            body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        return isIPv6 ? withUnsafeBytes(of: address6, pass) : withUnsafeBytes(of: address4, pass)
    }

    private var address4: sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return address
    }

    private var address6: sockaddr_in6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        inet_pton(AF_INET6, host, &address.sin6_addr)
        return address
    }
}

extension Socket {
    /// Begins to connect, without waiting: once the socket is writable, `connectError` says how that went. The
    /// caller owns the descriptor.
    public static func beginConnecting(to address: SocketAddress) throws(SystemError) -> Int32 {
        let place = "connect to \(address)"
        let number = clinux_stream_socket_of(address.isIPv6 ? AF_INET6 : AF_INET)
        if number < 0 { throw SystemError(place) }
        _ = clinux_set_nonblocking(number, 1)
        setNoDelay(number)
        let isUnderWay = address.withKernelAddress { Glibc.connect(number, $0, $1) == 0 || errno == EINPROGRESS }
        if isUnderWay { return number }
        let error = SystemError(place)
        close(number)
        throw error
    }

    /// Waits until a connection that was begun is there.
    public static func awaitConnected(_ descriptor: Int32, until deadline: Deadline) throws(SystemError) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while poll(&entry, 1, deadline.pollTimeout) <= 0 {
            if deadline.hasPassed { throw SystemError("connect", number: ETIMEDOUT) }
        }
        if let error = connectError(of: descriptor) { throw error }
    }

    /// Why a connection that was begun did not come about; nil: it did.
    public static func connectError(of descriptor: Int32) -> SystemError? {
        guard let number = option(SO_ERROR, of: descriptor), number != 0 else { return nil }
        return SystemError("connect", number: number)
    }
}
