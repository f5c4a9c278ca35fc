import Bytewise
internal import CCurl
import Glibc
import Stores
import Threading

/// One request as it is sent.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable { case get = "GET", head = "HEAD", put = "PUT", post = "POST", delete = "DELETE" }

    var method: Method
    var url: HTTPURL
    var headers: [HTTPHeader] = []
    /// Asks for leave before the body is sent (RFC 9110, 10.1.1).
    var expectsContinue = false
    /// Nothing is sent: that it connects is all.
    var connectsOnly = false
    /// By a connection of its own. On one that it finds closed libcurl sends a request again by itself, and tells nobody.
    var connectsAnew = false
    /// What it was signed with.
    var signatureSecrets: [Secret] = []

    /// What no error may repeat.
    var secrets: [Secret] {
        let values = headers.filter { !$0.isOfTheBody }.map(\.value)
        // The last word of each as well: the token behind "Bearer", the signature of S3's.
        return url.secrets + signatureSecrets + values + values.compactMap { $0.revealed.cutAtLast(" ", "=").map { Secret($0.after) } }
    }
}

/// One attempt at a request, by libcurl: from the connection to the response. The client's thread alone has it.
final class Transfer {
    let easy: CurlEasy
    let request: HTTPRequest
    private let body: (any RequestBody)?
    private let rules: ConnectionRules
    private var collector = ResponseCollector()
    private var bodyError: UploadError?
    private var forbidden: [String] = []
    /// The last socket; libcurl closes it.
    private var opened: Int32 = -1
    private var isPaused = false
    private var clock = StallClock()

    init(_ request: HTTPRequest, body: (any RequestBody)?, rules: ConnectionRules) throws(UploadError) {
        (self.request, self.body, self.rules) = (request, body, rules)
        easy = try CurlEasy()
        setConnection()
        setRequest()
        setCallbacks()
        if easy.flaw != CURLE_OK { throw UploadError(.local, "libcurl", "it does not take an option: \(easy.words(for: easy.flaw))") }
    }

    private func setConnection() {
        easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        easy.set(CURLOPT_HTTP09_ALLOWED, 0)
        easy.set(CURLOPT_FOLLOWLOCATION, 0)
        // Empty: none, whatever the environment says.
        easy.set(CURLOPT_PROXY, "")
        easy.set(CURLOPT_SSL_VERIFYPEER, 1)
        easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        // In the place of the system's file of them; its folder is looked in all the same.
        if let authorities = rules.authorities { easy.set(CURLOPT_CAINFO_BLOB, authorities) }
        easy.set(CURLOPT_NOSIGNAL, 1)
        // A thread that looks for an address is left behind, not waited for.
        easy.set(CURLOPT_QUICK_EXIT, 1)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, rules.connectTimeout)
        easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        switch rules.addressFamily {
        case .any: break
        case .ipv4: easy.set(CURLOPT_IPRESOLVE, Int(CURL_IPRESOLVE_V4))
        case .ipv6: easy.set(CURLOPT_IPRESOLVE, Int(CURL_IPRESOLVE_V6))
        }
    }

    private func setRequest() {
        easy.set(CURLOPT_URL, request.url.whole.revealed)
        easy.set(CURLOPT_PATH_AS_IS, 1)
        easy.set(CURLOPT_USERAGENT, "penstock")
        easy.set(CURLOPT_UPLOAD_BUFFERSIZE, 256 * 1_024)
        // A request that libcurl sends again by itself, on a connection that had died, must find its body whole.
        if request.connectsAnew || body is any GrowingBody { easy.set(CURLOPT_FRESH_CONNECT, 1) }
        switch request.method {
        case .head where request.connectsOnly: easy.set(CURLOPT_CONNECT_ONLY, 1)
        case .head: easy.set(CURLOPT_NOBODY, 1)
        case .put, .post:
            easy.set(CURLOPT_UPLOAD, 1)
            easy.set(CURLOPT_INFILESIZE_LARGE, offset: body.map { $0.size ?? -1 } ?? 0)
        case .get, .delete: easy.set(CURLOPT_HTTPGET, 1)
        }
        if request.method != .head { easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
        // Without a value: the one that libcurl would add is left out.
        let expectation = request.expectsContinue ? "Expect: 100-continue" : "Expect:"
        easy.setHeaders(["Accept:", expectation] + request.headers.map(\.line))
    }

    private func setCallbacks() {
        let owner = Unmanaged.passUnretained(self).toOpaque()
        easy.set(CURLOPT_READFUNCTION, { Transfer.at($3).read($0, $1 * $2) }, CURLOPT_READDATA, owner)
        easy.set(CURLOPT_WRITEFUNCTION, { Transfer.at($3).collector.take(body: UnsafeRawBufferPointer(start: $0, count: $1 * $2)) }, CURLOPT_WRITEDATA, owner)
        easy.set(CURLOPT_HEADERFUNCTION, { Transfer.at($3).collector.take(line: UnsafeRawBufferPointer(start: $0, count: $1 * $2)) }, CURLOPT_HEADERDATA, owner)
        easy.setSeek({ $2 == SEEK_SET && $1 == 0 && Transfer.at($0).body?.rewind() == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL }, owner)
        easy.setOpenSocket({ Transfer.at($0).openSocket($2!) }, owner)
    }

    private static func at(_ owner: UnsafeMutableRawPointer?) -> Transfer { Unmanaged<Transfer>.fromOpaque(owner!).takeUnretainedValue() }

    private func read(_ target: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        switch body?.read(into: UnsafeMutableRawBufferPointer(start: target, count: count)) ?? .end {
        case .bytes(let count): return count
        case .end: return 0
        case .notYet:
            isPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .failed(let error):
            bodyError = error
            return Int(CURL_READFUNC_ABORT)
        }
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let family = address.pointee.family, type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let isAllowed = withUnsafePointer(to: &address.pointee.addr) { rules.allowsAddress?($0, address.pointee.addrlen) ?? true }
        if !isAllowed {
            forbidden.append(withUnsafePointer(to: &address.pointee.addr) { Self.text(of: $0, address.pointee.addrlen) })
            return CURL_SOCKET_BAD
        }
        let socket = Glibc.socket(family, type, address.pointee.protocol)
        if socket < 0 { return CURL_SOCKET_BAD }
        opened = socket
        // A peer that no longer acknowledges anything is gone, however much the kernel would still keep for it. Later than
        // `StallClock` says so: it is for a source that pauses.
        var limit = Int32(clamping: 2 * rules.stallTimeout.milliseconds + 1_000)
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    private static func text(of address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer in
            let code = getnameinfo(address, length, buffer.baseAddress, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
            return code == 0 ? String(cString: buffer.baseAddress!) : "an address"
        }
    }

    /// Goes on after the body had nothing to give.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        easy.unpause()
    }

    /// What it may not wait for any longer; nil: it may.
    func overdue() -> UploadError? {
        // What only lies in this machine's buffers has not moved.
        let waiting = easy.unacknowledgedBytes(opened: opened)
        let arrived = easy.number(CURLINFO_SIZE_UPLOAD_T) - waiting
        // Until then the time for connecting runs.
        if easy.sentHeadBytes == 0 {
            clock.restart()
            return nil
        }
        let hasSentAll = (body?.isAtEnd ?? true) && !isPaused
        clock.note(progress: arrived + collector.received, waitsForSource: isPaused && waiting == 0, hasSentAll: hasSentAll)
        if clock.hasStalled(for: rules.stallTimeout) {
            let what = hasSentAll ? "sends no response" : "takes nothing"
            return UploadError(.stalled, doing, "the server \(what) for \(rules.stallTimeout.shown)")
        }
        if clock.hasWaited(for: rules.responseTimeout) {
            return UploadError(.stalled, doing, "the response is not whole within \(rules.responseTimeout.shown)")
        }
        return nil
    }

    var doing: String { "\(request.method.rawValue) to \(request.url.origin)" }

    /// What came of it.
    func result(_ code: CURLcode) -> Result<HTTPResponse, UploadError> {
        if let bodyError { return .failure(bodyError) }
        if collector.isTooLong { return .failure(UploadError(.cut, doing, "the response is longer than \(ResponseCollector.mostBytes) bytes")) }
        guard code == CURLE_OK else {
            let error = CurlFailure(code: code, words: easy.words(for: code), forbidden: forbidden, rules: rules)
            return .failure(error.error(doing: doing, sent: body?.position ?? 0, status: collector.finalStatus))
        }
        if request.connectsOnly { return .success(HTTPResponse(status: 200, headers: [], body: [])) }
        guard let response = collector.response else { return .failure(UploadError(.cut, doing, "the server closed the connection without a response")) }
        if !collector.isHeadWhole {
            return .failure(UploadError(.cut, doing, "the server closed the connection within its response's head", status: response.status))
        }
        // libcurl stops where a status from 300 on comes; one that says yes before it has everything has not read it.
        if response.isSuccess, let body, !body.isAtEnd {
            let end = "after \(body.position) bytes, before it had everything"
            return .failure(UploadError(.cut, doing, "the server answered \(HTTPResponse.named(response.status)) \(end)", status: response.status))
        }
        return .success(response)
    }
}

extension Duration {
    /// "30 s", "0.25 s".
    var shown: String {
        let milliseconds = milliseconds
        return milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000) s" : "\(Double(milliseconds) / 1_000) s"
    }
}
