import Bytewise

/// A moment, to the millisecond: as text RFC 3339's in UTC.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(secondsSinceEpoch seconds: Int64, nanoseconds: Int32) {
        milliseconds = seconds * 1_000 + Int64(nanoseconds) / 1_000_000
    }

    public var description: String {
        let second = Self.floor(milliseconds, by: 1_000)
        let day = Self.floor(second, by: 86_400)
        let ofDay = second - day * 86_400
        let (year, month, dayOfMonth) = Self.civil(day)
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(dayOfMonth, 2))"
            + "T\(Self.padded(ofDay / 3_600, 2)):\(Self.padded(ofDay / 60 % 60, 2)):"
            + "\(Self.padded(ofDay % 60, 2)).\(Self.padded(milliseconds - second * 1_000, 3))Z"
    }

    /// Reads what `description` gave.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, Self.form.indices.allSatisfy({ Self.form[$0] == 0x30 ? (0x30...0x39).contains(bytes[$0]) : bytes[$0] == Self.form[$0] })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let days = Self.days(number(0..<4), number(5..<7), number(8..<10))
        let seconds = days * 86_400 + number(11..<13) * 3_600 + number(14..<16) * 60 + number(17..<19)
        milliseconds = seconds * 1_000 + number(20..<23)
        // No 31st of February, no hour 25.
        if !description.isSame(as: text) { return nil }
    }

    private static let form = Array("0000-00-00T00:00:00.000Z".utf8)

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    private static func floor(_ value: Int64, by divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }

    /// The proleptic Gregorian date of a day since 1970-01-01 (Hinnant's civil_from_days).
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = floor(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// The day since 1970-01-01 of such a date (Hinnant's days_from_civil).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floor(shifted, by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
