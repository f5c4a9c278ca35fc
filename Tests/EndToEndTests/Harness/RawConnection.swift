import Foundation

/// One TCP connection on which a test decides every byte. Its blocking calls run on a thread of
/// its own and have a deadline.
actor RawConnection {
    private let socket: Int32
    private var unread = Data()
    private var isReset = false
    private let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// `address` is the client's own.
    init(port: Int, from address: String? = nil, receiveBuffer: Int32? = nil, deadlineInSeconds: Int = 60) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var deadline = timeval(tv_sec: deadlineInSeconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        var noDelay: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        if var receiveBuffer {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        if let address {
            guard Self.with(address, 0, { bind(socket, $0, $1) }) == 0 else {
                throw HarnessError("bind to \(address): \(String(cString: strerror(errno)))")
            }
        }
        guard Self.with("127.0.0.1", port, { connect(socket, $0, $1) }) == 0 else {
            throw HarnessError("connect: \(String(cString: strerror(errno)))")
        }
    }

    private static func with(
        _ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    deinit { if !isReset { close(socket) } }

    /// Ends the connection as a client that dies does: with a reset, whatever is still unread.
    func reset() {
        if isReset { return }
        isReset = true
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close(socket)
    }

    func send(_ text: String) throws { try send(Data(text.utf8)) }

    func send(_ bytes: Data) throws {
        try bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let count = Glibc.send(socket, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw HarnessError("send: \(String(cString: strerror(errno)))") }
                sent += count
            }
        }
    }

    /// Sends `bytes` as one body in chunked transfer coding, `piece` bytes a chunk, each in a
    /// write of its own.
    func sendChunked(_ bytes: Data, piece: Int, ends: Bool = true) throws {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = min(start + piece, bytes.endIndex)
            try send(Data("\(String(end - start, radix: 16))\r\n".utf8) + bytes[start..<end] + Data("\r\n".utf8))
            start = end
        }
        if ends { try send("0\r\n\r\n") }
    }

    /// A request with Content-Length and its response.
    func request(
        _ method: String, _ path: String, headers: [String] = [], body: Data? = nil
    ) throws -> Response {
        try send(Data(Self.head(method, path, headers: headers, contentLength: body?.count).utf8))
        if let body { try send(body) }
        let response = try response(to: method)
        Contract.check(response, to: method, path)
        return response
    }

    func request(_ method: String, _ path: String, json: JSON) throws -> Response {
        try request(method, path, headers: ["Content-Type: application/json"], body: json.data)
    }

    /// A request head; with no `contentLength` the headers must frame the body, if there is one.
    static func head(_ method: String, _ path: String, headers: [String] = [], contentLength: Int? = nil) -> String {
        let length = contentLength.map { ["Content-Length: \($0)"] } ?? []
        return (["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers + length).joined(separator: "\r\n")
            + "\r\n\r\n"
    }

    /// The server has sent what was not asked for yet, or closed the connection.
    var hasUnread: Bool {
        var byte: UInt8 = 0
        return !unread.isEmpty || recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0
    }

    /// The next response, interim ones left out.
    func response(to method: String = "GET") throws -> Response {
        while true {
            let response = try head()
            if response.status >= 200 { return try withBody(response, to: method) }
        }
    }

    /// The next response head alone, interim ones too.
    func head() throws -> Response {
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let range = unread.range(of: end) {
                let text = String(decoding: unread[..<range.lowerBound], as: UTF8.self)
                unread = Data(unread[range.upperBound...])
                return try Response(head: text)
            }
            guard try receive() else { throw HarnessError("the server closed the connection within a head: \(unread)") }
        }
    }

    /// Reads the body that goes with a head from `head()`.
    func withBody(_ head: Response, to method: String) throws -> Response {
        var response = head
        if method == "HEAD" || response.status == 204 || response.status == 304 { return response }
        if let length = response["Content-Length"].flatMap({ Int($0) }) {
            response.body = try take(length)
        } else if response["Transfer-Encoding"]?.lowercased() == "chunked" {
            while true {
                let size = Int(try line().prefix { $0 != ";" }, radix: 16) ?? 0
                if size > 0 { response.body += try take(size) }
                _ = try line()
                if size == 0 { return response }
            }
        } else {
            while try receive() {}
            response.body = unread
            unread = Data()
        }
        return response
    }

    /// All that comes until the server closes the connection.
    func readToEnd() throws -> String {
        while try receive() {}
        return String(decoding: unread, as: UTF8.self)
    }

    /// Whether the server closes the connection without another byte.
    func isClosed() throws -> Bool {
        if !unread.isEmpty { return false }
        return try !receive()
    }

    /// Ends our side; the server sees the end of the stream.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    private func line() throws -> String {
        while true {
            if let range = unread.range(of: Data("\r\n".utf8)) {
                let text = String(decoding: unread[..<range.lowerBound], as: UTF8.self)
                unread = Data(unread[range.upperBound...])
                return text
            }
            guard try receive() else { throw HarnessError("the server closed the connection within a body") }
        }
    }

    private func take(_ count: Int) throws -> Data {
        while unread.count < count {
            guard try receive() else { throw HarnessError("the server closed the connection within a body") }
        }
        let taken = Data(unread.prefix(count))
        unread = Data(unread.dropFirst(count))
        return taken
    }

    /// Reads some bytes; false at the end of the stream. A reset is one: a server that closes before
    /// it has read everything causes it.
    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == ECONNRESET { return false }
            guard count >= 0 else { throw HarnessError("receive: \(String(cString: strerror(errno)))") }
            unread.append(contentsOf: buffer[..<count])
            return count > 0
        }
    }
}

/// Runs an actor's jobs on a dispatch queue, where they may block.
private final class ThreadExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "raw connection")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
