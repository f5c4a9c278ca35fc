import Bytewise
import Glibc

/// Moments as seconds since 1970, as HTTP and S3 write them.
package enum HTTPDate {
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Of an IMF-fixdate (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". nil: it is none.
    package static func seconds(of text: String) -> Int? {
        let words = text.words(at: [" ", ":", ","])
        guard words.count == 8, words[7].isSame(as: "GMT"), let day = words[1].asciiNumber, let year = words[3].asciiNumber,
            let month = months.firstIndex(where: { $0.isSame(as: words[2]) }),
            let hour = words[4].asciiNumber, let minute = words[5].asciiNumber, let second = words[6].asciiNumber,
            (1...31).contains(day), (1_970...9_999).contains(year), hour < 24, minute < 60, second < 61
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1_900), Int32(month), Int32(day))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
        return timegm(&parts)
    }

    /// ISO 8601's basic form, in UTC: "20130524T000000Z".
    package static func basic(_ seconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let day = digits(Int(parts.tm_year) + 1_900, 4) + digits(Int(parts.tm_mon) + 1, 2) + digits(Int(parts.tm_mday), 2)
        return day + "T" + digits(Int(parts.tm_hour), 2) + digits(Int(parts.tm_min), 2) + digits(Int(parts.tm_sec), 2) + "Z"
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
