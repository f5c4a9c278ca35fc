extension Timestamp {
    /// Since 1970-01-01T00:00:00Z; nil where the text is of another form than this type's.
    public var secondsSinceEpoch: Double? {
        let bytes = Array(description.utf8)
        guard bytes.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), (1...12).contains(month), (1...31).contains(day),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19), let millisecond = number(20..<23)
        else { return nil }
        return Double(Self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) + Double(millisecond) / 1_000
    }

    /// From 1970-01-01 to a date of the proleptic Gregorian calendar (Hinnant's days_from_civil).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
