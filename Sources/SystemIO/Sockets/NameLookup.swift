import Glibc

/// getaddrinfo(3) itself, for who stands in its place.
public enum NameLookup {
    public typealias List = UnsafeMutablePointer<addrinfo>

    private typealias Call = @Sendable @convention(c) (
        UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?, UnsafeMutablePointer<List?>?
    ) -> Int32

    private static let real: Call? = DynamicSymbol.next("getaddrinfo").map { unsafeBitCast($0, to: Call.self) }

    /// "No such name", for what must not be looked up.
    public static let refused = EAI_FAIL

    /// Looks up as it is asked to.
    public static func answer(
        _ node: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
        _ result: UnsafeMutablePointer<List?>?
    ) -> Int32 {
        real?(node, service, hints, result) ?? EAI_SYSTEM
    }

    /// Takes out of a list the addresses that `isAllowed` refuses, by their bytes; the rest.
    public static func filter(_ list: List?, _ isAllowed: ([UInt8]) -> Bool) -> List? {
        var kept: List?
        var last: List?
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            entry.pointee.ai_next = nil
            if let bytes = bytes(of: UnsafePointer(entry.pointee.ai_addr)), isAllowed(bytes) {
                if let last { last.pointee.ai_next = entry } else { kept = entry }
                last = entry
            } else {
                // glibc frees each entry by itself.
                freeaddrinfo(entry)
            }
        }
        return kept
    }

    /// Those of this machine's interfaces.
    public static var ownAddresses: [[UInt8]] {
        var interfaces: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&interfaces) == 0 else { return [] }
        defer { freeifaddrs(interfaces) }
        var addresses: [[UInt8]] = []
        var next = interfaces
        while let interface = next {
            if let bytes = bytes(of: UnsafePointer(interface.pointee.ifa_addr)) { addresses.append(bytes) }
            next = interface.pointee.ifa_next
        }
        return addresses
    }

    /// 4 or 16; nil for what is no address of IPv4 or IPv6.
    public static func bytes(of address: UnsafePointer<sockaddr>?) -> [UInt8]? {
        guard let address else { return nil }
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let bits = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: bits) { Array($0) }
        case AF_INET6:
            let bits = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: bits) { Array($0) }
        default: return nil
        }
    }
}

/// What the dynamic linker takes a name for.
public enum DynamicSymbol {
    /// RTLD_NEXT: the definition behind this program's own.
    static func next(_ name: String) -> UnsafeMutableRawPointer? { dlsym(UnsafeMutableRawPointer(bitPattern: -1), name) }

    /// Whether the libraries of this process get our definition of a function, and not the C
    /// library's.
    public static func isOurs(_ name: String) -> Bool {
        guard let everybodys = dlsym(nil, name), let next = next(name) else { return false }
        return everybodys != next
    }
}
