import Bytewise

/// Where writers may write beyond the output directory: URLs that a pattern of the operator's
/// names, and devices.
public struct OutputPolicy: Sendable, Equatable {
    /// `rtmp://*.example.com/*`: `*` stands for any run of characters within host and port, or
    /// within what follows them. A pattern that ends with the host allows every path. Addresses
    /// that not everyone can reach must be named: by a host without `*`, or by one of digits, dots
    /// and `*`.
    public var patterns: [String]
    public var allowsDevices: Bool
    /// The patterns are those of the token's line (allow-output=), instead of the server's.
    public var isOfToken: Bool
    /// The names of the object stores that writers may write to; their keys are elsewhere.
    public var stores: [String]
    /// Where those lie, by their names: two may be one.
    public private(set) var storePlaces: [ByteKey: String] = [:]
    /// The token's line says which of the server's stores they are.
    public var storesAreOfToken = false

    public init(patterns: [String] = [], allowsDevices: Bool = false, isOfToken: Bool = false, stores: [String] = []) {
        self.patterns = patterns
        self.stores = stores
        self.allowsDevices = allowsDevices
        self.isOfToken = isOfToken
    }

    /// Why it is no pattern, as a sentence that follows it; nil: it is one.
    public static func flaw(ofPattern pattern: String) -> String? {
        if pattern.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "has white space in it, which no URL has: several patterns are a list of them"
        }
        guard let parts = URLParts(pattern) else { return "is no URL pattern such as 'rtmp://*.example.com/*'" }
        if parts.hasDotSegment { return URLParts.dotSegmentFlaw }
        if URLScheme.named(parts.scheme) != nil { return nil }
        return "names no protocol that writers write by: \(URLScheme.names.joined(separator: ", "))"
    }

    /// A pattern as it may be shown: a user with a password, and a query, which may hold a key, are left out.
    public static func shown(pattern: String) -> String {
        if let parts = URLParts(pattern) { return parts.redactedPattern }
        // What is no URL has no place for a secret but these.
        let decoded = Redaction.percentDecoded(pattern)
        return decoded.holds("@") || decoded.holds("?") ? URLText.redacted(destination: pattern) : pattern
    }

    /// Why a URL is refused, as a sentence that follows "This server does not write to … : ".
    public struct Refusal: Error, Sendable, Equatable {
        public let reason: String
        public var supported: [String]?

        init(reason: String, supported: [String]? = nil) { (self.reason, self.supported) = (reason, supported) }
    }

    public func permit(_ url: String) -> Result<AddressPermit, Refusal> {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let given = URLParts(url) else {
            return .failure(Refusal(reason: "it is no URL of printable characters without spaces"))
        }
        guard let scheme = URLScheme.named(given.scheme) else {
            return .failure(Refusal(reason: "\(given.scheme) is no protocol it writes by", supported: URLScheme.names))
        }
        let grants = self.grants(for: given)
        guard !grants.isEmpty else {
            return .failure(Refusal(reason: unnamed))
        }
        if given.hasDotSegment { return .failure(Refusal(reason: "it \(URLParts.dotSegmentFlaw)")) }
        if let refusal = Self.refusal(ofQuery: given, scheme) { return .failure(refusal) }
        guard let port = given.port.map(Self.port) ?? scheme.defaultPort else {
            return .failure(Refusal(reason: "its port must be a number from 1 to 65535"))
        }
        return .success(
            AddressPermit(
                host: given.host.lowercasedASCII, ports: [port...port] + scheme.furtherPorts(port),
                protocols: scheme.protocols, grants: grants))
    }

    /// Why a URL is refused that no pattern names.
    private var unnamed: String {
        switch (isOfToken, patterns.isEmpty) {
        case (false, true): "it runs without --allow-output"
        case (false, false): "none of its --allow-output patterns names it"
        case (true, true): "this token's allow-output= allows no URL"
        case (true, false): "none of this token's allow-output= patterns names it"
        }
    }

    /// Notes where the stores lie that it allows.
    public mutating func locate(_ settings: [StoreSettings]) {
        let allowed = settings.filter { allows(store: $0.name) }
        storePlaces = Dictionary(allowed.map { (ByteKey($0.name), $0.place) }) { first, _ in first }
    }

    public func allows(store name: String) -> Bool { stores.contains { $0.isSame(as: name) } }

    public func allows(_ url: String) -> Bool { (try? permit(url).get()) != nil }

    private func grants(for given: URLParts) -> [AddressPermit.Grant] { Self.grants(of: patterns, for: given) }

    /// What those patterns say that match it.
    static func grants(of patterns: [String], for given: URLParts) -> [AddressPermit.Grant] {
        patterns.compactMap { pattern in
            guard let wanted = URLParts(pattern), wanted.scheme.isSame(as: given.scheme),
                matches(wanted.authority.lowercasedASCII, given.authorityWithoutUser.lowercasedASCII),
                wanted.rest.isEmpty || matches(wanted.rest, given.rest)
            else { return nil }
            return AddressPermit.Grant(host: URLParts.split(wanted.authority).host)
        }
    }

    /// What the protocol itself would read of the query.
    private static func refusal(ofQuery url: URLParts, _ scheme: URLScheme) -> Refusal? {
        guard let allowed = scheme.queryKeys, let query = url.query else { return nil }
        // libav looks behind the first "?" here and behind the last one there.
        if query.holds("?") { return Refusal(reason: "its query must hold no second ?") }
        for item in query.parts(at: "&") {
            let key = item.until("=")
            guard allowed.contains(key) else {
                return Refusal(reason: "its query must not set \"\(key)\"", supported: allowed.sorted())
            }
        }
        return nil
    }

    private static func port(_ text: String) -> Int? {
        guard text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text),
            (1...65_535).contains(port)
        else { return nil }
        return port
    }

    var json: JSONValue {
        [
            "patterns": .array(patterns.map { .string($0) }), "devices": .bool(allowsDevices), "token": .bool(isOfToken),
            "stores": .array(stores.map { .string($0) }), "stores_of_token": .bool(storesAreOfToken),
            "store_places": .map(Dictionary(uniqueKeysWithValues: storePlaces.map { ($0.key.text, $0.value) })),
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let patterns = object["patterns"]?.arrayValue, let stores = object["stores"]?.arrayValue else { return nil }
        self.init(
            patterns: patterns.compactMap(\.stringValue), allowsDevices: object["devices"] == .bool(true),
            isOfToken: object["token"] == .bool(true), stores: stores.compactMap(\.stringValue))
        storesAreOfToken = object["stores_of_token"] == .bool(true)
        for member in object["store_places"]?.objectValue?.members ?? [] { storePlaces[ByteKey(member.name)] = member.value.stringValue }
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
