/// Base 64 (RFC 4648, section 4), with its padding.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let number = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 { result.append(place <= group.count ? alphabet[number >> (18 - 6 * place) & 63] : padding) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes of a text that `text` could have given; nil of any other. The padding may be missing.
    public static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.reversed().drop { $0 == padding }.reversed()
        let missing = (4 - digits.count % 4) % 4
        let paddings = text.utf8.count - digits.count
        guard missing != 3, paddings == 0 || paddings == missing else { return nil }
        var result: [UInt8] = []
        var (number, bits) = (0, 0)
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            number = number << 6 | value
            bits += 6
            if bits < 8 { continue }
            bits -= 8
            result.append(UInt8(number >> bits & 0xFF))
            number &= (1 << bits) - 1
        }
        // What is left over says nothing.
        return number == 0 ? result : nil
    }
}
