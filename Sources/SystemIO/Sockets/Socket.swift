import CLinux
import Glibc
import Threading

/// What a read or write on a socket came to.
public enum SocketProgress: Sendable, Equatable {
    case moved(Int)
    /// The peer ended its side (reading) or is gone (writing).
    case ended
    /// The deadline passed first.
    case timedOut
}

/// Deadlined I/O on connected stream sockets, of TCP or local, which are blocking ones, as `Listener` makes them. Only
/// `receive(_:into:)` and `sendFileAvailable` rely on it.
public enum Socket {
    /// The most regions one call hands to the kernel (IOV_MAX is 1,024).
    static let maxRegions = 512
    /// What one call sends of a file.
    private static let largestSendFile = 1_024 * 1_024

    public static func setNoDelay(_ descriptor: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Has waiting for bytes last until there are `count`, or no more come, or the kernel holds no more.
    public static func setLowWater(_ descriptor: Int32, _ count: Int) {
        var count = Int32(clamping: count)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, socklen_t(MemoryLayout<Int32>.size))
    }

    /// How long `receive(_:into:)` waits, from then on. False: it may wait for ever.
    public static func setReceiveTimeout(_ descriptor: Int32, _ time: Duration) -> Bool {
        setTimeout(SO_RCVTIMEO, descriptor, time)
    }

    /// A time of zero would be none.
    static func setTimeout(_ name: Int32, _ descriptor: Int32, _ time: Duration) -> Bool {
        let (seconds, attoseconds) = time.components
        var time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        if time.tv_sec == 0 && time.tv_usec == 0 { time.tv_usec = 1 }
        return setsockopt(descriptor, SOL_SOCKET, name, &time, socklen_t(MemoryLayout<timeval>.size)) == 0
    }

    /// Connects to `host` and `port`, at the first of its addresses that takes the connection. The caller owns the
    /// descriptor.
    public static func connect(host: String, port: UInt16) throws(SystemError) -> Int32 {
        let place = "connect to \(host):\(port)"
        var hints = addrinfo()
        hints.ai_socktype = Int32(clinux_stream_socket)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else { throw SystemError(place, number: EADDRNOTAVAIL) }
        defer { freeaddrinfo(found) }
        var failure = SystemError(place, number: EADDRNOTAVAIL)
        var next = found
        while let chosen = next {
            next = chosen.pointee.ai_next
            let number = clinux_stream_socket_of(chosen.pointee.ai_family)
            if number < 0 {
                failure = SystemError(place)
                continue
            }
            if Glibc.connect(number, chosen.pointee.ai_addr, chosen.pointee.ai_addrlen) == 0 { return number }
            failure = SystemError(place)
            close(number)
        }
        throw failure
    }

    /// Connects to a local socket, whose server may have a full queue of connections for that time. The caller owns the
    /// descriptor.
    public static func connect(path: String, within time: Duration = .seconds(10)) throws(SystemError) -> Int32 {
        try LocalSocket.connect(to: path, within: time)
    }

    /// Whether it is a Unix socket that carries bytes, as an end of a pair is.
    public static func isLocalStream(_ descriptor: Int32) -> Bool {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
        }
        return option(SO_DOMAIN) == AF_UNIX && option(SO_TYPE) == Int32(clinux_stream_socket)
    }

    public static func peer(of descriptor: Int32) -> SocketAddress? {
        SocketAddress.read { getpeername(descriptor, $0, $1) } ?? SocketAddress(localPeerOf: descriptor)
    }

    /// Whether `bytesRead` can tell.
    public static func countsBytesRead(_ descriptor: Int32) -> Bool { option(SO_PROTOCOL, of: descriptor) == Int32(IPPROTO_TCP) }

    /// How many bytes of a TCP connection have been read, by whatever process; its end counts as one once it has come. nil
    /// of others.
    public static func bytesRead(_ descriptor: Int32) -> Int64? {
        while true {
            let received = clinux_tcp_bytes_received(descriptor)
            guard received >= 0 else { return nil }
            let unread = clinux_bytes_unread(descriptor)
            // Unless some came between the two questions.
            if clinux_tcp_bytes_received(descriptor) == received { return received - Int64(max(0, unread)) }
        }
    }

    /// Whether it is a TCP connection that was made to this port of the machine.
    public static func isConnection(_ descriptor: Int32, toPort port: UInt16) -> Bool {
        guard option(SO_TYPE, of: descriptor) == Int32(clinux_stream_socket),
            option(SO_PROTOCOL, of: descriptor) == Int32(IPPROTO_TCP), option(SO_ACCEPTCONN, of: descriptor) == 0
        else { return false }
        return SocketAddress.read { getsockname(descriptor, $0, $1) }?.port == port
    }

    static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }

    /// Closing it from here on tells the peer that something broke off, and drops what is unsent.
    public static func resetOnClose(_ descriptor: Int32) {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends both directions, for every process that has it.
    public static func shutDown(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Whether the peer has left, or sends no more.
    public static func hasPeerEnded(_ descriptor: Int32) -> Bool {
        // POLLRDHUP has the number of EPOLLRDHUP.
        var entry = pollfd(fd: descriptor, events: Int16(clinux_epoll_hang_up), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    public static func shutDownWriting(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads what is there or the first that comes; nil when nothing did within `setReceiveTimeout`'s time, or
    /// a signal ended the wait.
    public static func receive(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> SocketProgress? {
        let count = clinux_receive(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return .moved(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? nil : .ended
    }

    /// Reads what is there, without waiting; nil when nothing is.
    public static func receiveAvailable(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> SocketProgress? {
        while true {
            let count = clinux_receive_available(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: return .ended
            }
        }
    }

    /// Fills a prefix of `regions`, in order, waiting for the first byte until `deadline`; what has come
    /// by then it takes, also below the low-water mark. `limit` bounds the bytes taken.
    public static func receive(
        _ descriptor: Int32, into regions: [UnsafeMutableRawBufferPointer], limit: Int,
        deadline: Deadline
    ) -> SocketProgress {
        var isLate = false
        while true {
            if let progress = receiveAvailable(descriptor, into: regions, limit: limit) { return progress }
            if isLate { return .timedOut }
            isLate = wait(descriptor, for: Int16(POLLIN), until: deadline) == .timedOut
        }
    }

    /// The same without waiting; nil when nothing is there.
    public static func receiveAvailable(
        _ descriptor: Int32, into regions: [UnsafeMutableRawBufferPointer], limit: Int
    ) -> SocketProgress? {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: min(regions.count, maxRegions)) { parts in
            var left = limit
            var used = 0
            for region in regions.prefix(parts.count) where left > 0 {
                let length = min(region.count, left)
                parts[used] = iovec(iov_base: region.baseAddress, iov_len: length)
                used += 1
                left -= length
            }
            if left == limit { return .moved(0) }
            while true {
                let count = clinux_receive_into(descriptor, parts.baseAddress, used)
                if count > 0 { return .moved(count) }
                if count == 0 { return .ended }
                switch errno {
                case EINTR: continue
                case EAGAIN: return nil
                default: return .ended
                }
            }
        }
    }

    /// Waits until the socket has bytes or its peer ended, `.moved(0)` then; nil when a signal ended the wait.
    public static func awaitReadable(_ descriptor: Int32, until deadline: Deadline) -> SocketProgress? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&entry, 1, deadline.pollTimeout)
        if ready < 0 && errno == EINTR { return nil }
        return entry.revents != 0 ? .moved(0) : .timedOut
    }

    /// Waits until the socket has bytes or its peer ended: `.moved(0)` then.
    public static func waitUntilReadable(
        _ descriptor: Int32, until deadline: Deadline
    ) -> SocketProgress {
        wait(descriptor, for: Int16(POLLIN), until: deadline)
    }

    /// Writes all of `regions`; the peer must take each 64 KiB of them within `timeout`.
    public static func sendAll(
        _ descriptor: Int32, _ regions: [UnsafeRawBufferPointer], timeout: Duration, moreFollows: Bool = false
    ) -> SocketProgress {
        var parts = regions.filter { !$0.isEmpty }.map {
            iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        var total = 0
        var pace: Pace?
        while !parts.isEmpty {
            let count = clinux_send_from(descriptor, parts, min(parts.count, maxRegions), moreFollows ? 1 : 0)
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { return .ended }
                let ready = waitUntilWritable(descriptor, &pace, timeout)
                if ready != .moved(0) { return ready }
                continue
            }
            pace?.moved(count)
            total += count
            drop(count, from: &parts)
        }
        return .moved(total)
    }

    /// The same for one region, with nothing to allocate.
    public static func sendAll(
        _ descriptor: Int32, _ region: UnsafeRawBufferPointer, timeout: Duration, moreFollows: Bool = false
    ) -> SocketProgress {
        var left = region
        var pace: Pace?
        while true {
            switch sendAvailable(descriptor, left, moreFollows: moreFollows) {
            case .moved(let count):
                pace?.moved(count)
                left = UnsafeRawBufferPointer(rebasing: left[count...])
                if left.isEmpty { return .moved(region.count) }
            case let failure: return failure
            }
            let ready = waitUntilWritable(descriptor, &pace, timeout)
            if ready != .moved(0) { return ready }
        }
    }

    /// Sends what there is room for, without waiting; it may be nothing.
    public static func sendAvailable(
        _ descriptor: Int32, _ region: UnsafeRawBufferPointer, moreFollows: Bool = false
    ) -> SocketProgress {
        var sent = 0
        while sent < region.count {
            let count = clinux_send(descriptor, region.baseAddress! + sent, region.count - sent, moreFollows ? 1 : 0)
            if count >= 0 {
                sent += count
                continue
            }
            if errno == EINTR { continue }
            if errno == EAGAIN { break }
            return .ended
        }
        return .moved(sent)
    }

    /// Sends up to `count` bytes of `file` from `offset`, as many as there is room for; the kernel copies. `.ended`
    /// also when the file has none. No other thread uses the socket meanwhile.
    public static func sendFileAvailable(
        _ descriptor: Int32, from file: Int32, offset: UInt64, count: Int
    ) -> SocketProgress {
        // sendfile(2) can't be told by a flag not to wait.
        _ = clinux_set_nonblocking(descriptor, 1)
        defer { _ = clinux_set_nonblocking(descriptor, 0) }
        var position = off_t(offset)
        while true {
            let sent = sendfile(descriptor, file, &position, min(count, largestSendFile))
            if sent > 0 { return .moved(sent) }
            if sent == 0 { return .ended }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .moved(0) : .ended
        }
    }

    /// The pace begins with the first wait: most answers need none.
    private static func waitUntilWritable(
        _ descriptor: Int32, _ pace: inout Pace?, _ timeout: Duration
    ) -> SocketProgress {
        let current = pace ?? Pace(timeout)
        pace = current
        return wait(descriptor, for: Int16(POLLOUT), until: current.deadline)
    }

    private static func drop(_ count: Int, from parts: inout [iovec]) {
        var left = count
        var finished = 0
        for index in parts.indices {
            if left < parts[index].iov_len {
                parts[index].iov_base += left
                parts[index].iov_len -= left
                break
            }
            left -= parts[index].iov_len
            finished += 1
        }
        parts.removeFirst(finished)
    }

    private static func wait(
        _ descriptor: Int32, for events: Int16, until deadline: Deadline
    ) -> SocketProgress {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let ready = poll(&entry, 1, deadline.pollTimeout)
            if ready < 0 && errno == EINTR { continue }
            if entry.revents != 0 { return .moved(0) }
            if ready < 0 || deadline.hasPassed { return .timedOut }
        }
    }
}
