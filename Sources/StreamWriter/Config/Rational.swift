import Bytewise
import Libav

/// A positive frame rate or time base, in lowest terms.
public struct Rational: Sendable, Hashable, CustomStringConvertible {
    public let numerator: Int
    public let denominator: Int

    /// Nil unless both are positive and fit libav's 32 bits in lowest terms.
    public init?(_ numerator: Int, _ denominator: Int) {
        guard numerator > 0, denominator > 0 else { return nil }
        let divisor = Self.greatestCommonDivisor(numerator, denominator)
        self.numerator = numerator / divisor
        self.denominator = denominator / divisor
        guard self.numerator <= Int32.max, self.denominator <= Int32.max else { return nil }
    }

    /// "30000/1001", "29.97" or "25".
    public init?(parsing text: String) {
        let parts = text.parts(at: "/")
        if parts.count == 2 {
            guard let numerator = Self.digits(parts[0]), let denominator = Self.digits(parts[1])
            else { return nil }
            self.init(numerator, denominator)
        } else {
            guard text.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || Self.isDigit($0) }),
                let value = Double(text)
            else { return nil }
            self.init(value)
        }
    }

    /// The exact value where it is one, NTSC's rates where it is their usual shorthand (23.976,
    /// 29.97, 59.94), and otherwise the nearest fraction.
    public init?(_ value: Double) {
        guard value.isFinite, value > 0, value <= Double(Int32.max) else { return nil }
        if value == value.rounded() {
            self.init(Int(value), 1)
        } else if let ntsc = Self.ntsc(value) {
            self = ntsc
        } else {
            let nearest = Fraction(nearest: value)
            self.init(Int(nearest.numerator), Int(nearest.denominator))
        }
    }

    init(_ fraction: Fraction) {
        numerator = Int(fraction.numerator)
        denominator = Int(fraction.denominator)
    }

    var fraction: Fraction { Fraction(Int32(numerator), Int32(denominator)) }

    public var doubleValue: Double { Double(numerator) / Double(denominator) }

    public var description: String {
        denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
    }

    /// The n × 1000/1001 that a rate with two or three decimals stands for.
    private static func ntsc(_ value: Double) -> Rational? {
        for base in [24, 30, 48, 60, 120, 240] {
            let exact = Double(base) * 1000 / 1001
            // 23.98 and 23.976 both stand for 24000/1001.
            if abs(exact - value) < 0.005 { return Rational(base * 1000, 1001) }
        }
        return nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func digits(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { return nil }
        return Int(text)
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
