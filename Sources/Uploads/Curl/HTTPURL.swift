import Bytewise
internal import CCurl
import Stores

/// A URL of http or https, cut into its parts by libcurl, which will also be the one that connects.
package struct HTTPURL: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// As it goes to libcurl: with what stands before the host.
    let whole: Secret
    package let scheme: String
    /// A name, or an address; IPv6 in brackets.
    package let host: String
    package let port: Int
    /// As it stands in the URL, percent-encoded.
    package let path: String
    let query: Secret?
    let userInformation: [Secret]

    /// Refuses what is no URL of http or https.
    package init(_ text: String) throws(UploadError) { try self.init(text, relativeTo: nil) }

    /// What a `Location` leads to.
    init(_ location: String, relativeTo base: HTTPURL?) throws(UploadError) {
        let parser = try CurlURL()
        if let base { try parser.set(base.whole.revealed) }
        try parser.set(location, encoding: base != nil)
        guard let scheme = parser.part(CURLUPART_SCHEME)?.lowercasedASCII, scheme.isSame(as: "http") || scheme.isSame(as: "https") else {
            throw UploadError(.invalid, "URL", "only http:// and https:// are sent to here")
        }
        guard let host = parser.part(CURLUPART_HOST), !host.isEmpty, let port = parser.part(CURLUPART_PORT).flatMap(\.asciiNumber), port > 0,
            let whole = parser.part(CURLUPART_URL)
        else { throw UploadError(.invalid, "URL", "it has no host, or no port that there is") }
        self.whole = Secret(whole.until("#"))
        (self.scheme, self.host, self.port) = (scheme, host.lowercasedASCII, port)
        path = parser.part(CURLUPART_PATH) ?? "/"
        query = parser.part(CURLUPART_QUERY).map(Secret.init)
        userInformation = [CURLUPART_USER, CURLUPART_PASSWORD].compactMap { parser.part($0).map(Secret.init) }
    }

    var isDefaultPort: Bool { port == (scheme.isSame(as: "https") ? 443 : 80) }
    /// As `Host` has it.
    var authority: String { isDefaultPort ? host : "\(host):\(port)" }
    /// What may be shown of it: paths and queries of uploads hold keys.
    package var origin: String { "\(scheme)://\(authority)" }
    /// The whole URL, for who judges it. Nothing shows it.
    package var revealed: String { whole.revealed }
    package var description: String { origin }
    package var debugDescription: String { origin }

    /// Texts in it that a response must not show again.
    var secrets: [Secret] {
        var secrets = userInformation
        let decoded = userInformation.map { CurlURL.decoded($0.revealed) }
        secrets += decoded.map(Secret.init)
        if decoded.count == 2 { secrets.append(Secret(Base64.text("\(decoded[0]):\(decoded[1])".utf8))) }
        if let query {
            secrets.append(query)
            secrets += query.revealed.parts(at: "&").map { Secret($0.cut(at: "=")?.after ?? $0) }
        }
        return secrets
    }
}

/// libcurl's parser of URLs.
final class CurlURL {
    private let handle: OpaquePointer

    init() throws(UploadError) {
        guard let handle = curl_url() else { throw UploadError(.local, "URL", "there is no memory to read it") }
        self.handle = handle
    }

    deinit { curl_url_cleanup(handle) }

    func set(_ text: String, encoding: Bool = false) throws(UploadError) {
        // libcurl's text ends at a NUL.
        if text.utf8.contains(0) { throw UploadError(.invalid, "URL", "it has a NUL character in it") }
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME) | UInt32(CURLU_PATH_AS_IS) | (encoding ? UInt32(CURLU_URLENCODE) : 0)
        let code = curl_url_set(handle, CURLUPART_URL, text, flags)
        if code != CURLUE_OK { throw UploadError(.invalid, "URL", "it can't be read: \(String(cString: curl_url_strerror(code)).lowercasedASCII)") }
    }

    /// nil: it has no such part.
    func part(_ part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let flags = part == CURLUPART_PORT ? UInt32(CURLU_DEFAULT_PORT) : 0
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    static func decoded(_ text: String) -> String {
        var length: Int32 = 0
        guard let decoded = curl_easy_unescape(nil, text, Int32(text.utf8.count), &length) else { return text }
        defer { curl_free(decoded) }
        return String(decoding: UnsafeRawBufferPointer(start: decoded, count: Int(length)), as: UTF8.self)
    }
}
