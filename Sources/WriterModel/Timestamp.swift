import Bytewise

/// A moment as RFC 3339 text in UTC with milliseconds. As text, moments sort by time.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let description: String

    public init(secondsSinceEpoch seconds: Int64, nanoseconds: Int32) {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let (year, month, day) = Self.civil(days)
        let second = seconds - days * 86_400
        description =
            "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
            + "T\(Self.padded(second / 3_600, 2)):\(Self.padded(second / 60 % 60, 2)):"
            + "\(Self.padded(second % 60, 2)).\(Self.padded(Int64(nanoseconds) / 1_000_000, 3))Z"
    }

    /// A timestamp this type made before.
    public init?(_ text: String) {
        guard text.utf8.count == 24, text.ends(with: "Z") else { return nil }
        description = text
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.description < right.description }

    /// The proleptic Gregorian date of a day since 1970-01-01 (Hinnant's civil_from_days).
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
