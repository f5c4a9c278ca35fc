import Bytewise

/// Where a store's server is: a URL of http or https, without user and query.
package struct StoreEndpoint: Sendable, Equatable {
    package let scheme: String
    /// A name, or an address; IPv6 in brackets.
    package let host: String
    package let port: Int
    /// What the paths of requests begin with, as it stands in the URL.
    package let path: String

    init(_ text: String) throws(StoreFlaw) {
        guard let (scheme, tail) = text.cut(at: ":"), let rest = tail.without(prefix: "//") else { throw Self.flaw("it is no URL") }
        self.scheme = scheme.lowercasedASCII
        guard let standard = Self.ports[self.scheme] else { throw Self.flaw("only http:// and https:// are sent to") }
        let authority = rest.until("/", "?", "#")
        path = rest.without(prefix: authority) ?? ""
        if authority.holds("@") { throw StoreFlaw(.endpoint, "keys do not go into the URL: they have fields of their own") }
        if path.holds("?") || path.holds("#") { throw StoreFlaw(.endpoint, "it has a query, and an endpoint has none") }
        if path.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) { throw Self.flaw("it has a character in it that no URL has") }
        let (host, port) = Self.split(authority)
        guard Self.isHost(host) else { throw Self.flaw("it has no host that there could be") }
        self.host = host.lowercasedASCII
        guard let port else {
            self.port = standard
            return
        }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy(\.isASCIIDigit), let number = Int(port), (1...65_535).contains(number) else {
            throw Self.flaw("its port is none from 1 to 65535")
        }
        self.port = number
    }

    private static let ports = ["http": 80, "https": 443]

    private static func flaw(_ reason: String) -> StoreFlaw { StoreFlaw(.endpoint, "\(reason); write one as https://s3.example.com") }

    private static func split(_ authority: String) -> (host: String, port: String?) {
        if let (host, port) = authority.cutAtLast("]") { return (host + "]", port.isEmpty ? nil : port.without(prefix: ":") ?? port) }
        guard let (host, port) = authority.cut(at: ":") else { return (authority, nil) }
        return (host, port)
    }

    private static func isHost(_ text: String) -> Bool {
        if let address = text.without(prefix: "[")?.without(suffix: "]") {
            return address.holds(":") && address.utf8.allSatisfy { $0.isASCIIDigit || (0x61...0x66).contains($0 | 0x20) || $0 == 0x3A || $0 == 0x2E }
        }
        return (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) }
    }

    /// As `Host` has it.
    package var authority: String { port == Self.ports[scheme] ? host : "\(host):\(port)" }
}
