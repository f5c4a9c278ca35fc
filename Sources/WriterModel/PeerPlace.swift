import Bytewise

/// Where other nodes are, as `--peers` has it: `NAME=http://HOST:PORT`, or `dns:NAME:PORT` for each address of a name.
public enum PeerPlace: Sendable, Hashable {
    case node(NodeName, HostPort)
    /// Every address that the name has at the time, each a node that says itself how it is called.
    case name(HostPort)

    public struct HostPort: Sendable, Hashable, CustomStringConvertible {
        /// Without an IPv6 address's brackets.
        public let host: String
        public let port: UInt16

        public var description: String { host.holds(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Why a text names no peers: the end of a sentence that begins with the setting's name.
    public struct Flaw: Error, Equatable {
        public let reason: String
    }

    public static let rule = "dns:NAME:PORT, or NAME=http://HOST:PORT for each node, with commas between them"
    /// Each takes a connection, and memory, of every list.
    public static let most = 32

    /// Several, with commas between them, behind those that are known.
    public static func list(_ text: String, after known: [PeerPlace] = []) throws(Flaw) -> [PeerPlace] {
        // Not repeated: what stands before it may be a password.
        if text.holds("@") { throw Flaw(reason: "has a user or a password (@), which nodes do not take from each other, and must be \(rule)") }
        var places = known
        for part in text.parts(at: ",") {
            let place = try PeerPlace(part)
            if case .node(let name, _) = place, places.contains(where: { $0.node == name }) {
                throw Flaw(reason: "names the node \(name) twice")
            }
            places.append(place)
        }
        if places.count > most { throw Flaw(reason: "has \(places.count) places and may have \(most)") }
        return places
    }

    public var node: NodeName? { if case .node(let name, _) = self { name } else { nil } }

    private init(_ text: String) throws(Flaw) {
        if let place = text.without(prefix: "dns:") {
            guard let place = HostPort(place) else { throw .malformed(text) }
            self = .name(place)
            return
        }
        guard let (name, url) = text.cut(at: "="), let node = NodeName(name) else { throw .malformed(text) }
        guard let place = url.without(prefix: "http://") else {
            throw Flaw(reason: "has \(text), and nodes speak plain HTTP to each other: \(name)=http://HOST:PORT")
        }
        guard let place = HostPort(place.without(suffix: "/") ?? place, fallback: 80) else { throw .malformed(text) }
        self = .node(node, place)
    }
}

extension PeerPlace.HostPort {
    /// nil: it is no host with a port.
    fileprivate init?(_ text: String, fallback: UInt16? = nil) {
        let (host, port) = URLParts.split(text)
        guard !host.isEmpty, port?.utf8.allSatisfy(\.isASCIIDigit) ?? true,
            let port = port == nil ? fallback : port.flatMap(UInt16.init), port > 0
        else { return nil }
        let isAddress = text.begins(with: "[")
        // A registered name has no more; an IPv6 address has hexadecimal digits, colons and dots.
        let isHost = host.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) || isAddress && $0 == UInt8(ascii: ":") }
        guard isHost, isAddress == host.holds(":") else { return nil }
        self.init(host: host, port: port)
    }
}

extension PeerPlace.Flaw {
    fileprivate static func malformed(_ text: String) -> Self {
        Self(reason: "has \(text.isEmpty ? "an empty place" : text.shortened()) and must be \(PeerPlace.rule)")
    }
}
