public enum PercentEncoding {
    /// Leaves the unreserved characters of RFC 3986 §2.3 as they are.
    public static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Decodes once (RFC 3986 §2.1). Refuses a broken escape, NUL, and what is not UTF-8.
    /// `ofForm`: `+` stands for a blank (WHATWG URL, application/x-www-form-urlencoded).
    static func decode(_ bytes: UnsafeRawBufferPointer, ofForm: Bool = false) throws(HTTPParseError) -> String {
        let plus = UInt8(ascii: "+")
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || ofForm && $0 == plus }) else { return String(decoding: bytes, as: UTF8.self) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] != UInt8(ascii: "%") {
                decoded.append(ofForm && bytes[index] == plus ? UInt8(ascii: " ") : bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = bytes[index + 1].hexDigit,
                let low = bytes[index + 2].hexDigit
            else { throw HTTPParseError(.badPercentEncoding) }
            guard high | low != 0 else { throw HTTPParseError(.encodedNUL) }
            decoded.append(high << 4 | low)
            index += 3
        }
        guard let string = String(validating: decoded, as: UTF8.self) else { throw HTTPParseError(.targetNotUTF8) }
        return string
    }
}
