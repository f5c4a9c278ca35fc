/// An IPv4 or IPv6 address, as far as deciding about it goes.
public struct NetworkAddress: Sendable, Equatable {
    /// Who may be behind an address. Only `global` ones are reached without being named.
    public enum Reach: String, Sendable {
        case global
        case unspecified
        case loopback
        case privateUse = "private"
        case linkLocal = "link-local"
        case multicast
        case reserved
    }

    /// 4 or 16, in network order.
    public let bytes: [UInt8]

    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// By the special-purpose registries of RFC 6890. An IPv6 address that carries an IPv4 one
    /// reaches what that reaches.
    public var reach: Reach {
        if let carried = carriedIPv4 { return Self.reach(ofIPv4: carried) }
        return bytes.count == 4 ? Self.reach(ofIPv4: bytes) : Self.reach(ofIPv6: bytes)
    }

    /// An IPv4 address as it is, where it was mapped into IPv6.
    public var unmapped: NetworkAddress { isMapped ? NetworkAddress(bytes: Array(bytes[12...])) ?? self : self }

    /// Dotted, where it is an IPv4 address or one mapped into IPv6; else nil.
    public var dotted: String? {
        let bytes = unmapped.bytes
        return bytes.count == 4 ? bytes.map { String($0) }.joined(separator: ".") : nil
    }

    /// ::ffff:0:0/96
    private var isMapped: Bool {
        bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    private var carriedIPv4: [UInt8]? {
        guard bytes.count == 16 else { return nil }
        if isMapped { return Array(bytes[12...]) }
        // NAT64 (RFC 6052) and 6to4 (RFC 3056).
        if bytes.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return Array(bytes[12...]) }
        if bytes.starts(with: [0x20, 0x02]) { return Array(bytes[2..<6]) }
        return nil
    }

    private static func reach(ofIPv4 bytes: [UInt8]) -> Reach {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _): .unspecified
        case (10, _, _), (172, 16...31, _), (192, 168, _): .privateUse
        // Behind a carrier's NAT (RFC 6598).
        case (100, 64...127, _): .privateUse
        case (127, _, _): .loopback
        case (169, 254, _): .linkLocal
        case (192, 0, 0), (192, 0, 2), (198, 18...19, _), (198, 51, 100), (203, 0, 113): .reserved
        case (224...239, _, _): .multicast
        // Broadcast among them.
        case (240...255, _, _): .reserved
        default: .global
        }
    }

    private static func reach(ofIPv6 bytes: [UInt8]) -> Reach {
        if bytes[..<15].allSatisfy({ $0 == 0 }) {
            if bytes[15] == 0 { return .unspecified }
            if bytes[15] == 1 { return .loopback }
        }
        switch (bytes[0], bytes[1]) {
        case (0xFC...0xFD, _): return .privateUse
        case (0xFE, 0x80...0xBF): return .linkLocal
        // Site-local, which RFC 3879 ended and networks may still use.
        case (0xFE, 0xC0...0xFF): return .privateUse
        case (0xFF, _): return .multicast
        // Teredo and other tunnels (2001::/23), and documentation (2001:db8::/32).
        case (0x20, 0x01) where bytes[2] < 2 || (bytes[2] == 0x0D && bytes[3] == 0xB8): return .reserved
        case (0x20...0x3F, _): return .global
        default: return .reserved
        }
    }
}
