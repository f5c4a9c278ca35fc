import Bytewise

/// A URL as far as deciding about it needs: `scheme://user@host:port/path?query`.
public struct URLParts: Sendable, Equatable {
    public let scheme: String
    /// With user and port.
    public let authority: String
    /// From the first "/" or "?" behind the authority.
    public let rest: String

    /// nil unless it has a scheme and "://".
    public init?(_ url: String) {
        guard let (scheme, hierarchy) = url.cut(at: ":"), let tail = hierarchy.without(prefix: "//"),
            let first = scheme.utf8.first, first.isASCIILetter,
            scheme.utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "+-.".utf8.contains($0) })
        else { return nil }
        self.scheme = scheme.lowercasedASCII
        authority = tail.until("/", "?", "#")
        rest = tail.without(prefix: authority) ?? ""
    }

    public var authorityWithoutUser: String {
        authority.cutAtLast("@")?.after ?? authority
    }

    /// `user:password`, if there is one.
    public var user: String? { authority.cutAtLast("@")?.before }

    /// Without an IPv6 address's brackets.
    public var host: String { Self.split(authorityWithoutUser).host }

    /// As it is written; nil when there is none.
    public var port: String? { Self.split(authorityWithoutUser).port }

    /// `s3://STORE/KEY`: its keys are elsewhere, and it holds no secret.
    public var isOfStore: Bool { scheme.isSame(as: URLScheme.store) && !authority.holds("@") }

    /// Behind the first "?".
    public var query: String? {
        rest.cut(at: "?")?.after
    }

    /// A name "." or ".." in its path, as anybody might read it: many servers take what is before it back, and so write where no
    /// pattern says. Also percent-encoded (twice, for who decodes twice), between backslashes, and with parameters behind it.
    public var hasDotSegment: Bool {
        // What begins with "#" is a fragment to some, and the path's to others.
        var path = rest.until("?")
        for _ in 0..<3 {
            if path.words(at: ["/", "\\", "#", "?"]).contains(where: { Self.isDotSegment($0) }) { return true }
            let decoded = Redaction.percentDecoded(path)
            if decoded.isSame(as: path) { return false }
            path = decoded
        }
        return false
    }

    private static func isDotSegment(_ name: String) -> Bool {
        let name = name.until(";", "\0")
        return name.isSame(as: ".") || name.isSame(as: "..")
    }

    /// A sentence that follows the URL, or the rule.
    static let dotSegmentFlaw = "must have no \".\" or \"..\" in its path, also not as %2e: servers take it for another place than the one that is written"

    /// Host and port; also of a pattern.
    static func split(_ authority: String) -> (host: String, port: String?) {
        if let (host, port) = authority.without(prefix: "[")?.cutAtLast("]") {
            return (host, port.isEmpty ? nil : String(decoding: port.utf8.dropFirst(), as: UTF8.self))
        }
        guard let (host, port) = authority.cutAtLast(":") else { return (authority, nil) }
        return (host, port)
    }

    /// The URL as others may see it: scheme, host and port. Keys stand anywhere else: as the user, in any
    /// part of the path, in what follows it.
    public var redacted: String {
        if isOfStore { return "\(scheme)://\(authority)\(rest)" }
        guard hasPlainAddress else { return "\(scheme)://\(SecretOption.shown)" }
        let user = authority.holds("@") ? "\(SecretOption.shown)@" : ""
        return "\(scheme)://\(user)\(authorityWithoutUser)\(rest.isEmpty || rest.isSame(as: "/") ? "" : "/\(SecretOption.shown)")"
    }

    /// A pattern of URLs as others may see it: without user and query. An "@" further on may be a user's whose password
    /// has a "/" in it.
    var redactedPattern: String {
        let path = rest.until("?", "#")
        if path.holds("@") || Redaction.percentDecoded(path).holds("@") { return "\(scheme)://\(SecretOption.shown)" }
        let user = authority.holds("@") ? "\(SecretOption.shown)@" : ""
        let tail = path.utf8.count < rest.utf8.count ? "?\(SecretOption.shown)" : ""
        return "\(scheme)://\(user)\(authorityWithoutUser)\(path)\(tail)"
    }

    /// Whether host and port are plainly that. An "@" further on says that a user's password with a "/"
    /// in it may have been taken for them.
    var hasPlainAddress: Bool {
        let (host, port) = Self.split(authorityWithoutUser)
        let isHost = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        let isPort = port?.utf8.allSatisfy { (0x30...0x39).contains($0) } ?? true
        return isHost && isPort && !rest.holds("@") && !Redaction.percentDecoded(rest).holds("@")
    }
}
