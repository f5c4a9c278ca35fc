/// Host and port, as in the Host field and the absolute form of a target (RFC 3986 §3.2).
enum Authority {
    /// uri-host [ ":" port ], RFC 9110 §7.2. The host may be empty, as the grammar says.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let hostEnd: Int
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")), isIPLiteral(bytes.slice(1..<close)) else {
                return false
            }
            hostEnd = close + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard isRegisteredName(bytes.slice(0..<hostEnd)) else { return false }
        }
        if hostEnd == bytes.count { return true }
        return bytes[hostEnd] == UInt8(ascii: ":") && bytes[(hostEnd + 1)...].allSatisfy { $0.decimalDigit != nil }
    }

    /// reg-name, RFC 3986 §3.2.2. An IPv4 address is one too.
    private static func isRegisteredName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let allowed = ByteSet.unreservedOrSubDelimiter
        var index = 0
        while index < bytes.count {
            if allowed.contains(bytes[index]) {
                index += 1
            } else {
                guard bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                    bytes[index + 1].hexDigit != nil, bytes[index + 2].hexDigit != nil
                else { return false }
                index += 3
            }
        }
        return true
    }

    private static func isIPLiteral(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first?.lowercased == UInt8(ascii: "v") ? isIPvFuture(bytes) : isIPv6(bytes)
    }

    /// "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
    private static func isIPvFuture(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")), dot > 1, dot + 1 < bytes.count else { return false }
        let allowed = ByteSet.unreservedOrSubDelimiter
        return bytes[1..<dot].allSatisfy { $0.hexDigit != nil }
            && bytes[(dot + 1)...].allSatisfy { allowed.contains($0) || $0 == UInt8(ascii: ":") }
    }

    /// Eight groups of 16 bits; one "::" stands for one or more of zero; the last two may be an IPv4 address.
    private static func isIPv6(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let elision = (0..<max(bytes.count - 1, 0)).first(where: { isElision(at: $0, in: bytes) }) else {
            return groupCount(bytes, mayEndInIPv4: true) == 8
        }
        guard let before = groupCount(bytes.slice(0..<elision), mayEndInIPv4: false),
            let after = groupCount(bytes.slice(elision + 2..<bytes.count), mayEndInIPv4: true)
        else { return false }
        return before + after <= 7
    }

    private static func isElision(at index: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[index] == UInt8(ascii: ":") && bytes[index + 1] == UInt8(ascii: ":")
    }

    private static func groupCount(_ bytes: UnsafeRawBufferPointer, mayEndInIPv4: Bool) -> Int? {
        if bytes.isEmpty { return 0 }
        let groups = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let endsInIPv4 = mayEndInIPv4 && isIPv4(groups[groups.count - 1])
        let plain = endsInIPv4 ? groups.dropLast() : groups[...]
        guard plain.allSatisfy({ (1...4).contains($0.count) && $0.allSatisfy { $0.hexDigit != nil } }) else {
            return nil
        }
        return plain.count + (endsInIPv4 ? 2 : 0)
    }

    private static func isIPv4(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let octets = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return octets.count == 4
            && octets.allSatisfy { octet in
                guard let number = UnsafeRawBufferPointer(rebasing: octet).decimalNumber else { return false }
                return number <= 255 && octet.count <= 3 && (octet.count == 1 || octet.first != UInt8(ascii: "0"))
            }
    }
}
