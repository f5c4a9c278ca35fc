internal import CCurl
import Glibc
import Threading

/// libcurl, set up once a process, before its first handle. A fork before that is no concern of libcurl's.
enum CurlLibrary {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

/// libcurl's easy handle: one request. Its options are set before it is added to a `CurlMulti`, on that one's thread.
final class CurlEasy {
    let handle: UnsafeMutableRawPointer
    /// What libcurl says of a failure in detail.
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    /// The first option that libcurl has refused.
    private(set) var flaw: CURLcode = CURLE_OK

    init() throws(UploadError) {
        guard CurlLibrary.isReady, let handle = curl_easy_init() else { throw UploadError(.local, "libcurl", "there is no memory for a request") }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        note(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    private func note(_ code: CURLcode) { if flaw == CURLE_OK { flaw = code } }

    func set(_ option: CURLoption, _ value: Int) { note(ccurl_set_long(handle, option, value)) }
    func set(_ option: CURLoption, _ value: String) { note(ccurl_set_text(handle, option, value)) }
    func set(_ option: CURLoption, _ bytes: [UInt8]) { note(bytes.withUnsafeBytes { ccurl_set_blob(handle, option, $0.baseAddress, $0.count) }) }
    func set(_ option: CURLoption, offset value: Int) { note(ccurl_set_offset(handle, option, curl_off_t(value))) }
    func set(_ option: CURLoption, _ value: Duration) { set(option, value.milliseconds) }

    func set(_ function: CURLoption, _ callback: curl_read_callback, _ data: CURLoption, _ owner: UnsafeMutableRawPointer) {
        note(ccurl_set_data_function(handle, function, callback))
        note(ccurl_set_pointer(handle, data, owner))
    }

    func setSeek(_ callback: curl_seek_callback, _ owner: UnsafeMutableRawPointer) {
        note(ccurl_set_seek_function(handle, callback))
        note(ccurl_set_pointer(handle, CURLOPT_SEEKDATA, owner))
    }

    func setOpenSocket(_ callback: curl_opensocket_callback, _ owner: UnsafeMutableRawPointer) {
        note(ccurl_set_socket_function(handle, callback))
        note(ccurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, owner))
    }

    func setHeaders(_ lines: [String]) {
        for line in lines {
            guard let longer = curl_slist_append(headers, line) else { return note(CURLE_OUT_OF_MEMORY) }
            headers = longer
        }
        note(ccurl_set_list(handle, CURLOPT_HTTPHEADER, headers))
    }

    func number(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        return ccurl_get_offset(handle, info, &value) == CURLE_OK ? Int(value) : 0
    }

    /// Of the request's head, once it is sent.
    var sentHeadBytes: Int {
        var value = 0
        return ccurl_get_long(handle, CURLINFO_REQUEST_SIZE, &value) == CURLE_OK ? value : 0
    }

    /// Of what was sent, the bytes that the peer's kernel has not acknowledged (tcp(7), SIOCOUTQ). libcurl 8.14 does not say which
    /// socket a request has before its end: then it is asked of the one that was opened for it.
    func unacknowledgedBytes(opened: Int32) -> Int {
        var socket: curl_socket_t = -1
        var count: Int32 = 0
        if ccurl_get_socket(handle, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK || socket < 0 { socket = opened }
        return socket >= 0 && ioctl(socket, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
    }

    /// libcurl's words for a failure, the detailed ones where it has them.
    func words(for code: CURLcode) -> String {
        let detail = String(cString: errorText).sanitised
        return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    }

    /// Goes on after a read that had nothing to give.
    func unpause() { curl_easy_pause(handle, CURLPAUSE_CONT) }
}

extension Duration {
    /// Rounded up, and no more than libcurl takes.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(min(seconds, 2_000_000)) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
