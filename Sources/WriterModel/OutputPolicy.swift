/// Where writers may write beyond the output directory: URLs that a pattern of the operator's
/// names, and devices.
public struct OutputPolicy: Sendable, Equatable {
    /// `rtmp://*.example.com/*`: `*` stands for any run of characters within host and port, or
    /// within what follows them. A pattern that ends with the host allows every path.
    public var patterns: [String]
    public var allowsDevices: Bool

    public init(patterns: [String] = [], allowsDevices: Bool = false) {
        self.patterns = patterns
        self.allowsDevices = allowsDevices
    }

    /// Protocols that reach files, memory or other protocols: never a destination.
    public static let deniedSchemes: Set<String> = [
        "file", "concat", "concatf", "subfile", "pipe", "fd", "unix", "data", "crypto", "async", "cache", "tee",
        "md5", "bluray", "android_content", "saf", "link", "ipns", "ipfs", "gopher", "gophers",
    ]

    public func allows(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let given = URLParts(url), !Self.deniedSchemes.contains(given.scheme) else { return false }
        return patterns.contains { pattern in
            guard let wanted = URLParts(pattern) else { return false }
            return wanted.scheme == given.scheme
                && Self.matches(wanted.authority.lowercased(), given.authorityWithoutUser.lowercased())
                && (wanted.rest.isEmpty || Self.matches(wanted.rest, given.rest))
        }
    }

    var json: JSONValue {
        ["patterns": .array(patterns.map { .string($0) }), "devices": .bool(allowsDevices)]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let patterns = object["patterns"]?.arrayValue else { return nil }
        self.init(
            patterns: patterns.compactMap(\.stringValue), allowsDevices: object["devices"] == .bool(true))
    }

    /// Glob with `*` only.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.utf8)
        let text = Array(text.utf8)
        let star = UInt8(ascii: "*")
        var (p, t) = (0, 0)
        var retry: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == star {
                retry = (p + 1, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = retry {
                retry = (last.p, last.t + 1)
                (p, t) = (last.p, last.t + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == star }
    }
}

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
