import Bytewise

/// Where one URL that the operator allows may lead: its host and ports, and which addresses.
public struct AddressPermit: Sendable, Equatable {
    /// What a pattern says about addresses.
    enum Grant: Sendable, Equatable {
        /// Its host holds a `*`: whatever the whole world can reach.
        case global
        /// Its host is this one, written out: the operator means it, whatever its address.
        case host
        /// It is made of digits, dots and `*`: the addresses it matches.
        case addresses(String)
    }

    /// In lower case, an IPv6 address without its brackets; empty for all of this machine's own.
    public let host: String
    public let ports: [ClosedRange<Int>]
    /// The protocols of libav's that the URL needs.
    public let protocols: [String]
    let grants: [Grant]

    /// Of a server that the operator has named, whatever its address.
    public static func named(host: String, port: Int) -> AddressPermit {
        AddressPermit(host: host.lowercasedASCII, ports: [port...port], protocols: [], grants: [.host])
    }

    /// `port` 0: none in particular.
    public func covers(host: String, port: Int) -> Bool {
        host.lowercasedASCII.isSame(as: self.host) && (port == 0 || ports.contains { $0.contains(port) })
    }

    public func allows(_ address: NetworkAddress) -> Bool {
        grants.contains { grant in
            switch grant {
            case .host: true
            case .global: address.reach == .global
            case .addresses(let pattern): address.dotted.map { OutputPolicy.matches(pattern, $0) } ?? false
            }
        }
    }
}

extension AddressPermit.Grant {
    init(host pattern: String) {
        if !pattern.holds("*") {
            self = .host
        } else if pattern.utf8.contains(where: \.isASCIIDigit) && pattern.utf8.allSatisfy({ "0123456789.*".utf8.contains($0) }) {
            self = .addresses(pattern)
        } else {
            self = .global
        }
    }
}
