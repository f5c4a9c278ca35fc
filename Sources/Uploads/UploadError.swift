/// Why bytes have not arrived: what was being done, with which server, and what that said.
package struct UploadError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The server's final status says no.
        case refused
        /// The name has no address, or no address takes a connection.
        case unreachable
        /// The caller's rule forbids every address that the name has.
        case addressForbidden
        /// The certificate is not one to trust, or there is no common TLS.
        case untrusted
        /// A connection broke, or what came over it was no HTTP.
        case cut
        /// Nothing moved for as long as that may be.
        case stalled
        /// A redirection that the caller's rule forbids, or that leads nowhere.
        case redirected
        /// What the server has is not what was sent.
        case damaged
        /// `interrupt` or `abort` was called.
        case interrupted
        /// A parameter, setting or key that no request can be made of.
        case invalid
        /// A file of this machine's, or its memory.
        case local
    }

    package var kind: Kind
    /// As a phrase: "PUT to https://a.example.com", "part 7 of s3://archive/show.ts".
    package var doing: String
    /// A sentence without its full stop.
    package var reason: String
    /// The final status; nil where none came.
    package var status: Int?
    /// What S3 calls the error: "NoSuchBucket".
    package var code: String?
    /// The first lines of the response, sanitised, without secrets.
    package var excerpt: String = ""
    /// How often it was tried.
    package var attempts = 1
    /// The bytes can't be sent again: they went out live, and are no longer here.
    package var isUnrepeatable = false

    package init(_ kind: Kind, _ doing: String, _ reason: String, status: Int? = nil) {
        (self.kind, self.doing, self.reason, self.status) = (kind, doing, reason, status)
    }

    package var description: String {
        var text = "\(doing): \(reason)"
        if attempts > 1 { text += " (attempt \(attempts))" }
        if isUnrepeatable { text += "; what went out live is not kept, and can't be sent again" }
        if !excerpt.isEmpty { text += ". The response says: \(excerpt)" }
        return text
    }
}
