internal import CCurl

/// An end of libcurl's without a response, in this module's terms.
struct CurlFailure {
    let code: CURLcode
    let words: String
    let forbidden: [String]
    let rules: ConnectionRules

    /// What came was no response: nothing broke.
    private static func isUnreadable(_ code: CURLcode, _ words: String) -> Bool {
        code == CURLE_WEIRD_SERVER_REPLY || ["Too large response headers", "Received HTTP/0.9"].contains { words.begins(with: $0) }
    }

    func error(doing: String, sent: Int, status: Int?) -> UploadError {
        switch code {
        case _ where Self.isUnreadable(code, words): return UploadError(.cut, doing, "the server's response is not one of HTTP/1.1 that can be read: \(words)", status: status)
        case CURLE_COULDNT_CONNECT where !forbidden.isEmpty:
            return UploadError(.addressForbidden, doing, "the address is not one that may be connected to: \(forbidden.joined(separator: ", "))")
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST: return UploadError(.unreachable, doing, words)
        case CURLE_OPERATION_TIMEDOUT: return UploadError(.unreachable, doing, "no connection within \(rules.connectTimeout.shown)")
        case CURLE_PEER_FAILED_VERIFICATION: return UploadError(.untrusted, doing, "the server's certificate is not trusted: \(words)")
        case CURLE_SSL_CACERT_BADFILE:
            return UploadError(.untrusted, doing, "the certificates of authorities can't be read: \(words)")
        case CURLE_SSL_CONNECT_ERROR: return UploadError(.cut, doing, "TLS did not come about: \(words)")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return UploadError(.invalid, doing, words)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: return UploadError(.local, doing, words)
        default:
            let answered = status.map { ", in the middle of the response \(HTTPResponse.named($0))" } ?? ""
            return UploadError(.cut, doing, "the connection broke after \(sent) bytes\(answered): \(words)", status: status)
        }
    }
}

extension UploadError {
    /// Whether the same request may succeed a moment later, for all that is known without a status.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .cut, .stalled: true
        case .refused: status.map(RetryRule.isPassing) ?? false
        default: false
        }
    }
}
