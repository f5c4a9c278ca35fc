public struct QueryItem: Sendable, Equatable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

extension QueryItem {
    /// A query of these items: what is not unreserved in them is percent-encoded (RFC 3986 §2).
    public static func text(of items: [QueryItem]) -> String {
        items.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }
}

/// What a request is about (RFC 9112 §3.2), in origin, absolute or asterisk form.
public struct RequestTarget: Sendable, Equatable {
    /// The path as it came, without the query; `*` for the asterisk form.
    public let rawPath: String
    /// The path split on "/" and then decoded once, so an escaped "/" never splits. Empty for "/".
    public let segments: [String]
    /// In order. `+` is a blank, as HTML forms and most clients write it, and `%2B` a plus.
    public let query: [QueryItem]
    /// Host and port of the absolute form; it wins over Host.
    public let authority: String?

    /// `OPTIONS *`: the server as a whole.
    public var isAsterisk: Bool { rawPath == "*" }

    /// The first item of that name.
    public func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }
}

extension RequestTarget {
    init(_ bytes: UnsafeRawBufferPointer, method: HTTPMethod) throws(HTTPParseError) {
        guard let first = bytes.first else { throw HTTPParseError(.malformedTarget) }
        if first == UInt8(ascii: "/") {
            try self.init(pathAndQuery: bytes, authority: nil)
        } else if bytes.count == 1, first == UInt8(ascii: "*") {
            guard method == .options else { throw HTTPParseError(.asteriskWithoutOptions) }
            self.init(rawPath: "*", segments: [], query: [], authority: nil)
        } else {
            try self.init(absolute: bytes)
        }
    }

    /// RFC 9112 §3.2.2. A client may send this to a server that is no proxy.
    private init(absolute bytes: UnsafeRawBufferPointer) throws(HTTPParseError) {
        guard let start = Self.authorityStart(bytes) else { throw HTTPParseError(.malformedTarget) }
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        let authority = bytes.slice(start..<end)
        // RFC 9110 §4.2: a host, and no user information.
        guard Authority.isValid(authority), authority.first != UInt8(ascii: ":"), !authority.isEmpty else {
            throw HTTPParseError(.badHost)
        }
        try self.init(
            pathAndQuery: bytes.slice(end..<bytes.count), authority: String(decoding: authority, as: UTF8.self))
    }

    private static func authorityStart(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for scheme in ["http://", "https://"] as [StaticString] {
            let count = scheme.utf8CodeUnitCount
            if bytes.count >= count, bytes.slice(0..<count).equalsIgnoringCase(scheme) { return count }
        }
        return nil
    }

    private init(pathAndQuery bytes: UnsafeRawBufferPointer, authority: String?) throws(HTTPParseError) {
        let pathEnd = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        let path = bytes.slice(0..<pathEnd)
        rawPath = path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
        segments = try Self.segments(path)
        query = try Self.queryItems(bytes.slice(min(pathEnd + 1, bytes.count)..<bytes.count))
        self.authority = authority
    }

    private static func segments(_ path: UnsafeRawBufferPointer) throws(HTTPParseError) -> [String] {
        let allowed = ByteSet.path
        guard path.allSatisfy({ allowed.contains($0) }) else { throw HTTPParseError(.badTargetCharacter) }
        guard path.count > 1 else { return [] }
        var segments: [String] = []
        segments.reserveCapacity(8)
        var start = 1
        while start <= path.count {
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            let segment = try PercentEncoding.decode(path.slice(start..<end))
            // Resolved by no one here: a path that climbs is refused, however it is spelled.
            guard segment != ".", segment != ".." else { throw HTTPParseError(.dotSegment) }
            segments.append(segment)
            start = end + 1
        }
        return segments
    }

    private static func queryItems(_ query: UnsafeRawBufferPointer) throws(HTTPParseError) -> [QueryItem] {
        let allowed = ByteSet.query
        guard query.allSatisfy({ allowed.contains($0) }) else { throw HTTPParseError(.badTargetCharacter) }
        var items: [QueryItem] = []
        var start = 0
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            let item = query.slice(start..<end)
            let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.count
            if !item.isEmpty {
                items.append(
                    QueryItem(
                        name: try PercentEncoding.decode(item.slice(0..<equals), ofForm: true),
                        value: try PercentEncoding.decode(item.slice(min(equals + 1, item.count)..<item.count), ofForm: true)))
            }
            start = end + 1
        }
        return items
    }
}
