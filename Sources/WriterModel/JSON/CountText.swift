import Bytewise

/// Numbers as FFmpeg's options take them (av_strtod): decimal, with a postfix of SI's, of powers of 1024 behind an
/// "i", and of bytes for bits behind a "B": "32k", "2.5M", "8Mi", "16KB".
public enum CountText {
    /// Nil where it is none, or no whole number, or more than any count.
    public static func value(of text: String) -> Int? {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        let whole = rest.prefix(while: \.isASCIIDigit)
        rest = rest.dropFirst(whole.count)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: \.isASCIIDigit)
            rest = rest.dropFirst(1 + fraction.count)
        }
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        // No double has so many digits, and no count either.
        guard !whole.isEmpty, fraction.count <= 18, let factor = factor(rest),
            let digits = Int(String(decoding: whole + fraction, as: UTF8.self))
        else { return nil }
        let (product, isTooLarge) = digits.multipliedReportingOverflow(by: factor)
        let divisor = fraction.reduce(1) { power, _ in power * 10 }
        guard !isTooLarge, product % divisor == 0 else { return nil }
        return isNegative ? -(product / divisor) : product / divisor
    }

    /// Nil where it is no postfix.
    private static func factor(_ postfix: ArraySlice<UInt8>) -> Int? {
        var rest = postfix
        var factor = 1
        if let first = rest.first, let power = powers[first] {
            rest.removeFirst()
            let isBinary = rest.first == UInt8(ascii: "i")
            if isBinary { rest.removeFirst() }
            factor = isBinary ? 1 << (10 * power) : (0..<power).reduce(1) { factor, _ in factor * 1_000 }
        }
        if rest.first == UInt8(ascii: "B") {
            rest.removeFirst()
            factor *= 8
        }
        return rest.isEmpty ? factor : nil
    }

    private static let powers: [UInt8: Int] = [
        UInt8(ascii: "k"): 1, UInt8(ascii: "K"): 1, UInt8(ascii: "M"): 2, UInt8(ascii: "G"): 3, UInt8(ascii: "T"): 4,
    ]
}
