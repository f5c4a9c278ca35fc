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

    /// The URL as others may see it: no user, no query, and no last path element, which is the
    /// stream key of rtmp.
    public var redacted: String {
        let path = rest.prefix { $0 != "?" && $0 != "#" }
        let hasSecret = path.count > 1 || rest.count > path.count
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let user = authority.contains("@") ? "***@" : ""
        return "\(scheme)://\(user)\(authorityWithoutUser)\(parent)\(hasSecret ? "/***" : "")"
    }
}
