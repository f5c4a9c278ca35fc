/// A URL as far as deciding about it needs: `scheme://user@host:port/path?query`.
public struct URLParts: Sendable, Equatable {
    public let scheme: String
    /// With user and port.
    public let authority: String
    /// From the first "/" or "?" behind the authority.
    public let rest: String

    /// nil unless it has a scheme and "://".
    public init?(_ url: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://"), colon > url.startIndex else {
            return nil
        }
        let scheme = url[..<colon]
        guard scheme.first!.isLetter, scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return nil }
        self.scheme = scheme.lowercased()
        let tail = url[url.index(colon, offsetBy: 3)...]
        let end = tail.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? tail.endIndex
        authority = String(tail[..<end])
        rest = String(tail[end...])
    }

    public var authorityWithoutUser: String {
        authority.lastIndex(of: "@").map { String(authority[authority.index(after: $0)...]) } ?? authority
    }

    /// `user:password`, if there is one.
    public var user: String? { authority.lastIndex(of: "@").map { String(authority[..<$0]) } }

    /// Without an IPv6 address's brackets.
    public var host: String { Self.split(authorityWithoutUser).host }

    /// As it is written; nil when there is none.
    public var port: String? { Self.split(authorityWithoutUser).port }

    /// Behind the first "?".
    public var query: String? {
        rest.firstIndex(of: "?").map { String(rest[rest.index(after: $0)...]) }
    }

    /// Host and port; also of a pattern.
    static func split(_ authority: String) -> (host: String, port: String?) {
        if authority.hasPrefix("["), let end = authority.lastIndex(of: "]") {
            let port = authority[authority.index(after: end)...]
            return (String(authority[..<end].dropFirst()), port.isEmpty ? nil : String(port.dropFirst()))
        }
        guard let colon = authority.lastIndex(of: ":") else { return (authority, nil) }
        return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
    }

    /// The URL as others may see it: scheme, host and port. Keys stand anywhere else: as the user, in any
    /// part of the path, in what follows it.
    public var redacted: String {
        guard hasPlainAddress else { return "\(scheme)://\(SecretOption.shown)" }
        let user = authority.contains("@") ? "\(SecretOption.shown)@" : ""
        return "\(scheme)://\(user)\(authorityWithoutUser)\(rest.isEmpty || rest == "/" ? "" : "/\(SecretOption.shown)")"
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
        return isHost && isPort && !rest.contains("@") && !Redaction.percentDecoded(rest).contains("@")
    }
}
