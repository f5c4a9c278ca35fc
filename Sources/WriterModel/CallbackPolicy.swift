import Bytewise

/// Which URLs writers may have their ends told to: `callback_url`. The patterns are as `OutputPolicy` has them, of http
/// and https alone.
public struct CallbackPolicy: Sendable, Equatable {
    public var patterns: [String]
    /// They are those of the token's line (allow-callback=), instead of the server's.
    public var isOfToken: Bool
    /// There is a secret to sign with.
    public var canSign: Bool

    public static let mostURLBytes = 2_048
    private static let schemes = ["http", "https"]

    public init(patterns: [String] = [], isOfToken: Bool = false, canSign: Bool = true) {
        self.patterns = patterns
        self.isOfToken = isOfToken
        self.canSign = canSign
    }

    /// Why it is no pattern, as a sentence that follows it; nil: it is one.
    public static func flaw(ofPattern pattern: String) -> String? {
        if pattern.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "has white space in it, which no URL has: several patterns are a list of them"
        }
        guard let parts = URLParts(pattern), schemes.contains(parts.scheme) else { return "is no URL pattern such as 'https://*.example.com/*'" }
        return parts.hasDotSegment ? URLParts.dotSegmentFlaw : nil
    }

    /// Why it is no URL that is sent to, as a sentence that follows it; nil: it is one.
    public static func flaw(ofURL url: String) -> String? {
        if url.utf8.count > mostURLBytes { return "must be at most \(mostURLBytes) bytes" }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let parts = URLParts(url), schemes.contains(parts.scheme) else {
            return "must be a URL of http or https, of printable characters without spaces"
        }
        if parts.host.isEmpty || !parts.hasPlainAuthority { return "must have a host (a name, or an address written out), and a port from 1 to 65535 if any" }
        if url.holds("#") { return "must have no fragment (#)" }
        if parts.hasDotSegment { return URLParts.dotSegmentFlaw }
        return nil
    }

    /// What a URL that has no flaw may lead to; else why it is refused, as a sentence that follows "This server sends no
    /// webhooks to … : ".
    public func permit(_ url: String) -> Result<AddressPermit, OutputPolicy.Refusal> {
        guard Self.flaw(ofURL: url) == nil, let given = URLParts(url), let port = given.webPort else {
            return .failure(.init(reason: "it is no URL of http or https"))
        }
        if !canSign { return .failure(.init(reason: "it runs without --webhook-secret-file")) }
        let grants = OutputPolicy.grants(of: patterns, for: given)
        if grants.isEmpty { return .failure(.init(reason: unnamed)) }
        let permit = AddressPermit(host: given.host.lowercasedASCII, ports: [port...port], protocols: [], grants: grants)
        // A name is looked up when something is sent.
        if let address = NetworkAddress(written: permit.host)?.unmapped, !permit.allows(address) {
            return .failure(.init(reason: "its address is not a public one (\(address.reach.rawValue)), which only a pattern that names it allows"))
        }
        return .success(permit)
    }

    private var unnamed: String {
        switch (isOfToken, patterns.isEmpty) {
        case (false, true): "it runs without --allow-callback"
        case (false, false): "none of its --allow-callback patterns names it"
        case (true, true): "this token's allow-callback= allows none"
        case (true, false): "none of this token's allow-callback= patterns names it"
        }
    }

    /// The patterns that name the URL, as they are kept with it.
    public func patterns(naming url: String) -> [String] {
        guard let given = URLParts(url) else { return [] }
        return patterns.filter { !OutputPolicy.grants(of: [$0], for: given).isEmpty }
    }

    var json: JSONValue {
        ["patterns": .array(patterns.map { .string($0) }), "token": .bool(isOfToken), "signs": .bool(canSign)]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let patterns = object["patterns"]?.arrayValue else { return nil }
        self.init(
            patterns: patterns.compactMap(\.stringValue), isOfToken: object["token"] == .bool(true), canSign: object["signs"] == .bool(true))
    }
}

extension URLParts {
    /// Of http or https; nil: it names one that there is not.
    fileprivate var webPort: Int? {
        guard let port else { return scheme.isSame(as: "https") ? 443 : 80 }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy(\.isASCIIDigit), let number = Int(port), (1...65_535).contains(number) else { return nil }
        return number
    }

    /// Host and port are plainly that: no two readers of URLs find another host in it.
    fileprivate var hasPlainAuthority: Bool {
        guard webPort != nil, authority.utf8.count(where: { $0 == UInt8(ascii: "@") }) <= 1, !authority.holds("\\") else { return false }
        let isAddress = authorityWithoutUser.begins(with: "[")
        // 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are one address to some readers, and a name to others.
        if !isAddress, endsInNumber, NetworkAddress(written: host) == nil { return false }
        return host.utf8.allSatisfy { byte in
            isAddress ? byte.isASCIIDigit || (0x61...0x66).contains(byte.lowercasedASCII) || ":.".utf8.contains(byte)
                : byte.isASCIIDigit || byte.isASCIILetter || "-._".utf8.contains(byte)
        }
    }
}

extension URLParts {
    private var endsInNumber: Bool {
        let last = host.parts(at: ".", omittingEmpty: true).last ?? ""
        return last.utf8.allSatisfy(\.isASCIIDigit) || last.lowercasedASCII.begins(with: "0x")
    }
}

extension NetworkAddress {
    /// Of an IPv4 address of four decimal numbers; nil for any other text.
    init?(written text: String) {
        let numbers = text.parts(at: ".").map { part in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(\.isASCIIDigit) && (part.utf8.count == 1 || !part.begins(with: "0")) ? UInt8(part) : nil
        }
        guard numbers.count == 4, !numbers.contains(nil) else { return nil }
        self.init(bytes: numbers.compactMap { $0 })
    }
}
