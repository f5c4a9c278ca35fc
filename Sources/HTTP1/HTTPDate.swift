/// The dates of HTTP fields (RFC 9110 §5.6.7).
public enum HTTPDate {
    /// IMF-fixdate, as in `Sun, 06 Nov 1994 08:49:37 GMT`. Years are held within 0000 to 9999, which it can write.
    public static func format(secondsSinceEpoch: Int64) -> String {
        let seconds = min(max(secondsSinceEpoch, firstSecond), lastSecond)
        let days = floorDivide(seconds, secondsPerDay)
        let time = Int(seconds - days * secondsPerDay)
        let date = civilDate(daysSinceEpoch: Int(days))
        // 1970-01-01 was a Thursday.
        let weekday = Int(((days + 4) % 7 + 7) % 7)
        return weekdays[weekday] + ", " + padded(date.day, 2) + " " + months[date.month - 1] + " "
            + padded(date.year, 4) + " " + padded(time / 3600, 2) + ":" + padded(time / 60 % 60, 2) + ":"
            + padded(time % 60, 2) + " GMT"
    }

    private static let secondsPerDay: Int64 = 86_400
    private static let firstSecond: Int64 = -62_167_219_200
    private static let lastSecond: Int64 = 253_402_300_799
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The proleptic Gregorian date. Years are counted from March, so that the leap day is a year's last, and from
    /// 0000-03-01, so that 400-year eras of 146,097 days start at multiples.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSinceEpoch + 719_468
        let era = floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide<Number: SignedInteger>(_ number: Number, _ divisor: Number) -> Number {
        number >= 0 ? number / divisor : (number - divisor + 1) / divisor
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: width - digits.utf8.count) + digits
    }
}
