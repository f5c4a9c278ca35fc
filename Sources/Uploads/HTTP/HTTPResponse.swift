import Bytewise
import Stores

/// What a server answered: the final status, the headers, and the first bytes of the body.
package struct HTTPResponse: Sendable {
    package let status: Int
    let headers: [(name: String, value: String)]
    /// No more than `HTTPResponse.mostBytes` of it.
    let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) { (self.status, self.headers, self.body) = (status, headers, body) }

    /// What S3's longest answers to what is asked here have, and then some.
    static let mostBytes = 64 * 1_024
    static let mostHeaderBytes = 64 * 1_024
    /// Of the body, in errors.
    static let mostExcerptBytes = 1_024

    package var isSuccess: Bool { (200...299).contains(status) }

    /// The value of the first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercasedASCII.isSame(as: name.lowercasedASCII) }?.value
    }

    /// How long the server asks to be left alone (RFC 9110, 10.2.3); nil: it does not say.
    package var retryAfter: Duration? {
        guard let text = header("Retry-After") else { return nil }
        if let seconds = text.asciiNumber { return .seconds(seconds) }
        guard let moment = HTTPDate.seconds(of: text) else { return nil }
        // By the server's own clock where it tells the time.
        let now = header("Date").flatMap { HTTPDate.seconds(of: $0) } ?? HTTPDate.now
        return .seconds(max(0, moment - now))
    }

    /// The first of the text, on one line, without the secrets of the request. Empty where the body is no text.
    func excerpt(without secrets: Redactor) -> String {
        // What is cut off may be the half of a secret.
        let whole = body.count < Self.mostBytes ? body : body.dropLast(Redactor.mostBytes)
        let kept = Array(whole.prefix(16 * 1_024 + Redactor.mostBytes))
        if kept.contains(0) { return "" }
        return secrets.redacted(String(decoding: kept, as: UTF8.self)).sanitised.shortened(to: Self.mostExcerptBytes)
    }

    /// "403 Forbidden", with what the number is called in RFC 9110 and not what the server calls it.
    package static func named(_ status: Int) -> String { names[status].map { "\(status) \($0)" } ?? "\(status)" }

    private static let names: [Int: String] = [
        200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required",
        412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type", 417: "Expectation Failed",
        422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 507: "Insufficient Storage",
    ]
}

extension StringProtocol {
    /// Of ASCII digits alone, as many as an Int surely holds.
    var asciiNumber: Int? {
        utf8.isEmpty || utf8.count > 18 || !utf8.allSatisfy(\.isASCIIDigit) ? nil : utf8.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

/// Takes the secrets of a request out of what a server says: many repeat what they were sent.
struct Redactor: Sendable {
    /// Of one secret, as it is looked for.
    static let mostBytes = 16 * 1_024
    /// Shorter ones can't be told from other text.
    private static let fewestBytes = 4

    private var secrets: [String] = []

    init(_ secrets: some Sequence<Secret> = []) { for secret in secrets { add(secret) } }

    mutating func add(_ secret: Secret) {
        let text = secret.revealed
        // As it is, and as a query or a form would have it.
        secrets += [text, text.percentEncoded()].filter { (Self.fewestBytes...Self.mostBytes).contains($0.utf8.count) }
        // The longest first: one may be part of another.
        secrets.sort { $0.utf8.count > $1.utf8.count }
    }

    func redacted(_ text: String) -> String { secrets.reduce(text) { $0.replacing(bytes: $1, with: Secret.shown) } }
}
