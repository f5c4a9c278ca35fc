import Bytewise

/// A response as it comes: lines of the head, then bytes of the body.
struct ResponseCollector {
    /// What is read of a body; a longer one is no answer to an upload.
    static let mostBytes = 4 * 1_024 * 1_024

    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    /// Of head and body together.
    private(set) var received = 0
    private(set) var isTooLong = false
    /// The empty line that ends it has come. libcurl takes a connection's end for it.
    private(set) var isHeadWhole = false

    /// nil while there is none but 1xx.
    var finalStatus: Int? { status >= 200 ? status : nil }

    /// nil: none has come.
    var response: HTTPResponse? { finalStatus.map { HTTPResponse(status: $0, headers: headers, body: body) } }

    /// Returns what libcurl wants: how many bytes were taken.
    mutating func take(line bytes: UnsafeRawBufferPointer) -> Int {
        received += bytes.count
        headerBytes += bytes.count
        let line = String(decoding: bytes, as: UTF8.self).trimmedASCII
        if line.begins(with: "HTTP/"), let rest = line.cut(at: " ")?.after {
            // Another head: after a 100, or of a trailer's.
            (status, headers, headerBytes) = (rest.until(" ").asciiNumber ?? 0, [], 0)
            isHeadWhole = false
        } else if line.isEmpty {
            isHeadWhole = true
        } else if headerBytes <= HTTPResponse.mostHeaderBytes, let (name, value) = line.cut(at: ":") {
            headers.append((name, value.trimmedASCII))
        }
        return bytes.count
    }

    mutating func take(body bytes: UnsafeRawBufferPointer) -> Int {
        received += bytes.count
        body += bytes.prefix(HTTPResponse.mostBytes - body.count)
        isTooLong = received > Self.mostBytes
        return isTooLong ? 0 : bytes.count
    }
}
