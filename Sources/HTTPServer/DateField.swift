import HTTP1
import Synchronization
import SystemIO

/// The Date field's value, made once a second.
enum DateField {
    private static let last = Mutex((second: Int64.min, text: ""))

    static var now: String {
        let second = WallClock.now().seconds
        return last.withLock { last in
            if last.second != second { last = (second, HTTPDate.format(secondsSinceEpoch: second)) }
            return last.text
        }
    }
}
